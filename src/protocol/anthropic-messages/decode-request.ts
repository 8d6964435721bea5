import { SwitchyardError } from '../../shared/errors.ts'
import { checkNames } from '../check-names.ts'
import {
  boundedArray,
  invalid,
  missing,
  optionalBoolean,
  optionalEnum,
  optionalInteger,
  optionalNumber,
  optionalObject,
  refuse,
  string,
  type Fields,
} from '../check.ts'
import type { DecodeOptions } from '../dialect.ts'
import type { ChatRequest, OpenAiOnly, Sampling } from '../request.ts'
import { decodeBetas } from './decode-betas.ts'
import { DecodeNotes } from './decode-notes.ts'
import { decodeOutput, decodeThinking } from './decode-output.ts'
import { decodeMessages } from './decode-messages.ts'
import { decodeSystem } from './decode-system.ts'
import { decodeToolChoice, decodeTools } from './decode-tools.ts'
import { MESSAGES_FIELD_ROWS, MESSAGES_FIELDS, OPENAI_FIELDS } from './fields.ts'
import { markLastBlock } from './mark-last-block.ts'
import { sessionOf } from './session-of.ts'

const DEFAULT_TEXT_LIMIT = 16 * 1024 * 1024
/** The API has about 30; each unknown one is compared with all known ones. */
const MAX_FIELDS = 256
const MAX_OUTPUT_TOKENS = 1_000_000_000
const MAX_STOPS = 64
/** Claude Code writes JSON of its device, account and session here. */
const MAX_USER_ID = 4096
const TASK_ID = /^[\x21-\x7e][\x20-\x7e]{0,255}$/

/**
 * Validates a body of `POST /v1/messages` (Anthropic API reference, version 2023-06-01) and rebuilds it as a `ChatRequest`. Throws a
 * SwitchyardError with the `param` of the first fault. Null counts as unset, except for `model`, `messages` and `max_tokens`.
 */
export function decodeMessagesRequest(body: unknown, options: DecodeOptions): ChatRequest {
  return decode(body as Fields, options, 'create')
}

/** The same for `POST /v1/messages/count_tokens`, whose body needs no `max_tokens`. */
export function decodeCountRequest(body: unknown, options: DecodeOptions): ChatRequest {
  return decode(body as Fields, options, 'count')
}

