import type { FastifyRequest } from 'fastify'

/** The two places where a key may stand. */
export function credentials(request: FastifyRequest): [authorization: string | undefined, apiKey: string | undefined] {
  const apiKey = request.headers['x-api-key']
  return [request.headers.authorization, typeof apiKey === 'string' ? apiKey : undefined]
}
