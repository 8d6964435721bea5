import { formatUsd, type NanoUsd } from '../../shared/money.ts'
import type { Usage } from '../answer.ts'

/**
 * The `usage` object as JSON text in Anthropic's convention: `input_tokens` are those that were neither read from a cache nor written
 * to one. Beside them `cost` (USD, a decimal without exponent) and `cost_nano_usd` (the same as an integer), both left out where the
 * model has no price; `estimated: true` marks numbers that are our own count.
 */
export function usageBody(usage: Usage, cost: NanoUsd | undefined): string {
  const { input, cachedInput, cacheWrite, cacheWrite1h = 0, output, reasoning } = usage
  const uncached = Math.max(0, input - cachedInput - cacheWrite)
  const hour = Math.min(cacheWrite, cacheWrite1h)
  return (
    `{"input_tokens":${uncached},"cache_creation_input_tokens":${cacheWrite},"cache_read_input_tokens":${cachedInput}` +
    `,"cache_creation":{"ephemeral_5m_input_tokens":${cacheWrite - hour},"ephemeral_1h_input_tokens":${hour}}` +
    `,"output_tokens":${output},"output_tokens_details":{"thinking_tokens":${reasoning}}` +
    `,"service_tier":${tier(usage.serviceTier)}` +
    (usage.estimated ? ',"estimated":true' : '') +
    (cost === undefined ? '' : `,"cost":${formatUsd(cost)},"cost_nano_usd":${cost}`) +
    '}'
  )
}

/** What `message_start` says before anything is known. The last event of the stream says what it was. */
export const USAGE_AT_START: Usage = {
  input: 0,
  cachedInput: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
  audioInput: 0,
  audioOutput: 0,
  estimated: false,
}

function tier(word: string | undefined): string {
  return word === 'priority' || word === 'batch' ? `"${word}"` : '"standard"'
}
