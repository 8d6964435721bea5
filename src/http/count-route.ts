import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../gateway/steps.ts'
import { decodeCountRequest } from '../protocol/anthropic-messages/decode-request.ts'
import { parseJsonBody } from '../protocol/json.ts'
import { fieldNames } from './answer-headers.ts'
import { draining, notJson } from './error-reply.ts'
import type { Runtime } from './runtime.ts'

export interface CountRouteOptions {
  readonly runtime: () => Runtime
  readonly isDraining: () => boolean
  /** Throws `invalid_api_key`. */
  readonly caller: (request: FastifyRequest) => Caller
  readonly json: (request: FastifyRequest, reply: FastifyReply, status: number, body: unknown) => FastifyReply
}

/**
 * `POST …/messages/count_tokens`: the prompt's tokens at the model that would be asked first. Nothing is sent to a model and nothing
 * charged. `x-token-count` says who counted: the engine, a tokeniser of ours, or nobody (`bound`: more than this it cannot be).
 */
export function addCountRoute(app: FastifyInstance, path: string, options: CountRouteOptions): void {
  app.post(path, {
    onRequest: (request, _reply, done) => {
      // Before the body is read: a stranger must not make us buffer 32 MiB.
      options.caller(request)
      done()
    },
    handler: async (request, reply) => {
      if (options.isDraining()) throw draining()
      if (!Buffer.isBuffer(request.body)) throw notJson()
      const { textLimitBytes, passFields, countTokens } = options.runtime()
      const caller = options.caller(request)
      const count = decodeCountRequest(parseJsonBody(request.body), {
        bodyBytes: request.body.length,
        unknownFields: caller.unknownFields,
        passFields,
        textLimitBytes,
      })
      const left = new AbortController()
      reply.raw.once('close', () => left.abort())
      const { tokens, countedBy } = await countTokens(count, caller, left.signal)
      reply.header('x-token-count', countedBy)
      if (count.dropped.length > 0) reply.header('x-switchyard-dropped', fieldNames(count.dropped))
      return options.json(request, reply, 200, { input_tokens: tokens })
    },
  })
}
