import type { IncomingHttpHeaders } from 'node:http'

/** What a page's script may read of an answer besides its body: every header of ours. */
const EXPOSED = [
  'x-request-id',
  'request-id',
  'x-route',
  'x-route-upstream',
  'x-route-reason',
  'x-route-intent',
  'x-cache',
  'x-cache-entry',
  'x-cost-saved-usd',
  'age',
  'x-attempts',
  'x-escalation-reason',
  'x-cost-usd',
  'x-task-id',
  'x-task-cost-usd',
  'x-task-remaining-usd',
  'x-simulated',
  'x-token-count',
  'x-switchyard-max-tokens',
  'x-switchyard-dropped',
  'x-switchyard-redacted',
  'x-switchyard-suspicion',
  'x-should-retry',
  'retry-after',
  'retry-after-ms',
  ...['requests', 'tokens'].flatMap((of) =>
    ['limit', 'remaining', 'reset'].flatMap((what) => [
      `x-ratelimit-${what}-${of}`,
      `anthropic-ratelimit-${of}-${what}`,
    ]),
  ),
].join(', ')

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
    'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
    'access-control-allow-headers': headers['access-control-request-headers'] ?? 'authorization, content-type',
    'access-control-expose-headers': EXPOSED,
    vary: 'origin',
  }
}
