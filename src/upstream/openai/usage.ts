import type { Usage } from '../../protocol/answer.ts'

/** More tokens than any context holds: a figure above is a defect of the upstream. */
const PLAUSIBLE_TOKENS = 1_000_000_000
/** Bytes per token from below for text of any language under byte-level BPE, rounded: used only where nothing was reported. */
const BYTES_PER_TOKEN = 4

/** What was seen of an answer, to check and replace reported usage. */
export interface Seen {
  /** Size of the request body: under byte-level BPE a prompt has at most as many tokens as bytes. */
  readonly requestBytes: number
  /** Chunks that carried content: each holds at least one token. 0 for whole answers. */
  readonly contentChunks: number
  /** Bytes of content, reasoning and tool arguments. */
  readonly contentBytes: number
  /** The answer's `service_tier`. */
  readonly serviceTier?: unknown
}

/** Names of the service that nobody asked for in particular: it pays the ordinary price. */
const ORDINARY_TIERS = ['auto', 'default', 'standard']

/** Our own count, from above: never 0 where something was produced. */
export function estimateUsage(seen: Seen): Usage {
  return {
    input: seen.requestBytes,
    cachedInput: 0,
    cacheWrite: 0,
    output: Math.max(seen.contentChunks, Math.ceil(seen.contentBytes / BYTES_PER_TOKEN)),
    reasoning: 0,
    audioInput: 0,
    audioOutput: 0,
    ...tierOf(seen),
    estimated: true,
  }
}

/**
 * Reads OpenAI's `usage` (API reference, spec 2.3.0). Cached tokens are part of `prompt_tokens`, reasoning is part of
 * `completion_tokens`. Undefined where the figures cannot be right: not numbers, absurdly large, or 0 though content came.
 */
export function readUsage(raw: unknown, seen: Seen): Usage | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  const fields = raw as Record<string, unknown>
  const input = tokens(fields['prompt_tokens'])
  const reported = tokens(fields['completion_tokens'])
  if (input === undefined || reported === undefined) return undefined
  const prompt = record(fields['prompt_tokens_details'])
  const completion = record(fields['completion_tokens_details'])
  // Some providers (xAI) leave reasoning out of completion_tokens and count it in the total only.
  const reasoning = tokens(completion['reasoning_tokens']) ?? 0
  const total = tokens(fields['total_tokens']) ?? 0
  const output = Math.max(reported, total - input, reasoning > reported ? reported + reasoning : 0)
  if (input + output === 0 || output < seen.contentChunks || (output === 0 && seen.contentBytes > 0)) return undefined
  return {
    input,
    cachedInput: Math.min(input, tokens(prompt['cached_tokens']) ?? 0),
    cacheWrite: Math.min(input, tokens(prompt['cache_write_tokens']) ?? tokens(prompt['created_cache_tokens']) ?? 0),
    output,
    reasoning: Math.min(output, reasoning),
    audioInput: Math.min(input, tokens(prompt['audio_tokens']) ?? 0),
    audioOutput: Math.min(output, tokens(completion['audio_tokens']) ?? 0),
    imageInput: Math.min(input, tokens(prompt['image_tokens']) ?? 0),
    imageOutput: Math.min(output, tokens(completion['image_tokens']) ?? 0),
    ...tierOf(seen),
    estimated: false,
  }
}

function tierOf({ serviceTier }: Seen): Pick<Usage, 'serviceTier'> {
  return typeof serviceTier !== 'string' || ORDINARY_TIERS.includes(serviceTier) ? {} : { serviceTier }
}

function tokens(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 0) || value > PLAUSIBLE_TOKENS) return undefined
  return Math.ceil(value)
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
