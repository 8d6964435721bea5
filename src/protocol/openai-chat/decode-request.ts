import { SwitchyardError } from '../../shared/errors.ts'
import { checkNames } from '../check-names.ts'
import type { DecodeOptions } from '../dialect.ts'
import type { ChatRequest, Sampling } from '../request.ts'
import {
  boundedArray,
  invalid,
  missing,
  object,
  optionalBoolean,
  optionalEnum,
  optionalInteger,
  optionalNumber,
  optionalObject,
  refuse,
  string,
  wrongType,
  type Fields,
} from '../check.ts'
import { decodeMessages, type TextMeter } from './decode-messages.ts'
import { decodeFormat, decodeFunctionCall, decodeFunctions, decodeToolChoice, decodeTools } from './decode-tools.ts'
import { decodeOpenAiOnly } from './decode-openai-only.ts'
import { KNOWN_FIELDS } from './known-fields.ts'

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
const DEFAULT_TEXT_LIMIT = 16 * 1024 * 1024
/** The API has 37; each unknown one is compared with all known ones. */
const MAX_FIELDS = 256
const MAX_CHOICES = 128
/** More output than this fits no model; kept far below what a price could overflow with 128 choices. */
const MAX_OUTPUT_TOKENS = 1_000_000_000
/** Beyond 2^53 a seed would be sent as another number than was meant. */
const MAX_SEED = Number.MAX_SAFE_INTEGER
const MAX_STOPS = 4
const MAX_BIASES = 300

/**
 * Validates a body of `POST /v1/chat/completions` (OpenAI API reference, spec 2.3.0: 37 fields) and rebuilds it as a `ChatRequest`.
 * Throws a SwitchyardError with OpenAI's code and `param` for the first fault. Null counts as unset, except for `model` and `messages`.
 */
export function decodeChatRequest(body: unknown, options: DecodeOptions): ChatRequest {
  const fields = body as Fields
  if (Object.keys(fields).length > MAX_FIELDS) {
    throw new SwitchyardError('object_above_max_properties', `The body has more than ${MAX_FIELDS} top-level fields.`)
  }
  // Before the names: who wrote "Model" should hear what is missing.
  for (const required of ['model', 'messages']) if (fields[required] === undefined) throw missing(required)
  const { dropped, passed } = checkNames(fields, KNOWN_FIELDS, options)
  const model = string(fields['model'], 'model')
  const meter: TextMeter = { chars: 0 }
  const messages = decodeMessages(fields['messages'], meter)
  if (meter.chars > (options.textLimitBytes ?? DEFAULT_TEXT_LIMIT)) {
    throw new SwitchyardError(
      'request_too_large',
      'The text of the messages is longer than any model could take (`server.textLimitBytes`).',
    )
  }
  const functions = decodeFunctions(fields['functions'])
  const declared = decodeTools(fields['tools'])
  const tools = declared.length > 0 ? declared : functions
  const legacyChoice = decodeFunctionCall(fields['function_call'], functions)
  const toolChoice = decodeToolChoice(fields['tool_choice'], tools) ?? (declared.length > 0 ? undefined : legacyChoice)
  const parallelToolCalls = optionalBoolean(fields, 'parallel_tool_calls')
  const format = decodeFormat(fields['response_format'])
  const stream = optionalBoolean(fields, 'stream') ?? false
  const n = optionalInteger(fields, 'n', 1, MAX_CHOICES) ?? 1
  const maxOutputTokens = outputCap(fields)
  const topLogprobs = logprobs(fields)
  const reasoningEffort = optionalEnum(fields, 'reasoning_effort', EFFORTS)
  return {
    model,
    messages,
    tools,
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
    ...(format === undefined ? {} : { format }),
    ...(reasoningEffort === undefined ? {} : { reasoningEffort }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    n,
    ...(topLogprobs === undefined ? {} : { topLogprobs }),
    sampling: sampling(fields),
    openai: decodeOpenAiOnly(fields),
    passed,
    stream,
    includeUsage: streamOptions(fields, stream),
    legacyFunctions: declared.length === 0 && functions.length > 0,
    dropped,
    bodyBytes: options.bodyBytes,
  }
}

/** The larger of both caps, should a caller send both: what is reserved must cover what may be generated. */
function outputCap(fields: Fields): number | undefined {
  const older = optionalInteger(fields, 'max_tokens', 1, MAX_OUTPUT_TOKENS)
  const newer = optionalInteger(fields, 'max_completion_tokens', 1, MAX_OUTPUT_TOKENS)
  return older === undefined || newer === undefined ? (newer ?? older) : Math.max(older, newer)
}

function logprobs(fields: Fields): number | undefined {
  const wanted = optionalBoolean(fields, 'logprobs') ?? false
  const top = optionalInteger(fields, 'top_logprobs', 0, 20)
  if (top !== undefined && !wanted) throw invalid('top_logprobs', "it needs 'logprobs' to be true.")
  return wanted ? (top ?? 0) : undefined
}

function sampling(fields: Fields): Sampling {
  const temperature = optionalNumber(fields, 'temperature', 0, 2)
  const topP = optionalNumber(fields, 'top_p', 0, 1)
  const frequencyPenalty = optionalNumber(fields, 'frequency_penalty', -2, 2)
  const presencePenalty = optionalNumber(fields, 'presence_penalty', -2, 2)
  const seed = optionalInteger(fields, 'seed', -MAX_SEED, MAX_SEED)
  const stop = stops(fields['stop'])
  const logitBias = biases(fields['logit_bias'])
  // Ranges as in vLLM 0.32's sampling parameters; -1 and 0 both mean "all tokens" there.
  const topK = optionalInteger(fields, 'top_k', -1, 1_000_000)
  const minP = optionalNumber(fields, 'min_p', 0, 1)
  const repetitionPenalty = optionalNumber(fields, 'repetition_penalty', Number.MIN_VALUE, 10)
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(frequencyPenalty === undefined ? {} : { frequencyPenalty }),
    ...(presencePenalty === undefined ? {} : { presencePenalty }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined ? {} : { stop }),
    ...(logitBias === undefined ? {} : { logitBias }),
    ...(topK === undefined ? {} : { topK }),
    ...(minP === undefined ? {} : { minP }),
    ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
  }
}

