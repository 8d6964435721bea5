import { SwitchyardError } from '../../shared/errors.ts'
import type { DecodeOptions, ResponseMemory } from '../dialect.ts'
import {
  boundedArray,
  missing,
  optionalBoolean,
  optionalEnum,
  optionalInteger,
  optionalNumber,
  optionalObject,
  optionalString,
  invalid,
  refuse,
  string,
  type Fields,
} from '../check.ts'
import type { TextMeter } from '../openai-chat/decode-messages.ts'
import { decodeOpenAiOnly } from '../openai-chat/decode-openai-only.ts'
import type { ChatRequest, OpenAiOnly, Sampling } from '../request.ts'
import { checkResponsesNames, wantsLogprobs } from './check-names.ts'
import { metered } from './decode-content.ts'
import { decodeInput, decodeItem, type FindItem } from './decode-items.ts'
import { decodeFormat, decodeToolChoice, decodeTools } from './decode-tools.ts'
import type { Item } from './item.ts'
import { itemBody } from './item-body.ts'
import { settingsOf } from './settings.ts'
import { toMessages } from './to-messages.ts'

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
const SUMMARIES = ['auto', 'concise', 'detailed'] as const
const DEFAULT_TEXT_LIMIT = 16 * 1024 * 1024
const MAX_FIELDS = 256
const MAX_OUTPUT_TOKENS = 1_000_000_000
const MAX_ID = 512

/**
 * Validates a body of `POST /v1/responses` and rebuilds it as a `ChatRequest`, the stored conversation before its input. Throws a
 * SwitchyardError with OpenAI's code and `param` for the first fault. Null counts as unset, except for `model` and `input`.
 */
