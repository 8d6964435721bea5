import { obeying, type FieldRow, type ObeyFields } from '../field-fates.ts'
import { unsupported } from './unsupported.ts'

/** What becomes of every field of a chat request at Anthropic (Messages API, version 2023-06-01). The encoder obeys it. */
export const ANTHROPIC_FIELDS: readonly FieldRow[] = [
  {
    field: 'messages',
    fate: 'translate',
    note: 'leading system texts become `system`, later ones user text in `<system>`; turns of one role are joined, tool results first; sound and file ids are refused; `name`, `detail`, unsigned reasoning and that of other providers are dropped by name; a prefill (a last message of the assistant) is refused at Claude 4.6 and later, before that blanks at its end are dropped by name',
  },
  { field: 'model', fate: 'translate', note: 'the name that the upstream knows' },
  { field: 'audio', fate: 'refuse' },
  { field: 'frequency_penalty', fate: 'refuse', note: '0 is left out' },
  { field: 'function_call', fate: 'translate', note: 'to `tool_choice`; the answer carries `function_call` again' },
  { field: 'functions', fate: 'translate', note: 'to `tools`' },
  { field: 'logit_bias', fate: 'refuse', note: 'an empty one is left out' },
  { field: 'logprobs', fate: 'refuse' },
  {
    field: 'max_completion_tokens',
    fate: 'translate',
    note: "`max_tokens`, always sent: without one the model's limit",
  },
  { field: 'max_tokens', fate: 'translate', note: 'as `max_completion_tokens`' },
  { field: 'metadata', fate: 'drop', note: '`metadata.task_id` names the task' },
  { field: 'modalities', fate: 'translate', note: '`audio` is refused' },
  { field: 'moderation', fate: 'drop' },
  { field: 'n', fate: 'refuse', note: '1 is left out' },
  { field: 'parallel_tool_calls', fate: 'translate', note: '`tool_choice.disable_parallel_tool_use`' },
  { field: 'prediction', fate: 'drop', note: 'a hint for speed' },
  { field: 'presence_penalty', fate: 'refuse', note: '0 is left out' },
  { field: 'prompt_cache_key', fate: 'drop' },
  { field: 'prompt_cache_options', fate: 'drop' },
  { field: 'prompt_cache_retention', fate: 'drop' },
  {
    field: 'reasoning_effort',
    fate: 'translate',
    note: 'adaptive thinking and `output_config.effort`, or a thinking budget for older models; dropped by name where there is no room for it',
  },
  {
    field: 'response_format',
    fate: 'translate',
    note: '`output_config.format`; bounds that the API does not know move into descriptions, by name; objects of free keys are refused; `json_object` becomes a sentence in `system`',
  },
  { field: 'safety_identifier', fate: 'translate', note: '`metadata.user_id`' },
  { field: 'seed', fate: 'drop', note: 'a best effort at OpenAI, too' },
  { field: 'service_tier', fate: 'drop' },
  { field: 'stop', fate: 'translate', note: '`stop_sequences`; blanks alone are refused' },
  { field: 'store', fate: 'drop' },
  { field: 'stream', fate: 'own', note: 'always asked for a stream unless `ask: as-asked`' },
  { field: 'stream_options', fate: 'own' },
  {
    field: 'temperature',
    fate: 'forward',
    note: '0 to 1; dropped by name with thinking and at models that have none (Claude Opus 4.7 and later)',
  },
  { field: 'tool_choice', fate: 'translate', note: '`any` for `required`; `allowed_tools` sends only those tools' },
  { field: 'tools', fate: 'translate', note: 'custom tools are refused' },
  { field: 'top_logprobs', fate: 'refuse' },
  { field: 'top_p', fate: 'forward', note: 'dropped by name as `temperature`, and beside one at Claude 4.1 and later' },
  { field: 'user', fate: 'translate', note: 'as `safety_identifier`, which counts more' },
  { field: 'verbosity', fate: 'drop' },
  { field: 'web_search_options', fate: 'refuse' },
  { field: 'top_k', fate: 'forward', note: 'dropped by name as `temperature`' },
  { field: 'min_p', fate: 'drop' },
  { field: 'repetition_penalty', fate: 'drop' },
]

export const obeyFields: ObeyFields = obeying(ANTHROPIC_FIELDS, unsupported)
