import type { Json, JsonObject, OutputFormat } from '../../protocol/request.ts'
import { describedSchema } from '../described-schema.ts'
import type { Block } from './encode-messages.ts'
import { unsupported } from './unsupported.ts'

/** What `json_object` becomes: the API has no word for any JSON. Shorter than `response_format` in the body that it stands for. */
const ANY_JSON = 'Answer with one JSON object, nothing else.'
/** Bounds that constrained decoding there does not know (structured outputs guide, "JSON Schema limitations"). */
const BOUNDS: readonly string[] = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'maxItems',
  'uniqueItems',
]
/** Keywords whose value holds schemas by name, or a list of them, or one. */
const MAPS: readonly string[] = ['properties', '$defs', 'definitions']
const LISTS: readonly string[] = ['anyOf', 'allOf', 'oneOf', 'prefixItems']
/** Characters of a path inside of a schema that an error shows. */
const MAX_PATH = 200

export interface EncodedFormat {
  /** `output_config.format`. */
  readonly format?: Block
  /** A sentence for `system`. */
  readonly instruction?: string
}

/**
 * A JSON format by Anthropic's structured outputs, which write it as text, go together with tools and thinking and stream as any
 * text does; a forced tool does none of that.
 */
export function encodeFormat(
  format: OutputFormat | undefined,
  hasFormat: boolean,
  dropped: Set<string>,
): EncodedFormat {
  switch (format?.type) {
    case undefined:
    case 'text':
      return {}
    case 'json_object':
      return { instruction: ANY_JSON }
    case 'json_schema': {
      if (!hasFormat)
        throw unsupported(
          'response_format',
          'Structured outputs begin with Claude 4.5; ask a newer model, or use a tool.',
        )
      const schema = describedSchema(format, dropped)
      if (schema === undefined) return { instruction: ANY_JSON }
      return { format: { type: 'json_schema', schema: narrowed(schema, 'schema', dropped) } }
    }
    default:
      return format satisfies never
  }
}

/** The schema as the API takes it: objects are closed (a narrowing), bounds that it does not know become part of the description. */
function narrowed(schema: JsonObject, at: string, dropped: Set<string>): JsonObject {
  const out: Record<string, Json> = {}
  const bounds: string[] = []
  for (const [key, value] of Object.entries(schema)) {
    if (BOUNDS.includes(key) || (key === 'minItems' && Number(value) > 1)) {
      bounds.push(`${key}: ${JSON.stringify(value)}`)
      dropped.add(`response_format.${key}`)
    } else if (MAPS.includes(key) && isObject(value))
      out[key] = Object.fromEntries(
        Object.entries(value).map(([name, each]) => [name, inner(each, `${at}.${key}.${name}`, dropped)]),
      )
    else if (LISTS.includes(key) && Array.isArray(value))
      out[key] = value.map((each, index) => inner(each as Json, `${at}.${key}[${index}]`, dropped))
    else out[key] = key === 'items' ? inner(value, `${at}.items`, dropped) : value
  }
  if (isOfObjects(schema)) {
    checkClosable(schema, at)
    out['additionalProperties'] = false
  }
  if (bounds.length > 0)
    out['description'] = [schema['description'], `{${bounds.join(', ')}}`]
      .filter((each) => each !== undefined)
      .join(' ')
  return out
}

function inner(value: Json, at: string, dropped: Set<string>): Json {
  return isObject(value) ? narrowed(value, at, dropped) : value
}

function isOfObjects({ type, properties }: JsonObject): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || properties !== undefined
}

/** An object of free keys cannot be closed: nothing but `{}` would be left of it. */
function checkClosable({ additionalProperties: rest, properties }: JsonObject, at: string): void {
  if (rest === false) return
  const hasNames = isObject(properties ?? null) && Object.keys(properties as JsonObject).length > 0
  if (hasNames && rest === undefined) return
  throw unsupported(
    'response_format',
    `Its objects hold named properties alone, and '${at.slice(0, MAX_PATH)}' leaves its names open. List them in 'properties' with "additionalProperties": false, or take an array of objects with a name and a value.`,
  )
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
