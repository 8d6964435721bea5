import type { EncodeSend, EncodeTarget } from '../../protocol/openai-chat/encode-request.ts'
import type { ChatRequest, Json } from '../../protocol/request.ts'
import type { EncodedRequest } from '../adapter.ts'
import { encodeContents } from './encode-contents.ts'
import { encodeFormat } from './encode-format.ts'
import { encodeThinking } from './encode-thinking.ts'
import { encodeTools } from './encode-tools.ts'
import { obeyFields } from './fields.ts'
import { familyOf } from './model-family.ts'
import { unsupported } from './unsupported.ts'

/** Most stop sequences and candidates (Gemini API, `GenerationConfig`, v1beta). */
const MOST_STOPS = 5
const MOST_CANDIDATES = 8

type Config = { [key: string]: Json }

/**
 * The path and body of `generateContent`, from nothing but the validated request. Throws `unsupported_parameter` for what Gemini
 * cannot be told and whose loss would change the answer.
 */
export function encodeGoogleRequest(request: ChatRequest, target: EncodeTarget, send: EncodeSend): EncodedRequest {
  const names: string[] = Object.keys(request.openai).filter((name) => name !== 'modalities')
  const { sampling } = request
  if (request.openai.modalities?.includes('audio') === true) throw unsupported('modalities')
  if (sampling.logitBias !== undefined) names.push('logit_bias')
  if (sampling.minP !== undefined) names.push('min_p')
  if (sampling.repetitionPenalty !== undefined) names.push('repetition_penalty')
  const dropped = new Set(Object.keys(request.passed))
  obeyFields(names, dropped)
  const family = familyOf(target.model)
  const { systemInstruction, contents } = encodeContents(request.messages, family, dropped)
  const thinking = encodeThinking(request, target.model, family, dropped)
  const config: Config = {
    ...samplingOf(request),
    ...encodeFormat(request, family, dropped),
    ...(thinking === undefined ? {} : { thinkingConfig: thinking }),
    ...asRecord(target.extraBody['generationConfig']),
  }
  // Last, so that nobody's fixed field stands over what is priced.
  delete config['candidateCount']
  delete config['maxOutputTokens']
  if (request.n > 1) config['candidateCount'] = candidates(request.n)
  if (send.outputCap !== undefined) config['maxOutputTokens'] = send.outputCap
  const { safetySettings, labels } = target.extraBody
  const body = {
    ...(systemInstruction === undefined ? {} : { systemInstruction }),
    contents,
    ...encodeTools(request, dropped),
    generationConfig: config,
    ...(safetySettings === undefined ? {} : { safetySettings }),
    ...(labels === undefined ? {} : { labels }),
  }
  const model = target.model.split('/').map(encodeURIComponent).join('/')
  const method = send.stream ? ':streamGenerateContent?alt=sse' : ':generateContent'
  return {
    path: `/${model.includes('/') ? model : `models/${model}`}${method}`,
    body: JSON.stringify(body),
    dropped: [...dropped],
  }
}

function candidates(n: number): number {
  if (n > MOST_CANDIDATES) throw unsupported('n', `It gives at most ${MOST_CANDIDATES} answers to a request.`)
  return n
}

function samplingOf({ sampling, topLogprobs }: ChatRequest): Config {
  const { stop, seed, topK } = sampling
  if (stop !== undefined && stop.length > MOST_STOPS)
    throw unsupported('stop', `It takes at most ${MOST_STOPS} sequences.`)
  const config: Config = {}
  const set = (name: string, value: Json | undefined): void => {
    if (value !== undefined) config[name] = value
  }
  set('temperature', sampling.temperature)
  set('topP', sampling.topP)
  // 0 and -1 mean all tokens to engines, and nothing to Gemini.
  if (topK !== undefined && topK > 0) config['topK'] = topK
  set('presencePenalty', sampling.presencePenalty)
  set('frequencyPenalty', sampling.frequencyPenalty)
  set('stopSequences', stop)
  // A seed only has to be the same for the same: its low 32 bits are.
  if (seed !== undefined) config['seed'] = Number(BigInt.asIntN(32, BigInt(seed)))
  if (topLogprobs !== undefined) {
    config['responseLogprobs'] = true
    if (topLogprobs > 0) config['logprobs'] = topLogprobs
  }
  return config
}

function asRecord(value: unknown): Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Config) : {}
}
