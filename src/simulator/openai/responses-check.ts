/** What the Responses API refuses, in its own words as its users report them. */
import { isSignature } from '../signature.ts'
import { Refusal } from '../wire.ts'
import type { InputItem, ResponsesBody } from './responses-body.ts'

const FIELDS: ReadonlySet<string> = new Set([
  'background',
  'context_management',
  'conversation',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'model',
  'moderation',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
])
/** Fields of chat completions that have another place here. */
const MOVED: Readonly<Record<string, string>> = {
  messages: 'input',
  response_format: 'text.format',
  max_tokens: 'max_output_tokens',
  max_completion_tokens: 'max_output_tokens',
  reasoning_effort: 'reasoning.effort',
  verbosity: 'text.verbosity',
}
const LEAST_OUTPUT = 16
/** Models that do not think (model pages). */
const PLAIN = /^(?:gpt-3|gpt-4|chatgpt-4)/

/** Throws Refusal. */
export function checkResponses(body: ResponsesBody, models: readonly string[]): void {
  const { model, input, max_output_tokens: cap, reasoning, include } = body
  for (const name of Object.keys(body)) {
    const place = MOVED[name]
    if (place !== undefined)
      bad(
        `Unsupported parameter: '${name}'. In the Responses API, this parameter has moved to '${place}'.`,
        'unsupported_parameter',
      )
    if (!FIELDS.has(name)) bad(`Unknown parameter: '${name}'.`, 'unknown_parameter')
  }
  if (typeof model !== 'string') bad("Missing required parameter: 'model'.", 'missing_required_parameter')
  if (!models.includes(model)) throw new Refusal(404, `The model '${model}' does not exist.`)
  if (input === undefined || input.length === 0)
    bad("Missing required parameter: 'input'.", 'missing_required_parameter')
  if (cap != null && cap < LEAST_OUTPUT)
    bad(
      `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= ${LEAST_OUTPUT}, but got ${cap} instead.`,
      'integer_below_min_value',
    )
  if (body.previous_response_id != null)
    bad(`Previous response with id '${body.previous_response_id}' not found.`, 'previous_response_not_found')
  const isPlain = PLAIN.test(model)
  if (isPlain && reasoning?.effort != null) unsupported('reasoning.effort')
  if (isPlain && include?.includes('reasoning.encrypted_content') === true)
    bad('Encrypted content is not supported with this model.', 'unsupported_parameter')
  if (!isPlain && reasoning?.effort !== 'none') {
    if (body.temperature != null) unsupported('temperature')
    if (body.top_p != null) unsupported('top_p')
  }
  if (typeof input !== 'string') checkItems(input)
}

/** Results need their calls and calls their results; thinking needs its own signature, and what was thought about behind it. */
function checkItems(items: readonly InputItem[]): void {
  const called = new Set<string | undefined>()
  const answered = new Set(items.filter(isResult).map((item) => item.call_id))
  for (const [at, item] of items.entries()) {
    if (item.type === 'reasoning') checkThinking(item, items[at + 1])
    if (isCall(item)) {
      called.add(item.call_id)
      if (!answered.has(item.call_id)) bad(`No tool output found for function call ${item.call_id}.`)
    }
    if (isResult(item) && !called.has(item.call_id))
      bad(`No tool call found for function call output with call_id ${item.call_id}.`)
  }
}

function checkThinking({ id, encrypted_content: sealed }: InputItem, next: InputItem | undefined): void {
  if (sealed == null) bad(`Item with id '${id}' not found. Items are not persisted when \`store\` is set to false.`)
  if (!isSignature('openai', sealed))
    bad(
      `The encrypted content ${sealed.slice(0, 8)}... could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
      'invalid_encrypted_content',
    )
  if (next === undefined || next.role === 'user' || isResult(next))
    bad(`Item '${id}' of type 'reasoning' was provided without its required following item.`)
}

function isCall({ type }: InputItem): boolean {
  return type === 'function_call' || type === 'custom_tool_call'
}

function isResult({ type }: InputItem): boolean {
  return type === 'function_call_output' || type === 'custom_tool_call_output'
}

function unsupported(name: string): never {
  bad(`Unsupported parameter: '${name}' is not supported with this model.`, 'unsupported_parameter')
}

function bad(message: string, code?: string): never {
  throw new Refusal(400, message, code)
}
