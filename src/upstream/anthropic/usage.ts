import type { Usage } from '../../protocol/answer.ts'
import { estimateUsage, type Seen } from '../openai/usage.ts'

type Fields = Readonly<Record<string, unknown>>

/** More tokens than any context holds: a figure above is a defect of the upstream. */
const PLAUSIBLE_TOKENS = 1_000_000_000

/**
 * Reads Anthropic's `usage`, which counts the prompt in three parts that exclude each other: `input_tokens`, what was read from the
 * cache and what was written to it. Ours counts all of them as input. Thinking is part of the output. Where the figures are missing
 * or cannot be right, the parts that can be counted are counted.
 * @param isFinal The answer came to its end, so that the output is the whole one; before it, `message_start` says a token or two.
 */
export function readUsage(raw: Fields, seen: Seen, isFinal: boolean): Usage {
  const own = estimateUsage({ ...seen, serviceTier: raw['service_tier'] })
  const plain = tokens(raw['input_tokens'])
  const reported = tokens(raw['output_tokens'])
  if (plain === undefined || reported === undefined) return own
  const cachedInput = tokens(raw['cache_read_input_tokens']) ?? 0
  const parts = isFields(raw['cache_creation']) ? raw['cache_creation'] : {}
  const fiveMinutes = tokens(parts['ephemeral_5m_input_tokens']) ?? 0
  const anHour = tokens(parts['ephemeral_1h_input_tokens']) ?? 0
  // The sum and its parts say the same; where they do not, nothing that was billed may be missing.
  const cacheWrite = Math.max(tokens(raw['cache_creation_input_tokens']) ?? 0, fiveMinutes + anHour)
  const input = plain + cachedInput + cacheWrite
  const isWhole = isFinal && !(reported === 0 && seen.contentBytes > 0)
  if (input === 0 && isFinal && reported === 0) return own
  const output = isWhole ? reported : Math.max(reported, own.output)
  const details = isFields(raw['output_tokens_details']) ? raw['output_tokens_details'] : {}
  return {
    input,
    cachedInput,
    cacheWrite,
    ...(anHour === 0 ? {} : { cacheWrite1h: anHour }),
    output,
    reasoning: Math.min(output, tokens(details['thinking_tokens']) ?? 0),
    audioInput: 0,
    audioOutput: 0,
    ...(own.serviceTier === undefined ? {} : { serviceTier: own.serviceTier }),
    estimated: !isWhole,
  }
}

/** What `message_start` says of the prompt, which is whole by then; undefined where it says nothing that can be right. */
export function promptUsage(raw: Fields): Usage | undefined {
  const usage = readUsage(raw, { requestBytes: 0, contentBytes: 0, contentChunks: 0 }, true)
  return usage.estimated ? undefined : usage
}

/** What a later report says replaces what an earlier one said; it counts from the beginning, so that nothing is added. */
export function laterUsage(earlier: Fields, later: unknown): Fields {
  if (!isFields(later)) return earlier
  const said = Object.entries(later).filter(([, value]) => value !== null && value !== undefined)
  return { ...earlier, ...Object.fromEntries(said) }
}

function tokens(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 0) || value > PLAUSIBLE_TOKENS) return undefined
  return Math.ceil(value)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
