import type { IncomingHttpHeaders } from 'node:http'

/** Headers of every answer: the request's id, and CORS for the origins that the operator listed (Fetch standard, section 3.3). */
export function baseHeaders(
  id: string,
  headers: IncomingHttpHeaders,
  allowedOrigins: ReadonlySet<string>,
): Record<string, string> {
  const { origin } = headers
  if (origin === undefined || !allowedOrigins.has(origin)) return { 'x-request-id': id }
  return {
    'x-request-id': id,
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    'access-control-allow-headers': headers['access-control-request-headers'] ?? 'authorization, content-type',
    'access-control-expose-headers': 'x-request-id, x-route, x-route-upstream, x-route-reason, x-cache, x-cost-usd',
    vary: 'origin',
  }
}