function stops(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' && !Array.isArray(value))
    throw wrongType('stop', 'a string or an array of strings', value)
  const list = typeof value === 'string' ? [value] : boundedArray(value, 'stop', 0, MAX_STOPS)
  // An empty stop string ends or loops some engines; it stops nothing, so nothing is lost without it.
  const words = list.map((each, index) => string(each, `stop[${index}]`)).filter((each) => each !== '')
  return words.length === 0 ? undefined : words
}

function biases(value: unknown): Readonly<Record<string, number>> | undefined {
  if (value === undefined || value === null) return undefined
  const entries = Object.entries(object(value, 'logit_bias'))
  if (entries.length > MAX_BIASES) {
    throw refuse(
      'object_above_max_properties',
      'logit_bias',
      `Invalid 'logit_bias': too many entries. At most ${MAX_BIASES} are accepted.`,
    )
  }
  const checked: Record<string, number> = {}
  for (const [token, bias] of entries) {
    if (!/^\d{1,9}$/.test(token)) throw invalid('logit_bias', 'its keys must be token ids.')
    const found = optionalNumber({ bias }, 'bias', -Infinity, Infinity)
    if (found === undefined) throw wrongType(`logit_bias.${token}`, 'a decimal', bias)
    if (found < -100 || found > 100) throw invalid(`logit_bias.${token}`, 'a bias must be from -100 to 100.')
    checked[token] = found
  }
  return entries.length === 0 ? undefined : checked
}

function streamOptions(fields: Fields, stream: boolean): boolean {
  const options = optionalObject(fields, 'stream_options')
  if (options === undefined) return false
  const includeUsage = optionalBoolean(options, 'include_usage', 'stream_options.include_usage') ?? false
  optionalBoolean(options, 'include_obfuscation', 'stream_options.include_obfuscation')
  if (!stream) throw invalid('stream_options', "it is only allowed when 'stream' is true.")
  return includeUsage
}
