import { formatUsd, type NanoUsd } from '../../shared/money.ts'
import type { Usage } from '../answer.ts'

/** `usage` as JSON text: the API's names plus our `cost` (USD) and `cost_nano_usd`, as in chat completions. */
export function usageBody(usage: Usage, cost: NanoUsd | undefined): string {
  const { input, output } = usage
  return (
    `{"input_tokens":${input},"input_tokens_details":{"cached_tokens":${usage.cachedInput}` +
    (usage.cacheWrite > 0 ? `,"cache_write_tokens":${usage.cacheWrite}` : '') +
    `},"output_tokens":${output},"output_tokens_details":{"reasoning_tokens":${usage.reasoning}},"total_tokens":${input + output}` +
    (usage.estimated ? ',"estimated":true' : '') +
    (cost === undefined ? '' : `,"cost":${formatUsd(cost)},"cost_nano_usd":${cost}`) +
    '}'
  )
}
