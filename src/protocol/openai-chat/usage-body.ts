import { formatUsd, type NanoUsd } from '../../shared/money.ts'
import type { Usage } from '../answer.ts'

/**
 * The `usage` object as JSON text: OpenAI's names (API reference, spec 2.3.0) plus `cost` (USD, a decimal without exponent)
 * and `cost_nano_usd` (the same as an integer). Both are left out where the model has no price.
 * `estimated: true` marks numbers that are our own count because the upstream reported none.
 */
export function usageBody(usage: Usage, cost: NanoUsd | undefined): string {
  const { input, output } = usage
  return (
    `{"prompt_tokens":${input},"completion_tokens":${output},"total_tokens":${input + output}` +
    `,"prompt_tokens_details":{"cached_tokens":${usage.cachedInput},"audio_tokens":${usage.audioInput}` +
    (usage.cacheWrite > 0 ? `,"cache_write_tokens":${usage.cacheWrite}` : '') +
    `},"completion_tokens_details":{"reasoning_tokens":${usage.reasoning},"audio_tokens":${usage.audioOutput}` +
    `,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}` +
    (usage.estimated ? ',"estimated":true' : '') +
    (cost === undefined ? '' : `,"cost":${formatUsd(cost)},"cost_nano_usd":${cost}`) +
    '}'
  )
}