function decode(fields: Fields, options: DecodeOptions, what: 'create' | 'count'): ChatRequest {
  if (Object.keys(fields).length > MAX_FIELDS) {
    throw new SwitchyardError('object_above_max_properties', `The body has more than ${MAX_FIELDS} top-level fields.`)
  }
  for (const required of what === 'create' ? ['model', 'messages', 'max_tokens'] : ['model', 'messages'])
    if (fields[required] === undefined) throw missing(required)
  for (const name in fields) if (OPENAI_FIELDS.has(name) && options.passFields?.has(name) !== true) throw foreign(name)
  const { dropped, passed } = checkNames(fields, MESSAGES_FIELDS, options)
  const notes = new DecodeNotes(dropped)
  refuseOrDrop(fields, notes)
  const model = string(fields['model'], 'model')
  const maxOutputTokens = outputCap(fields, what)
  const system = decodeSystem(fields['system'], notes)
  const tools = decodeTools(fields['tools'], notes)
  const conversation = decodeMessages(fields['messages'], notes)
  const messages = system === undefined ? conversation : [system, ...conversation]
  if (notes.chars > (options.textLimitBytes ?? DEFAULT_TEXT_LIMIT)) {
    throw new SwitchyardError(
      'request_too_large',
      'The text of the messages is longer than any model could take (`server.textLimitBytes`).',
    )
  }
  const choice = decodeToolChoice(fields['tool_choice'], tools)
  const thinking = decodeThinking(fields['thinking'], notes)
  const output = decodeOutput(fields, notes)
  const stream = optionalBoolean(fields, 'stream') ?? false
  const { openai, taskId } = decodeMetadata(fields, notes)
  const betas = decodeBetas(options.betas)
  const marked = markLastBlock(messages, fields['cache_control'], notes)
  const hints = notes.hints()
  return {
    model,
    messages: marked,
    tools,
    ...choice,
    ...output,
    ...(thinking === undefined ? {} : { thinking }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    n: 1,
    sampling: sampling(fields),
    openai,
    passed,
    stream,
    includeUsage: true,
    legacyFunctions: false,
    ...(betas.length === 0 ? {} : { betas }),
    ...(taskId === undefined ? {} : { taskId }),
    ...(hints.length === 0 ? {} : { hints }),
    dropped: notes.dropped(),
    bodyBytes: options.bodyBytes + notes.growth(marked, tools),
  }
}

function foreign(name: string): SwitchyardError {
  return refuse(
    'unknown_parameter',
    name,
    `Unknown parameter: '${name}'. It belongs to POST /v1/chat/completions; this is the Messages API.`,
  )
}

/** What the table alone decides. */
function refuseOrDrop(fields: Fields, notes: DecodeNotes): void {
  for (const { field, fate, note } of MESSAGES_FIELD_ROWS) {
    const value = fields[field]
    if (value === undefined || value === null) continue
    if (fate === 'drop') notes.drop(field)
    const isNothing = Array.isArray(value) && value.length === 0
    if (fate === 'refuse' && !isNothing) {
      throw refuse('unsupported_parameter', field, `'${field}' is not supported by this gateway: it ${because(note)}.`)
    }
  }
}

/** A note as the end of a sentence. */
function because(note = 'has no equivalent'): string {
  const first = note.split(';', 1)[0] as string
  return /^(?:a|another|state|the)\b/.test(first) ? `is ${first}` : first
}

function outputCap(fields: Fields, what: 'create' | 'count'): number | undefined {
  const cap = optionalInteger(fields, 'max_tokens', 1, MAX_OUTPUT_TOKENS)
  if (cap === undefined && what === 'create') throw invalid('max_tokens', 'a whole number is needed, not null.')
  return cap
}

function sampling(fields: Fields): Sampling {
  const temperature = optionalNumber(fields, 'temperature', 0, 1)
  const topP = optionalNumber(fields, 'top_p', 0, 1)
  const topK = optionalInteger(fields, 'top_k', 0, 1_000_000)
  const stop = stops(fields['stop_sequences'])
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(stop === undefined ? {} : { stop }),
  }
}

function stops(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const words = boundedArray(value, 'stop_sequences', 0, MAX_STOPS)
    .map((each, index) => string(each, `stop_sequences[${index}]`))
    // An empty stop string ends or loops some engines; it stops nothing, so nothing is lost without it.
    .filter((each) => each !== '')
  return words.length === 0 ? undefined : words
}

/** Who uses the service, at which tier, and for which task. */
function decodeMetadata(
  fields: Fields,
  notes: DecodeNotes,
): { readonly openai: OpenAiOnly; readonly taskId: string | undefined } {
  const tier = optionalEnum(fields, 'service_tier', ['auto', 'standard_only'] as const)
  const metadata = optionalObject(fields, 'metadata') ?? {}
  for (const name of Object.keys(metadata)) if (name !== 'user_id' && name !== 'task_id') notes.drop('metadata', name)
  const named = (name: string, most: number): string | undefined => {
    const value = metadata[name]
    return value === undefined || value === null ? undefined : string(value, `metadata.${name}`, most)
  }
  const user = named('user_id', MAX_USER_ID)
  const task = named('task_id', 256)
  if (task !== undefined && !TASK_ID.test(task))
    throw invalid('metadata.task_id', 'expected 1 to 256 printable ASCII characters.')
  return {
    openai: {
      ...(user === undefined ? {} : { user }),
      ...(tier === undefined ? {} : { service_tier: tier === 'auto' ? 'auto' : 'default' }),
    },
    taskId: task ?? sessionOf(user),
  }
}
