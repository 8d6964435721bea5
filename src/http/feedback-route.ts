import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { FeedbackService } from '../gateway/feedback.ts'
import type { Caller } from '../gateway/steps.ts'
import { parseJsonBody } from '../protocol/json.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { credentials } from './credentials.ts'
import { readFeedback, showFeedback } from './feedback-body.ts'
import type { Keyring } from './keyring.ts'

export interface FeedbackRouteOptions {
  readonly feedback: FeedbackService
  readonly keyring: () => Keyring
  readonly json: (request: FastifyRequest, reply: FastifyReply, status: number, body: unknown) => FastifyReply
}

/** `POST /v1/feedback`. What another tenant was answered does not exist. */
export function addFeedbackRoute(app: FastifyInstance, { feedback, keyring, json }: FeedbackRouteOptions): void {
  const caller = (request: FastifyRequest): Caller => keyring().authenticate(...credentials(request.headers))
  for (const prefix of ['/v1', '']) {
    app.route({
      method: 'POST',
      url: `${prefix}/feedback`,
      // Before the body is read.
      onRequest: (request, _reply, done) => {
        caller(request)
        done()
      },
      handler: (request, reply) => {
        const given = readFeedback(Buffer.isBuffer(request.body) ? parseJsonBody(request.body) : undefined)
        const kept = feedback.give(caller(request), given)
        if (kept !== undefined) return json(request, reply, 200, showFeedback(kept))
        const { kind, id } = given.subject
        throw new SwitchyardError(
          'not_found',
          `There is no ${kind} '${id.slice(0, 64)}' to speak of. It may be too old, or never have reached a model.`,
          { param: `${kind}_id` },
        )
      },
    })
  }
}
