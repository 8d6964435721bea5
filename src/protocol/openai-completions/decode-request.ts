import type { DecodeOptions } from '../dialect.ts'
import { invalid, missing, optionalBoolean, optionalInteger, refuse, wrongType, type Fields } from '../check.ts'
import { decodeChatRequest } from '../openai-chat/decode-request.ts'
import { BODY_FIELDS } from '../openai-chat/known-fields.ts'
import type { ChatRequest } from '../request.ts'

/** Fields that mean the same here and in the chat API (OpenAI API reference, create completion); `metadata` may carry the task. */
const SHARED: ReadonlySet<string> = new Set([
  'model',
  'frequency_penalty',
  'logit_bias',
  'max_tokens',
  'metadata',
  'n',
  'presence_penalty',
  'seed',
  'stop',
  'stream',
  'stream_options',
  'temperature',
  'top_p',
  'user',
])
/** Checked here and not handed on. */
const OWN: ReadonlySet<string> = new Set(['prompt', 'best_of', 'echo', 'logprobs', 'suffix'])
/** What the API generates where the caller does not say. */
const DEFAULT_MAX_TOKENS = 16

/**
 * Validates a body of `POST /v1/completions` and rebuilds it as a request whose `prompt` goes to the model as it is. The prompt is also
 * its one user message, so that routing and bounds see the same text.
 */
export function decodeCompletionRequest(body: unknown, options: DecodeOptions): ChatRequest {
  const fields = body as Fields
  for (const required of ['model', 'prompt']) if (fields[required] === undefined) throw missing(required)
  const prompt = promptOf(fields['prompt'])
  refuseUnsupported(fields)
  const rest: Record<string, unknown> = {}
  for (const name of Object.keys(fields)) {
    if (OWN.has(name)) continue
    if (BODY_FIELDS.includes(name) && !SHARED.has(name)) {
      throw refuse(
        'unknown_parameter',
        name,
        `Unknown parameter: '${name}'. /v1/completions continues a raw prompt; send messages to /v1/chat/completions.`,
      )
    }
    // Defined, not assigned: a key "__proto__" must arrive at the check of names like any other.
    Object.defineProperty(rest, name, { value: fields[name], enumerable: true })
  }
  const request = decodeChatRequest({ ...rest, messages: [{ role: 'user', content: prompt }] }, options)
  return { ...request, prompt, maxOutputTokens: request.maxOutputTokens ?? DEFAULT_MAX_TOKENS }
}

/** One text. Several would be several answers with one bill; tokens are those of one model, which the router may not choose. */
function promptOf(value: unknown): string {
  const [only, ...others] = Array.isArray(value) ? (value as readonly unknown[]) : [value]
  if (others.length > 0 && typeof only === 'string')
    throw invalid('prompt', 'one prompt a request is accepted. Send one request for each.')
  if (typeof only === 'number' || Array.isArray(only))
    throw invalid('prompt', 'token ids are not accepted, since they mean another text to each model. Send the text.')
  if (typeof only !== 'string') throw wrongType('prompt', 'a string', value)
  if (only === '') throw invalid('prompt', 'it must not be empty.')
  return only
}

/** What would need more answers than are paid for, or another shape of answer than all engines give. */
function refuseUnsupported(fields: Fields): void {
  if (optionalBoolean(fields, 'echo') === true)
    throw refuse('unsupported_parameter', 'echo', "'echo' is not supported: put the prompt before the answer yourself.")
  const n = optionalInteger(fields, 'n', 1, 128) ?? 1
  const bestOf = optionalInteger(fields, 'best_of', 1, 128) ?? n
  if (bestOf !== n) {
    throw refuse(
      'unsupported_parameter',
      'best_of',
      "'best_of' is only accepted where it equals 'n': answers that nobody sees would be paid for.",
    )
  }
  if ((fields['suffix'] ?? null) !== null && fields['suffix'] !== '')
    throw refuse(
      'unsupported_parameter',
      'suffix',
      "'suffix' is not supported: engines ignore it or need a template of their own.",
    )
  if ((fields['logprobs'] ?? null) !== null) {
    throw refuse(
      'unsupported_parameter',
      'logprobs',
      "'logprobs' is not supported on /v1/completions. Use /v1/chat/completions with 'logprobs': true.",
    )
  }
}
