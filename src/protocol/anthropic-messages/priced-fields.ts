/**
 * Top-level fields of Anthropic's body that change what is billed or done, beside those that every API has (`PRICED_FIELDS`): neither
 * the operator's fixed fields nor fields that callers are let through may carry them.
 */
export const ANTHROPIC_PRICED_FIELDS: ReadonlySet<string> = new Set([
  'system',
  'tools',
  'mcp_servers',
  'container',
  'context_management',
  'cache_control',
  'service_tier',
  'speed',
  'inference_geo',
])
