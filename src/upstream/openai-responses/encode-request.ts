import type { EncodeSend, EncodeTarget } from '../../protocol/openai-chat/encode-request.ts'
import { PRICED_FIELDS } from '../../protocol/openai-chat/known-fields.ts'
import { RESPONSES_PRICED_FIELDS } from '../../protocol/openai-responses/priced-fields.ts'
import type { ChatRequest, OpenAiOnly } from '../../protocol/request.ts'
import type { EncodedRequest } from '../adapter.ts'
import { encodeInput, type Item } from './encode-input.ts'
import { encodeFormat, encodeTools } from './encode-tools.ts'
import { obeyFields } from './fields.ts'
import { unsupported } from './unsupported.ts'

/** Least `max_output_tokens` (API reference). */
const LEAST_OUTPUT = 16
/** Models that do not reason: they take `temperature`, and refuse to be asked for encrypted reasoning. */
const PLAIN_MODEL = /^(?:ft:)?(?:gpt-[34]|chatgpt-4|computer-use)/

/**
 * Writes the body of `POST /v1/responses` from nothing but the validated request: what is priced is what is sent. Nothing is stored,
 * so that reasoning comes encrypted and goes back with the next turn. Throws `unsupported_parameter` for what the API cannot say.
 */
export function encodeRequest(request: ChatRequest, target: EncodeTarget, send: EncodeSend): EncodedRequest {
  const dropped = new Set<string>()
  const isPlain = PLAIN_MODEL.test(target.model)
  const only = encodeOpenAiOnly(request, dropped)
  const { outputCap } = send
  if (outputCap !== undefined && outputCap < LEAST_OUTPUT)
    throw unsupported('max_completion_tokens', `Its least is ${LEAST_OUTPUT}; send a higher one, or none.`)
  const text = {
    ...(request.format === undefined ? {} : { format: encodeFormat(request.format) }),
    ...(request.openai.verbosity === undefined ? {} : { verbosity: request.openai.verbosity }),
  }
  const include = [
    ...(isPlain ? [] : ['reasoning.encrypted_content']),
    ...(request.topLogprobs === undefined ? [] : ['message.output_text.logprobs']),
  ]
  const reasoning = encodeReasoning(request)
  const body: Item = {
    model: target.model,
    input: encodeInput(request.messages, dropped),
    ...encodeTools(request),
    ...(Object.keys(text).length === 0 ? {} : { text }),
    ...(Object.keys(reasoning).length === 0 ? {} : { reasoning }),
    store: false,
    ...(include.length === 0 ? {} : { include }),
    ...(outputCap === undefined ? {} : { max_output_tokens: outputCap }),
    ...(request.topLogprobs === undefined ? {} : { top_logprobs: request.topLogprobs }),
    ...encodeSampling(request, isPlain, dropped),
    ...only,
    ...(send.stream ? { stream: true } : {}),
  }
  for (const name of Object.keys(request.passed)) {
    if (send.passFields?.includes(name) === true && !isPriced(name)) body[name] = request.passed[name]
    else dropped.add(name)
  }
  for (const name of Object.keys(target.extraBody)) if (!isPriced(name)) body[name] = target.extraBody[name]
  const version = send.apiVersion === undefined ? '' : `?api-version=${send.apiVersion}`
  return { path: `/responses${version}`, body: JSON.stringify(body), dropped: [...dropped] }
}

/** Fields that callers and operators may not send beside what is priced. */
function isPriced(name: string): boolean {
  return PRICED_FIELDS.has(name) || RESPONSES_PRICED_FIELDS.has(name)
}

/** A summary is asked for only where the caller did: OpenAI gives it to verified organisations alone and refuses others. */
function encodeReasoning({ reasoningEffort: effort, thinking, turn }: ChatRequest): Item {
  const asked = turn?.settings['reasoning']
  const summary = thinking?.display === 'summarized' ? 'auto' : (asked as Item | null | undefined)?.['summary']
  return { ...(effort === undefined ? {} : { effort }), ...(typeof summary === 'string' ? { summary } : {}) }
}

function encodeOpenAiOnly({ openai, n, sampling }: ChatRequest, dropped: Set<string>): Item {
  const given: string[] = Object.keys(openai)
  if (n > 1) given.push('n')
  if ((sampling.frequencyPenalty ?? 0) !== 0) given.push('frequency_penalty')
  if ((sampling.presencePenalty ?? 0) !== 0) given.push('presence_penalty')
  if (Object.keys(sampling.logitBias ?? {}).length > 0) given.push('logit_bias')
  if (sampling.stop?.some((text) => text !== '') === true) given.push('stop')
  if (sampling.seed !== undefined) given.push('seed')
  if (sampling.topK !== undefined) given.push('top_k')
  if (sampling.minP !== undefined) given.push('min_p')
  if (sampling.repetitionPenalty !== undefined) given.push('repetition_penalty')
  const forwarded = obeyFields(given, dropped)
  if (openai.modalities?.includes('audio') === true) throw unsupported('modalities', 'It answers in text alone.')
  // False is what is sent anyway.
  if (openai.store === false) dropped.delete('store')
  return Object.fromEntries(forwarded.map((name) => [name, openai[name as keyof OpenAiOnly]]))
}

function encodeSampling({ sampling, reasoningEffort }: ChatRequest, isPlain: boolean, dropped: Set<string>): Item {
  const canSample = isPlain || reasoningEffort === 'none'
  const body: Item = {}
  // 1 is the default of both: leaving it out says the same.
  for (const [name, value] of [
    ['temperature', sampling.temperature],
    ['top_p', sampling.topP],
  ] as const) {
    if (value === undefined || value === 1) continue
    if (canSample) body[name] = value
    else dropped.add(name)
  }
  return body
}
