import type { IncomingHttpHeaders } from 'node:http'

/** The two places where a key may stand. */
export function credentials(
  headers: IncomingHttpHeaders,
): [authorization: string | undefined, apiKey: string | undefined] {
  const apiKey = headers['x-api-key']
  return [headers.authorization, typeof apiKey === 'string' ? apiKey : undefined]
}
