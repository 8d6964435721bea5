import { ANTHROPIC_PRICED_FIELDS } from '../../protocol/anthropic-messages/priced-fields.ts'
import type { EncodeSend, EncodeTarget } from '../../protocol/openai-chat/encode-request.ts'
import { PRICED_FIELDS } from '../../protocol/openai-chat/known-fields.ts'
import type { ChatRequest } from '../../protocol/request.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { outputLimitOf } from '../../shared/output-limit.ts'
import type { EncodedRequest } from '../adapter.ts'
import { encodeBetas } from './betas.ts'
import { encodeFormat } from './encode-format.ts'
import { encodeMessages, type Block } from './encode-messages.ts'
import { encodeThinking } from './encode-thinking.ts'
import { encodeTools } from './encode-tools.ts'
import { obeyFields } from './fields.ts'
import { modelTraits, type ModelTraits } from './model-traits.ts'
import { unsupported } from './unsupported.ts'

/** The cap where neither the caller nor the model's name says one. */
const DEFAULT_MAX_TOKENS = 16_384
/** Largest request of the Messages API, bytes. */
const MAX_BODY_BYTES = 32 * 1024 * 1024
/** Longest `metadata.user_id`. */
const MAX_USER_ID = 256
/**
 * Writes the body of `POST /v1/messages` from nothing but the validated request: what is priced is what is sent. Throws
 * `unsupported_parameter` for what the API cannot say and whose loss would change the answer.
 */
export function encodeRequest(request: ChatRequest, target: EncodeTarget, send: EncodeSend): EncodedRequest {
  const dropped = new Set<string>()
  const traits = modelTraits(target.model)
  checkFields(request, dropped)
  const maxTokens = send.outputCap ?? request.maxOutputTokens ?? outputLimitOf(target.model) ?? DEFAULT_MAX_TOKENS
  const { system, messages } = encodeMessages(request.messages, traits.hasPrefill, dropped)
  const { format, instruction } = encodeFormat(request.format, traits.hasFormat, dropped)
  const { thinking, effort } = encodeThinking(request, traits, maxTokens, dropped)
  const outputConfig = { ...(effort === undefined ? {} : { effort }), ...(format === undefined ? {} : { format }) }
  const lead = instruction === undefined ? system : [...system, { type: 'text', text: instruction }]
  const body: Block = {
    model: target.model,
    max_tokens: maxTokens,
    ...(lead.length === 0 ? {} : { system: lead }),
    messages,
    ...encodeTools(request, traits.hasFormat, dropped),
    ...(thinking === undefined ? {} : { thinking }),
    ...(Object.keys(outputConfig).length === 0 ? {} : { output_config: outputConfig }),
    ...encodeSampling(request, traits, thinking !== undefined && thinking['type'] !== 'disabled', dropped),
    ...encodeUser(request, dropped),
    ...(send.stream ? { stream: true } : {}),
  }
  for (const name of Object.keys(request.passed)) {
    if (send.passFields?.includes(name) === true && !isPriced(name)) body[name] = request.passed[name]
    else dropped.add(name)
  }
  for (const name of Object.keys(target.extraBody)) if (!isPriced(name)) body[name] = target.extraBody[name]
  const text = JSON.stringify(body)
  if (Buffer.byteLength(text) > MAX_BODY_BYTES)
    throw new SwitchyardError(
      'request_too_large',
      'Anthropic takes requests of at most 32 MiB. Send fewer or smaller pictures and files.',
    )
  return { path: '/messages', body: text, headers: encodeBetas(request.betas, dropped), dropped: [...dropped] }
}

/** Fields that callers and operators may not send beside what is priced. */
function isPriced(name: string): boolean {
  return PRICED_FIELDS.has(name) || ANTHROPIC_PRICED_FIELDS.has(name)
}

function checkFields({ n, topLogprobs, sampling, openai }: ChatRequest, dropped: Set<string>): void {
  const given: string[] = Object.keys(openai)
  if (n > 1) given.push('n')
  if (topLogprobs !== undefined) given.push('logprobs')
  if ((sampling.frequencyPenalty ?? 0) !== 0) given.push('frequency_penalty')
  if ((sampling.presencePenalty ?? 0) !== 0) given.push('presence_penalty')
  if (Object.keys(sampling.logitBias ?? {}).length > 0) given.push('logit_bias')
  if (sampling.seed !== undefined) given.push('seed')
  if (sampling.minP !== undefined) given.push('min_p')
  if (sampling.repetitionPenalty !== undefined) given.push('repetition_penalty')
  obeyFields(given, dropped)
  if (openai.modalities?.includes('audio') === true) throw unsupported('modalities', 'It answers in text alone.')
}

/** Who asks, for Anthropic's own watch over misuse; a longer name than it takes is left out, since its beginning may be another's. */
function encodeUser({ openai }: ChatRequest, dropped: Set<string>): Block {
  const field = openai.safety_identifier === undefined ? 'user' : 'safety_identifier'
  const id = openai[field]
  if (id === undefined || id === '') return {}
  if (id.length <= MAX_USER_ID) return { metadata: { user_id: id } }
  dropped.add(field)
  return {}
}

function encodeSampling(
  { sampling }: ChatRequest,
  traits: ModelTraits,
  isThinking: boolean,
  dropped: Set<string>,
): Block {
  const body: Block = {}
  const { temperature, topP, topK, stop } = sampling
  if (temperature !== undefined && temperature > 1)
    throw unsupported('temperature', 'Its range is 0 to 1; send a lower one, or none.')
  const canSample = traits.hasSampling && !isThinking
  // 1 is the default of both: leaving it out says the same.
  if (temperature !== undefined && temperature !== 1) take('temperature', temperature, canSample)
  if (topP !== undefined && topP !== 1)
    take('top_p', topP, canSample && !(traits.isSamplingExclusive && 'temperature' in body))
  if (topK !== undefined) take('top_k', topK, canSample)
  const sequences = stop?.filter((text) => text !== '') ?? []
  if (sequences.some((text) => text.trim() === ''))
    throw unsupported('stop', 'Its stop sequences hold at least one character that is no blank.')
  if (sequences.length > 0) body['stop_sequences'] = sequences
  return body

  function take(name: string, value: number, isKnown: boolean): void {
    if (isKnown) body[name] = value
    else dropped.add(name)
  }
}
