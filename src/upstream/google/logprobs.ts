import type { TokenLogprob } from '../../protocol/answer.ts'

/** `logprobsResult` of a candidate (Gemini API, v1beta) as OpenAI's list: what was chosen, beside what might have been. */
export function readLogprobs(raw: unknown): readonly TokenLogprob[] | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  const { chosenCandidates, topCandidates } = raw as { chosenCandidates?: unknown; topCandidates?: unknown }
  if (!Array.isArray(chosenCandidates) || chosenCandidates.length === 0) return undefined
  const tops = Array.isArray(topCandidates) ? (topCandidates as readonly unknown[]) : []
  return (chosenCandidates as readonly unknown[]).map((chosen, index) => {
    const { candidates } = (tops[index] ?? {}) as { candidates?: unknown }
    return {
      ...one(chosen),
      top_logprobs: Array.isArray(candidates) ? (candidates as readonly unknown[]).map((each) => one(each)) : [],
    }
  })
}

function one(raw: unknown): { readonly token: string; readonly logprob: number; readonly bytes: readonly number[] } {
  const { token, logProbability } = (raw ?? {}) as { token?: unknown; logProbability?: unknown }
  const text = typeof token === 'string' ? token : ''
  return {
    token: text,
    // A probability that is left out is that of certainty: protobuf's JSON writes no zeros.
    logprob: typeof logProbability === 'number' ? logProbability : 0,
    bytes: [...Buffer.from(text)],
  }
}
