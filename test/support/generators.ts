/** The generators of the bad-input vectors: large or deep bodies from a few words. */

export interface Generator {
  readonly fn: string
  readonly unit?: string
  readonly times?: number
  readonly prefix?: string
  readonly open?: string
  readonly close?: string
  readonly depth?: number
  readonly mid?: string
  readonly suffix?: string
  readonly path?: string
  readonly count?: number
  readonly value?: unknown
  readonly role?: string
  readonly content?: string
  readonly text?: string
  readonly bytes?: number
}

const MINIMAL = { model: 'auto', messages: [{ role: 'user', content: 'ping' }] }

/** The request body that a generator stands for. */
export function generateBody(gen: Generator): string {
  const { fn, count = 0, times = 0, depth = 0 } = gen
  switch (fn) {
    case 'repeat':
      return (gen.unit ?? '').repeat(times) + (gen.suffix ?? '')
    case 'wrap':
      return (
        (gen.prefix ?? '') +
        (gen.open ?? '').repeat(depth) +
        (gen.mid ?? '') +
        (gen.close ?? '').repeat(depth) +
        (gen.suffix ?? '')
      )
    case 'body_str':
      return withPath(gen.path ?? '', JSON.stringify((gen.unit ?? '').repeat(times)))
    case 'body_obj':
      return withPath(
        gen.path ?? '',
        JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i), gen.value]))),
      )
    case 'messages':
      return JSON.stringify({
        model: 'auto',
        messages: Array.from({ length: count }, () => ({ role: gen.role, content: gen.content })),
      })
    case 'parts':
      return JSON.stringify({
        model: 'auto',
        messages: [{ role: 'user', content: Array.from({ length: count }, () => ({ type: 'text', text: gen.text })) }],
      })
    case 'nest_schema':
      return withPath(
        gen.path ?? '',
        '{"type":"object","properties":{"a":'.repeat(depth) + '{"type":"string"}' + '}}'.repeat(depth),
      )
    case 'keys':
      return JSON.stringify({
        ...MINIMAL,
        ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1])),
      })
    case 'keys_array_index':
      return JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i), 1])))
    default:
      throw new Error(`Unknown generator ${fn}.`)
  }
}

const MARK = '"@@value@@"'

/** The minimal body with the value (given as JSON text) at a dotted path; text, because some values are too deep to stringify. */
function withPath(path: string, json: string): string {
  const body: Record<string, unknown> = structuredClone(MINIMAL)
  if (path.startsWith('tools.')) body['tools'] = [{ type: 'function', function: { name: 'f' } }]
  const keys = path.split('.')
  let at: Record<string, unknown> = body
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>
  at[keys.at(-1) as string] = '@@value@@'
  return JSON.stringify(body).replace(MARK, () => json)
}
