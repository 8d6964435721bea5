/** Makes a value that a JSON Schema accepts, for structured outputs and tool arguments. */
type Schema = Readonly<Record<string, unknown>>

const MAX_DEPTH = 8

/** A plausible value for `schema`; `words` colours its strings. Follows local references. */
export function valueFor(
  schema: unknown,
  random: () => number,
  words: readonly string[],
  root: unknown = schema,
  depth = 0,
): unknown {
  if (!isSchema(schema) || depth > MAX_DEPTH) return null
  if (typeof schema['$ref'] === 'string') return valueFor(resolve(schema['$ref'], root), random, words, root, depth + 1)
  if ('const' in schema) return schema['const']
  if (Array.isArray(schema['enum']) && schema['enum'].length > 0) return pick(schema['enum'], random)
  for (const key of ['anyOf', 'oneOf']) {
    const list = schema[key]
    if (Array.isArray(list) && list.length > 0) return valueFor(list[0], random, words, root, depth + 1)
  }
  const all = schema['allOf']
  if (Array.isArray(all)) {
    return valueFor(
      { ...Object.assign({}, ...all.filter(isSchema)), ...schema, allOf: undefined },
      random,
      words,
      root,
      depth + 1,
    )
  }
  const type = Array.isArray(schema['type'])
    ? schema['type'][0]
    : (schema['type'] ?? (isSchema(schema['properties']) ? 'object' : 'string'))
  switch (type) {
    case 'object':
      return objectFor(schema, random, words, root, depth)
    case 'array':
      return Array.from({ length: Math.max(number(schema['minItems'], 1), 0) }, () =>
        valueFor(schema['items'] ?? {}, random, words, root, depth + 1),
      )
    case 'integer':
      return Math.ceil(numberFor(schema, random, 1))
    case 'number':
      return numberFor(schema, random, 0.5)
    case 'boolean':
      return random() < 0.5
    case 'null':
      return null
    default:
      return stringFor(schema, random, words)
  }
}

function objectFor(
  schema: Schema,
  random: () => number,
  words: readonly string[],
  root: unknown,
  depth: number,
): unknown {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : []
  const value: Record<string, unknown> = {}
  for (const name of Object.keys(properties)) {
    if (required.includes(name) || (required.length === 0 && depth < 2))
      value[name] = valueFor(properties[name], random, words, root, depth + 1)
  }
  for (const name of required) if (!(name in value)) value[name] = valueFor({}, random, words, root, depth + 1)
  return value
}

function numberFor(schema: Schema, random: () => number, step: number): number {
  const least = number(schema['minimum'], number(schema['exclusiveMinimum'], Number.NaN) + step)
  const most = number(schema['maximum'], number(schema['exclusiveMaximum'], Number.NaN) - step)
  const from = Number.isNaN(least) ? (Number.isNaN(most) ? 1 : Math.min(1, most)) : least
  const to = Number.isNaN(most) ? from + 100 : most
  const multiple = number(schema['multipleOf'], 0)
  const value = from + Math.floor(random() * Math.max(0, Math.min(to - from, 100)))
  return multiple > 0 ? Math.ceil(value / multiple) * multiple : value
}

function stringFor(schema: Schema, random: () => number, words: readonly string[]): string {
  switch (schema['format']) {
    case 'date':
      return '2026-01-15'
    case 'date-time':
      return '2026-01-15T12:00:00Z'
    case 'email':
      return 'someone@example.org'
    case 'uri':
      return 'https://example.org/'
    case 'uuid':
      return '00000000-0000-4000-8000-000000000000'
    default: {
      const text = words.length === 0 ? 'example' : pick(words, random)
      const padded = text.padEnd(number(schema['minLength'], 0), 'x')
      return padded.slice(0, number(schema['maxLength'], padded.length))
    }
  }
}

function resolve(ref: string, root: unknown): unknown {
  let at: unknown = root
  for (const key of ref.replace(/^#\/?/, '').split('/').filter(Boolean))
    at = isSchema(at) ? at[key.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  return at
}

function number(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function pick<Item>(list: readonly Item[], random: () => number): Item {
  return list[Math.floor(random() * list.length)] as Item
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