export function decodeResponsesRequest(body: unknown, options: DecodeOptions): ChatRequest {
  const fields = body as Fields
  if (Object.keys(fields).length > MAX_FIELDS)
    throw new SwitchyardError('object_above_max_properties', `The body has more than ${MAX_FIELDS} top-level fields.`)
  if (fields['model'] === undefined) throw missing('model')
  const { dropped: unknown, passed } = checkResponsesNames(fields, options)
  const dropped = [...unknown]
  const model = string(fields['model'], 'model')
  const meter: TextMeter = { chars: 0 }
  const previousId = optionalString(fields, 'previous_response_id', MAX_ID)
  const past = previousId === undefined ? NO_PAST : recall(previousId, options.memory, meter)
  const reach = { bytes: past.bytes }
  const input = inputOf(fields, previousId, meter, options.memory, reach)
  const instructions = optionalString(fields, 'instructions')
  if (instructions !== undefined) metered(instructions, meter)
  if (meter.chars > (options.textLimitBytes ?? DEFAULT_TEXT_LIMIT)) {
    throw new SwitchyardError(
      'request_too_large',
      'The text of the conversation is longer than any model could take (`server.textLimitBytes`).',
    )
  }
  const messages = toMessages([...past.items, ...input])
  const tools = decodeTools(fields['tools'])
  const toolChoice = decodeToolChoice(fields['tool_choice'], tools)
  const parallelToolCalls = optionalBoolean(fields, 'parallel_tool_calls')
  const text = optionalObject(fields, 'text') ?? {}
  const format = decodeFormat(text['format'])
  const verbosity = nested(text, 'text', 'verbosity', ['low', 'medium', 'high'] as const)
  const hints = messages.some((each) => each.role === 'assistant' && each.phase !== undefined) ? ['input.phase'] : []
  const { effort, summary } = reasoningOf(fields, hints)
  const truncation = optionalEnum(fields, 'truncation', ['auto', 'disabled'] as const)
  if (truncation === 'auto') dropped.push('truncation')
  if (optionalObject(fields, 'image') !== undefined) dropped.push('image')
  const stream = optionalBoolean(fields, 'stream') ?? false
  checkStreamOptions(fields, stream)
  const maxOutputTokens = optionalInteger(fields, 'max_output_tokens', 1, MAX_OUTPUT_TOKENS)
  const maxToolCalls = optionalInteger(fields, 'max_tool_calls', 1, Number.MAX_SAFE_INTEGER)
  const topLogprobs = logprobsOf(fields)
  const wantsStore = optionalBoolean(fields, 'store') ?? true
  const only = openAiOnly(fields, verbosity)
  const request: ChatRequest = {
    model,
    messages: instructions === undefined ? messages : [{ role: 'system', content: instructions }, ...messages],
    tools,
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
    ...(format === undefined ? {} : { format }),
    ...(effort === undefined ? {} : { reasoningEffort: effort }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    n: 1,
    ...(topLogprobs === undefined ? {} : { topLogprobs }),
    sampling: samplingOf(fields),
    openai: only,
    passed,
    stream,
    includeUsage: stream,
    legacyFunctions: false,
    ...(hints.length === 0 ? {} : { hints }),
    dropped,
    bodyBytes: options.bodyBytes + reach.bytes,
  }
  const told = { instructions, maxToolCalls, previousId, summary, truncation }
  return {
    ...request,
    turn: {
      settings: settingsOf(request, told),
      items: (answerId) => input.map((item, index) => itemBody(item, `item_${answerId}_${index}`)),
      previousId,
      store: wantsStore && options.memory?.mayStore === true,
    },
  }
}

interface Past {
  readonly items: readonly Item[]
  readonly bytes: number
}
const NO_PAST: Past = { items: [], bytes: 0 }

function recall(id: string, memory: ResponseMemory | undefined, meter: TextMeter): Past {
  const found = memory?.conversation(id)
  if (found === undefined) {
    throw refuse(
      'previous_response_not_found',
      'previous_response_id',
      `Previous response with id '${id.slice(0, 64)}' not found. Responses are kept only with "store": true, under a key that allows it, for as long as the operator keeps them; otherwise send the whole conversation as input.`,
    )
  }
  const items = found.items.map((item) => decodeItem(item, 'previous_response_id', meter, () => undefined))
  return { items, bytes: found.bytes }
}

/** The input; it may be left out where a stored conversation goes on by itself. */
function inputOf(
  fields: Fields,
  previousId: string | undefined,
  meter: TextMeter,
  memory: ResponseMemory | undefined,
  reach: { bytes: number },
): readonly Item[] {
  if (fields['input'] === undefined) {
    if (previousId === undefined) throw missing('input')
    return []
  }
  const find: FindItem = (id) => {
    const found = memory?.item(id)
    // What comes from memory is part of the prompt, and of its bound.
    if (found !== undefined) reach.bytes += found.bytes
    return found?.item
  }
  return decodeInput(fields['input'], meter, find)
}

/** Only the Responses API of a provider writes summaries, so that the wish is a hint. The older name counts where the newer is not set. */
function reasoningOf(
  fields: Fields,
  hints: string[],
): { readonly effort: (typeof EFFORTS)[number] | undefined; readonly summary: string | undefined } {
  const reasoning = optionalObject(fields, 'reasoning') ?? {}
  const effort = nested(reasoning, 'reasoning', 'effort', EFFORTS)
  const summary = nested(reasoning, 'reasoning', 'summary', SUMMARIES)
  const older = nested(reasoning, 'reasoning', 'generate_summary', SUMMARIES)
  if (summary !== undefined) hints.push('reasoning.summary')
  else if (older !== undefined) hints.push('reasoning.generate_summary')
  return { effort, summary: summary ?? older }
}

function nested<Word extends string>(body: Fields, of: string, name: string, words: readonly Word[]): Word | undefined {
  const param = `${of}.${name}`
  return optionalEnum({ [param]: body[name] }, param, words)
}

function checkStreamOptions(fields: Fields, stream: boolean): void {
  const options = optionalObject(fields, 'stream_options')
  if (options === undefined) return
  optionalBoolean(options, 'include_obfuscation', 'stream_options.include_obfuscation')
  if (!stream) throw invalid('stream_options', "it is only allowed when 'stream' is true.")
}

function logprobsOf(fields: Fields): number | undefined {
  const top = optionalInteger(fields, 'top_logprobs', 0, 20)
  const include = fields['include'] ?? null
  const isWanted = include !== null && wantsLogprobs(boundedArray(include, 'include', 0, 64))
  return isWanted ? (top ?? 0) : top === 0 ? undefined : top
}

function samplingOf(fields: Fields): Sampling {
  const temperature = optionalNumber(fields, 'temperature', 0, 2)
  const topP = optionalNumber(fields, 'top_p', 0, 1)
  const topK = optionalInteger(fields, 'top_k', -1, 1_000_000)
  const minP = optionalNumber(fields, 'min_p', 0, 1)
  const repetitionPenalty = optionalNumber(fields, 'repetition_penalty', Number.MIN_VALUE, 10)
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(minP === undefined ? {} : { minP }),
    ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
  }
}

/** `store` is read here and concerns this service alone. */
function openAiOnly(fields: Fields, verbosity: OpenAiOnly['verbosity']): OpenAiOnly {
  const only = decodeOpenAiOnly({ ...fields, store: undefined, verbosity: undefined })
  return verbosity === undefined ? only : { ...only, verbosity }
}
