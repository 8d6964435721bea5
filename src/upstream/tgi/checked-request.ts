import type { ChatRequest, JsonObject, OutputFormat, Sampling } from '../../protocol/request.ts'
import { describedSchema } from '../described-schema.ts'
import { obeyFields, type TgiApi } from './fields.ts'
import { unsupported } from './unsupported.ts'

/** TGI's defaults of `--max-stop-sequences` and `--max-top-n-tokens`. */
const MOST_STOPS = 4
const MOST_TOP_LOGPROBS = 5
/** The cap where neither the caller nor a budget gives one and the model's context is not known. */
const CAP_WITHOUT_CONTEXT = 1024
const AMPLE_CAP = 4096
const LEAST_TOP_P = 1e-6

/** Throws for what TGI cannot be told; the names of what is left out. */
export function checkRequest(request: ChatRequest, api: TgiApi): Set<string> {
  const { sampling, openai } = request
  if (openai.modalities?.includes('audio') === true) throw unsupported('modalities')
  const names: string[] = Object.keys(openai).filter((name) => name !== 'modalities')
  if (request.reasoningEffort !== undefined) names.push('reasoning_effort')
  if (sampling.logitBias !== undefined) names.push('logit_bias')
  if (sampling.topK !== undefined) names.push('top_k')
  if (sampling.minP !== undefined) names.push('min_p')
  if (sampling.repetitionPenalty !== undefined) names.push('repetition_penalty')
  if (request.tools.length > 0) names.push('tools')
  const dropped = new Set<string>()
  obeyFields[api](
    names.filter((name) => api === 'generate' || name !== 'tools').filter((name) => !isSent(name, api)),
    dropped,
  )
  if (request.thinking !== undefined) dropped.add('thinking')
  if (request.n > 1) throw unsupported('n', 'It gives one answer to a request.')
  if (sampling.presencePenalty !== undefined && sampling.presencePenalty !== 0)
    throw unsupported('presence_penalty', "Use 'frequency_penalty' instead.")
  if ((sampling.stop?.length ?? 0) > MOST_STOPS) throw unsupported('stop', `It takes at most ${MOST_STOPS} sequences.`)
  if ((request.topLogprobs ?? 0) > MOST_TOP_LOGPROBS)
    throw unsupported('top_logprobs', `It gives at most ${MOST_TOP_LOGPROBS} alternatives.`)
  return dropped
}

/** Engine sampling that the native route knows. */
function isSent(name: string, api: TgiApi): boolean {
  return api === 'generate' && (name === 'top_k' || name === 'repetition_penalty')
}

/** The output cap: one is always sent, since a server may stop at 100 tokens without. */
export function capFor(cap: number | undefined, contextTokens: number | undefined): number {
  if (cap !== undefined) return cap
  return contextTokens === undefined
    ? CAP_WITHOUT_CONTEXT
    : Math.max(1, Math.min(AMPLE_CAP, Math.floor(contextTokens / 2)))
}

/** `top_p` and `seed` in TGI's ranges: 0 < top_p < 1, and a seed without a sign. */
export function samplingInRange({ topP, seed }: Sampling): { readonly top_p?: number; readonly seed?: number } {
  return {
    ...(topP === undefined || topP >= 1 ? {} : { top_p: Math.max(topP, LEAST_TOP_P) }),
    // A seed only has to be the same for the same, and another one for another.
    ...(seed === undefined ? {} : { seed: seed < 0 ? 2 ** 53 + seed : seed }),
  }
}

/** The form of the answer as TGI's grammar. */
export function grammarOf(format: OutputFormat | undefined, dropped: Set<string>): JsonObject | undefined {
  if (format === undefined || format.type === 'text') return undefined
  const schema = format.type === 'json_schema' ? describedSchema(format, dropped) : undefined
  return { type: 'json', value: schema ?? { type: 'object' } }
}
