import { isContent, type AnswerEvent, type Usage } from '../../protocol/answer.ts'
import type { JsonObject } from '../../protocol/request.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import type { WholeAnswer } from '../adapter.ts'
import { decodeEmbeddings } from './decode-embeddings.ts'
import { isRecord, tokenLogprob } from './decode-stream.ts'
import { failure, fromErrorBody } from './errors.ts'
import { finishReason, stopSequence } from './finish-reason.ts'
import { ReasoningDetails } from './reasoning-details.ts'
import { ToolCalls } from './tool-calls.ts'
import { estimateUsage, readUsage } from './usage.ts'

/** Decodes a whole `chat.completion` body into the same events as a stream. */
export function decodeWhole(body: string, requestBytes: number): WholeAnswer {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return { error: failure('upstream_garbage', { detail: `a 200 whose body is not JSON: ${body.slice(0, 200)}` }) }
  }
  if (!isRecord(parsed)) return { error: failure('upstream_garbage', { detail: 'a 200 whose body is not an object' }) }
  if ((parsed['error'] ?? null) !== null || parsed['object'] === 'error')
    return { error: fromErrorBody(parsed['error'] ?? parsed) }
  const { choices } = parsed
  if (choices === undefined && Array.isArray(parsed['data']))
    return decodeEmbeddings(parsed, parsed['data'], requestBytes)
  if (!Array.isArray(choices)) return { error: failure('upstream_garbage', { detail: 'a 200 without choices' }) }
  if (choices.length === 0) return { error: failure('upstream_empty', { detail: 'a 200 with no choice' }) }
  const events: AnswerEvent[] = [...startOf(parsed)]
  let contentBytes = 0
  for (let at = 0; at < choices.length; at++) {
    const raw: unknown = choices[at]
    if (!isRecord(raw)) continue
    const failed = decodeChoice(raw, typeof raw['index'] === 'number' ? raw['index'] : at, events)
    if (failed !== undefined) return { error: failed }
  }
  for (const event of events) {
    if (!isContent(event)) continue
    if ('text' in event) contentBytes += Buffer.byteLength(event.text)
    else if ('arguments' in event) contentBytes += Buffer.byteLength(event.arguments)
  }
  const seen = {
    requestBytes,
    contentChunks: contentBytes > 0 ? 1 : 0,
    contentBytes,
    serviceTier: parsed['service_tier'],
  }
  const usage = readUsage(parsed['usage'], seen) ?? estimateUsage(seen)
  const isOfOneChoice = choices.length > 1 && parsed['timings'] !== undefined
  return { events, usage: isOfOneChoice ? timesChoices(usage, choices.length) : usage }
}

/** llama.cpp (told by its timings) reports one choice of several; the others are taken to be as long. */
function timesChoices(usage: Usage, choices: number): Usage {
  return { ...usage, output: usage.output * choices, estimated: true }
}

/** The answer's identity, unless a part of it is missing: then it gets ours. */
function startOf(body: Record<string, unknown>): readonly AnswerEvent[] {
  const { id, model, created } = body
  if (typeof id !== 'string' || id === '' || typeof model !== 'string' || model === '' || typeof created !== 'number')
    return []
  return [
    {
      type: 'start',
      id,
      model,
      created,
      ...(typeof body['system_fingerprint'] === 'string' ? { fingerprint: body['system_fingerprint'] } : {}),
      ...(typeof body['service_tier'] === 'string' ? { serviceTier: body['service_tier'] } : {}),
    },
  ]
}

function decodeChoice(
  raw: Record<string, unknown>,
  choice: number,
  events: AnswerEvent[],
): SwitchyardError | undefined {
  const message = isRecord(raw['message']) ? raw['message'] : {}
  const text = (type: 'text' | 'reasoning' | 'refusal', value: unknown): void => {
    if (typeof value === 'string' && value !== '') events.push({ type, choice, text: value })
  }
  text('reasoning', message['reasoning_content'] ?? message['reasoning'])
  if (message['reasoning_details'] !== undefined) {
    const details = new ReasoningDetails()
    details.take(message['reasoning_details'])
    const event = details.flush(choice)
    if (event !== undefined) events.push(event)
  }
  text('text', message['content'] ?? raw['text'])
  text('refusal', message['refusal'])
  let hasCalls = false
  const list =
    message['tool_calls'] ??
    (isRecord(message['function_call']) ? [{ id: 'call_0', function: message['function_call'] }] : undefined)
  // Most answers call nothing; their servers send an empty list.
  if (Array.isArray(list) && list.length > 0) {
    const calls = new ToolCalls()
    for (const [index, call] of list.entries()) {
      const fragment = isRecord(call) ? calls.fragment(choice, { ...call, index }) : undefined
      if (fragment === undefined) return failure('upstream_garbage', { detail: 'a tool call without a name' })
      events.push(...fragment)
    }
    hasCalls = calls.hasAny
  }
  if (Array.isArray(message['annotations']) && message['annotations'].length > 0) {
    events.push({ type: 'annotations', choice, annotations: message['annotations'].filter(isRecord) as JsonObject[] })
  }
  if (isRecord(message['audio'])) events.push({ type: 'audio', choice, audio: message['audio'] as JsonObject })
  const { logprobs } = raw
  if (isRecord(logprobs)) {
    const tokens = (value: unknown): JsonObject[] | null =>
      Array.isArray(value) ? value.filter(isRecord).map(tokenLogprob) : null
    events.push({
      type: 'logprobs',
      choice,
      content: tokens(logprobs['content']),
      refusal: tokens(logprobs['refusal']),
    })
  }
  const word = typeof raw['finish_reason'] === 'string' ? raw['finish_reason'] : 'stop'
  const reason = finishReason(word, hasCalls)
  if (reason === 'failed') return failure('upstream_error', { detail: `finish_reason "${word.slice(0, 40)}"` })
  events.push({ type: 'finish', choice, reason, ...stopSequence(raw) })
  return undefined
}
