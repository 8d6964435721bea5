import type { HttpRoute } from './operations.ts'

/** Below which the operations' routes stand. */
export const ADMIN_PREFIX = '/v1/admin'

export interface RoutedRequest {
  readonly method: HttpRoute['method']
  readonly path: string
  /** JSON to send; undefined = no body. */
  readonly body: string | undefined
}

type Input = Readonly<Record<string, unknown>>

/** The HTTP request that carries an operation's input: what the path names goes there, the rest into the body, or the query where there is none. */
export function requestOf(route: HttpRoute, input: Input): RoutedRequest {
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined))
  const path = route.path.replaceAll(/:(\w+)/g, (_all, name: string) => {
    const value = String(rest.get(name) ?? '')
    rest.delete(name)
    return encodeURIComponent(value)
  })
  const at = ADMIN_PREFIX + path
  if (route.method === 'POST') return { method: 'POST', path: at, body: JSON.stringify(Object.fromEntries(rest)) }
  const query = new URLSearchParams(
    Object.fromEntries([...rest].map(([name, value]) => [name, String(value)])),
  ).toString()
  return { method: route.method, path: query === '' ? at : `${at}?${query}`, body: undefined }
}

/** The input that an HTTP request carries; a name of the path wins over the same name elsewhere. */
export function inputOf(params: Input, query: Input, body: unknown): unknown {
  if (body === undefined) return { ...query, ...params }
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body, ...params } : body
}
