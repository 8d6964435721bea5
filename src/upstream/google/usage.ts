import type { Usage } from '../../protocol/answer.ts'
import { estimateUsage, type Seen } from '../openai/usage.ts'

/** More tokens than any context holds: a figure above is a defect of the upstream. */
const PLAUSIBLE_TOKENS = 1_000_000_000

/**
 * Reads `usageMetadata` (Gemini API, v1beta). Cached tokens are part of `promptTokenCount`; the prompt of tools that Google runs is
 * not, and `candidatesTokenCount` leaves the thoughts out, which are billed as output. Our own count where the figures cannot be right.
 */
export function readGoogleUsage(raw: unknown, seen: Seen): Usage {
  if (typeof raw !== 'object' || raw === null) return estimateUsage(seen)
  const fields = raw as Record<string, unknown>
  const prompt = tokens(fields['promptTokenCount'])
  if (prompt === undefined) return estimateUsage(seen)
  const input = prompt + (tokens(fields['toolUsePromptTokenCount']) ?? 0)
  const reasoning = tokens(fields['thoughtsTokenCount']) ?? 0
  const counted = (tokens(fields['candidatesTokenCount']) ?? 0) + reasoning
  // Some models leave a part out of its own figure and have it in the total.
  const output = Math.max(counted, (tokens(fields['totalTokenCount']) ?? 0) - input)
  if (output < seen.contentChunks || (output === 0 && seen.contentBytes > 0)) return estimateUsage(seen)
  const inputOf = byModality(fields['promptTokensDetails'])
  const outputOf = byModality(fields['candidatesTokensDetails'])
  return {
    input,
    cachedInput: Math.min(input, tokens(fields['cachedContentTokenCount']) ?? 0),
    cacheWrite: 0,
    output,
    reasoning: Math.min(output, reasoning),
    audioInput: Math.min(input, inputOf('AUDIO')),
    audioOutput: Math.min(output, outputOf('AUDIO')),
    imageInput: Math.min(input, inputOf('IMAGE') + inputOf('VIDEO')),
    imageOutput: Math.min(output, outputOf('IMAGE') + outputOf('VIDEO')),
    estimated: false,
  }
}

/** Of a list of `{modality, tokenCount}`, the tokens of one modality. */
function byModality(details: unknown): (modality: string) => number {
  const list = Array.isArray(details) ? (details as readonly unknown[]) : []
  return (modality) => {
    let sum = 0
    for (const each of list) {
      const { modality: of, tokenCount } = (each ?? {}) as { modality?: unknown; tokenCount?: unknown }
      if (of === modality) sum += tokens(tokenCount) ?? 0
    }
    return sum
  }
}

function tokens(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= PLAUSIBLE_TOKENS ? Math.ceil(value) : undefined
}
