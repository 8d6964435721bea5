/**
 * What becomes of every top-level field of a create body (OpenAI API reference, `POST /v1/responses`; openai-node 7.57). The decoder
 * knows the names from here, and the compatibility page can be printed from it.
 */

/**
 * `forward`: sent on as it came, where the target's own table allows it. `translate`: becomes another part of the internal request.
 * `own`: read by the gateway. `drop`: left out, named in `x-switchyard-dropped`. `refuse`: 400 with `param`, unless null or false.
 */
export type ResponsesFate = 'forward' | 'translate' | 'own' | 'drop' | 'refuse'

export interface ResponsesFieldRow {
  readonly field: string
  readonly fate: ResponsesFate
  readonly note?: string
}

export const RESPONSES_FIELDS: readonly ResponsesFieldRow[] = [
  { field: 'model', fate: 'translate', note: 'the name that the upstream knows' },
  { field: 'input', fate: 'translate', note: 'to messages; items of hosted tools are refused' },
  {
    field: 'instructions',
    fate: 'translate',
    note: 'to a system message before all others; not kept for the next turn',
  },
  { field: 'access_programs', fate: 'refuse', note: "OpenAI's own" },
  { field: 'background', fate: 'refuse', note: '`false` is accepted' },
  { field: 'context_management', fate: 'refuse', note: 'an empty list is accepted' },
  { field: 'conversation', fate: 'refuse', note: 'use `previous_response_id`' },
  { field: 'image', fate: 'drop' },
  {
    field: 'include',
    fate: 'own',
    note: '`message.output_text.logprobs` asks for log-probabilities; encrypted reasoning is always shown',
  },
  { field: 'max_output_tokens', fate: 'translate', note: 'the output cap' },
  { field: 'max_tool_calls', fate: 'own', note: 'counts calls of hosted tools, of which there are none here' },
  { field: 'metadata', fate: 'forward', note: '`metadata.task_id` names the task' },
  { field: 'moderation', fate: 'forward' },
  { field: 'parallel_tool_calls', fate: 'forward' },
  { field: 'previous_response_id', fate: 'own', note: 'the stored conversation comes before the input' },
  { field: 'prompt', fate: 'refuse', note: 'prompts kept at OpenAI' },
  { field: 'prompt_cache_key', fate: 'forward' },
  { field: 'prompt_cache_options', fate: 'forward' },
  { field: 'prompt_cache_retention', fate: 'forward' },
  {
    field: 'reasoning',
    fate: 'translate',
    note: '`effort` is sent on; `summary` (or `generate_summary`) to an upstream that speaks this API, elsewhere it is dropped by name',
  },
  { field: 'safety_identifier', fate: 'forward' },
  { field: 'service_tier', fate: 'forward' },
  { field: 'store', fate: 'own', note: 'false unless the key has `store: true`' },
  { field: 'stream', fate: 'own' },
  { field: 'stream_options', fate: 'own', note: 'streams are not obfuscated' },
  { field: 'temperature', fate: 'forward' },
  { field: 'text', fate: 'translate', note: '`format` to `response_format`, `verbosity` as it is' },
  { field: 'tool_choice', fate: 'translate', note: 'choices of hosted tools are refused' },
  { field: 'tools', fate: 'translate', note: '`function` and `custom`; hosted tools are refused' },
  { field: 'top_logprobs', fate: 'forward' },
  { field: 'top_p', fate: 'forward' },
  { field: 'truncation', fate: 'drop', note: '`auto`: input that is too long is refused, never cut' },
  { field: 'user', fate: 'forward' },
]

/** Fields of chat completions that have another name here, or none. */
export const MOVED_FIELDS: ReadonlyMap<string, string | undefined> = new Map([
  ['messages', 'input'],
  ['max_tokens', 'max_output_tokens'],
  ['max_completion_tokens', 'max_output_tokens'],
  ['response_format', 'text.format'],
  ['reasoning_effort', 'reasoning.effort'],
  ['verbosity', 'text.verbosity'],
  ['functions', 'tools'],
  ['function_call', 'tool_choice'],
  ['logprobs', 'include'],
  ['n', undefined],
  ['stop', undefined],
  ['seed', undefined],
  ['frequency_penalty', undefined],
  ['presence_penalty', undefined],
  ['logit_bias', undefined],
  ['audio', undefined],
  ['modalities', undefined],
  ['prediction', undefined],
  ['web_search_options', undefined],
])

/** What this API calls the fields of chat completions that it has. */
export const FIELD_NAMES: ReadonlyMap<string, string> = new Map(
  [...MOVED_FIELDS].flatMap(([field, own]) => (own === undefined ? [] : [[field, own] as const])),
)
