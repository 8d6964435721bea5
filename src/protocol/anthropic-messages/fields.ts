/**
 * What becomes of every top-level field of the create body (Anthropic API reference, version 2023-06-01, betas included, as of
 * `@anthropic-ai/sdk` 1.13.0). The decoder obeys this table: a field is known if it has a row, and one of fate `refuse` or `drop` is
 * treated as the row says without any code of its own.
 */

/**
 * `carry`: into the internal model under its own meaning; an adapter sends it. `translate`: into the internal model in another form.
 * `own`: read by the gateway. `drop`: left out, named in `x-switchyard-dropped`; its loss changes no meaning. `refuse`: 400 with
 * `param`.
 */
export type MessagesFate = 'carry' | 'translate' | 'own' | 'drop' | 'refuse'

export interface MessagesFieldRow {
  readonly field: string
  readonly fate: MessagesFate
  readonly note?: string
}

export const MESSAGES_FIELD_ROWS: readonly MessagesFieldRow[] = [
  { field: 'model', fate: 'translate', note: 'the name that the upstream knows' },
  { field: 'messages', fate: 'translate', note: 'rebuilt block by block; unknown kinds of blocks are refused' },
  { field: 'max_tokens', fate: 'carry', note: 'required' },
  { field: 'system', fate: 'translate', note: 'the first message; a billing header of Claude Code is left out' },
  { field: 'tools', fate: 'translate', note: 'tools with an `input_schema`; tools of the provider are refused' },
  { field: 'tool_choice', fate: 'translate', note: '`any` is `required`' },
  {
    field: 'thinking',
    fate: 'carry',
    note: 'a hint: dropped and named where the upstream has no such word; `between_tools` is refused',
  },
  { field: 'output_config', fate: 'translate', note: '`effort` and `format`' },
  { field: 'output_format', fate: 'translate', note: 'the older name of `output_config.format`' },
  { field: 'stop_sequences', fate: 'carry', note: 'at most 64; empty ones are left out' },
  { field: 'temperature', fate: 'carry', note: '0 to 1' },
  { field: 'top_p', fate: 'carry' },
  { field: 'top_k', fate: 'carry' },
  { field: 'stream', fate: 'own' },
  {
    field: 'metadata',
    fate: 'translate',
    note: '`user_id` is the user; its session, or `metadata.task_id`, is the task where no header names one',
  },
  { field: 'service_tier', fate: 'translate', note: '`standard_only` is `default`' },
  { field: 'cache_control', fate: 'translate', note: 'a marker on the last block, as the API defines it' },
  {
    field: 'context_management',
    fate: 'drop',
    note: 'saves tokens at the provider; the whole context is sent instead',
  },
  { field: 'diagnostics', fate: 'drop' },
  { field: 'speed', fate: 'drop', note: 'the price of the ordinary speed is charged' },
  { field: 'fallback_credit_token', fate: 'drop' },
  { field: 'container', fate: 'refuse', note: 'runs code at the provider' },
  { field: 'mcp_servers', fate: 'refuse', note: 'makes the provider call other servers; an empty list is accepted' },
  { field: 'inference_geo', fate: 'refuse', note: 'a promise about places that the gateway cannot keep' },
  { field: 'compaction', fate: 'refuse', note: 'another kind of answer' },
  { field: 'thread', fate: 'refuse', note: 'state at the provider' },
  { field: 'fallbacks', fate: 'refuse', note: 'the gateway chooses models (`models.X.fallbacks`)' },
  { field: 'billing_policy', fate: 'refuse', note: 'chooses who pays' },
  { field: 'user_profile_id', fate: 'refuse', note: 'chooses who pays' },
  { field: 'workspace_id', fate: 'refuse', note: 'chooses who pays' },
]

export const MESSAGES_FIELDS: ReadonlySet<string> = new Set(MESSAGES_FIELD_ROWS.map(({ field }) => field))

/**
 * Fields of OpenAI's body that change the answer and have another name or no meaning here: a caller that sends one speaks to the
 * wrong address, and would not notice if they were only left out.
 */
export const OPENAI_FIELDS: ReadonlySet<string> = new Set([
  'frequency_penalty',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
  'modalities',
  'n',
  'parallel_tool_calls',
  'presence_penalty',
  'reasoning_effort',
  'response_format',
  'seed',
  'stop',
  'top_logprobs',
  'web_search_options',
])

/** What this API calls the fields of chat completions that it has. */
export const FIELD_NAMES: ReadonlyMap<string, string> = new Map([
  ['max_completion_tokens', 'max_tokens'],
  ['parallel_tool_calls', 'tool_choice.disable_parallel_tool_use'],
  ['reasoning_effort', 'output_config.effort'],
  ['response_format', 'output_config.format'],
  ['stop', 'stop_sequences'],
  ['user', 'metadata.user_id'],
])
