import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ADMIN_PREFIX, inputOf } from '../control/http-route.ts'
import type { Operations } from '../control/operations.ts'
import { parseJsonBody } from '../protocol/json.ts'
import { credentials } from './credentials.ts'
import type { Keyring } from './keyring.ts'

export interface AdminRouteOptions {
  readonly operations: Operations
  readonly keyring: () => Keyring
  readonly json: (request: FastifyRequest, reply: FastifyReply, status: number, body: unknown) => FastifyReply
}

/**
 * The operations of the control socket for whoever holds the admin key, on loopback too: where callers need no key, that is no reason
 * to let them make some. Thrown errors are answered by the server's error handler.
 */
export function addAdminRoutes(app: FastifyInstance, options: AdminRouteOptions): void {
  for (const { name, http } of options.operations.all) {
    app.route<{ Params: Record<string, string>; Querystring: Record<string, unknown> }>({
      method: http.method,
      url: ADMIN_PREFIX + http.path,
      // Before the body is read.
      onRequest: (request, _reply, done) => {
        options.keyring().requireAdmin(...credentials(request.headers))
        done()
      },
      handler: async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? parseJsonBody(request.body) : undefined
        const result = await options.operations.call(name, inputOf(request.params, request.query, body))
        // A new key stands in it, once.
        return options.json(request, reply.header('cache-control', 'no-store'), 200, result)
      },
    })
  }
}
