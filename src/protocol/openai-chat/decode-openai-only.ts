/** Fields of the body that only OpenAI itself gives a meaning to: rebuilt name by name, as everything that is sent on. */
import type { Json, JsonObject, OpenAiOnly } from '../request.ts'
import {
  boundedArray,
  missing,
  object,
  optionalBoolean,
  optionalEnum,
  optionalObject,
  optionalString,
  refuse,
  string,
  tooLong,
  word,
  wrongType,
  type Fields,
} from '../check.ts'

const SERVICE_TIERS = ['auto', 'default', 'flex', 'scale', 'priority'] as const
const RETENTIONS = ['in-memory', 'in_memory', '24h'] as const
const MAX_METADATA = 16
/** Longest text in one of the small objects below; names and places. */
const MAX_TEXT = 1024
const MAX_PREDICTED_PARTS = 1024

type Shape = { readonly [name: string]: 'text' | { readonly shape: Shape; readonly orText?: boolean } }
/** What OpenAI's API reference (spec 2.3.0) and openai-node 7.57 know inside of these objects; other names are left out. */
const SHAPES = {
  audio: { format: 'text', voice: { shape: { id: 'text' }, orText: true } },
  moderation: {
    model: 'text',
    policy: { shape: { input: { shape: { mode: 'text' } }, output: { shape: { mode: 'text' } } } },
  },
  prompt_cache_options: { mode: 'text', ttl: 'text' },
  web_search_options: {
    search_context_size: 'text',
    user_location: {
      shape: {
        type: 'text',
        approximate: { shape: { city: 'text', country: 'text', region: 'text', timezone: 'text' } },
      },
    },
  },
} as const satisfies Readonly<Record<string, Shape>>

/** Fields that only OpenAI itself gives a meaning to: checked here, judged per target by the encoder. */
export function decodeOpenAiOnly(fields: Fields): OpenAiOnly {
  const only: { -readonly [Name in keyof OpenAiOnly]: OpenAiOnly[Name] } = {}
  const set = <Name extends keyof OpenAiOnly>(name: Name, value: OpenAiOnly[Name] | undefined): void => {
    if (value !== undefined) only[name] = value
  }
  const shaped = (name: keyof typeof SHAPES): JsonObject | undefined => {
    const value = optionalObject(fields, name)
    return value === undefined ? undefined : picked(value, SHAPES[name], name)
  }
  const audio = shaped('audio')
  const modalities = modalitiesOf(fields, audio !== undefined)
  set('audio', audio)
  set('modalities', modalities)
  set('metadata', metadataOf(fields))
  set('moderation', shaped('moderation'))
  set('prediction', predictionOf(fields))
  set('prompt_cache_key', optionalString(fields, 'prompt_cache_key', 1024))
  set('prompt_cache_options', shaped('prompt_cache_options'))
  set('prompt_cache_retention', optionalEnum(fields, 'prompt_cache_retention', RETENTIONS))
  set('safety_identifier', optionalString(fields, 'safety_identifier', 512))
  set('service_tier', optionalEnum(fields, 'service_tier', SERVICE_TIERS))
  set('store', optionalBoolean(fields, 'store'))
  set('user', optionalString(fields, 'user', 4096))
  set('verbosity', optionalEnum(fields, 'verbosity', ['low', 'medium', 'high'] as const))
  set('web_search_options', shaped('web_search_options'))
  return only
}

/** The known part of an object, rebuilt. Throws where a text is none. */
function picked(value: Fields, shape: Shape, at: string): JsonObject {
  const kept: Record<string, Json> = {}
  for (const name of Object.keys(shape)) {
    const inner = value[name]
    const inside = shape[name]
    if (inner === undefined || inside === undefined) continue
    if (inner === null) kept[name] = null
    else if (inside === 'text') kept[name] = string(inner, `${at}.${name}`, MAX_TEXT)
    else if (typeof inner === 'string' && inside.orText === true) kept[name] = string(inner, `${at}.${name}`, MAX_TEXT)
    else kept[name] = picked(object(inner, `${at}.${name}`), inside.shape, `${at}.${name}`)
  }
  return kept
}

function modalitiesOf(fields: Fields, hasAudio: boolean): readonly ('text' | 'audio')[] | undefined {
  const value = fields['modalities']
  if (value === undefined || value === null) return undefined
  const list = boundedArray(value, 'modalities', 0, 8).map((each, index) =>
    word(each, `modalities[${index}]`, ['text', 'audio'] as const),
  )
  if (list.includes('audio') && !hasAudio) throw missing('audio')
  return list.length === 0 ? undefined : list
}

function metadataOf(fields: Fields): Readonly<Record<string, string>> | undefined {
  const raw = optionalObject(fields, 'metadata')
  if (raw === undefined) return undefined
  const entries = Object.entries(raw)
  if (entries.length > MAX_METADATA) {
    throw refuse(
      'object_above_max_properties',
      'metadata',
      `Invalid 'metadata': too many properties. Expected at most ${MAX_METADATA}.`,
    )
  }
  const checked: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [key, value] of entries) {
    if (key.length > 64) throw tooLong('metadata', 64, key.length)
    checked[key] = string(value, `metadata.${key}`, 512)
  }
  return checked
}

function predictionOf(fields: Fields): JsonObject | undefined {
  const raw = optionalObject(fields, 'prediction')
  if (raw === undefined) return undefined
  word(raw['type'], 'prediction.type', ['content'] as const)
  const { content } = raw as { content?: unknown }
  const at = 'prediction.content'
  if (content === undefined) throw missing(at)
  if (typeof content === 'string') return { type: 'content', content }
  if (!Array.isArray(content)) throw wrongType(at, 'a string or an array', content)
  const parts = boundedArray(content, at, 1, MAX_PREDICTED_PARTS).map((part, index) => {
    const where = `${at}[${index}]`
    const { type, text } = object(part, where) as { type?: unknown; text?: unknown }
    return { type: word(type, `${where}.type`, ['text'] as const), text: string(text, `${where}.text`) }
  })
  return { type: 'content', content: parts }
}
