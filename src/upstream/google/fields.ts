import { obeying, type FieldRow, type ObeyFields } from '../field-fates.ts'
import { unsupported } from './unsupported.ts'

/** What becomes of every field of a chat request on its way to `generateContent` (Gemini API, v1beta). The encoder obeys it. */
export const GOOGLE_FIELDS: readonly FieldRow[] = [
  {
    field: 'messages',
    fate: 'translate',
    note: 'system messages, wherever they stand, become `systemInstruction`; pictures by address need `upstreams.X.fetchImages` or lie at the Files API; names of files are dropped by name',
  },
  { field: 'model', fate: 'translate', note: 'part of the path' },
  { field: 'audio', fate: 'refuse' },
  { field: 'frequency_penalty', fate: 'translate' },
  { field: 'function_call', fate: 'translate', note: 'as `tool_choice`' },
  { field: 'functions', fate: 'translate', note: 'as `tools`' },
  { field: 'logit_bias', fate: 'refuse' },
  { field: 'logprobs', fate: 'translate', note: '`responseLogprobs`' },
  { field: 'max_completion_tokens', fate: 'translate', note: '`maxOutputTokens`, thoughts included' },
  { field: 'max_tokens', fate: 'translate', note: '`maxOutputTokens`, thoughts included' },
  { field: 'metadata', fate: 'drop', note: '`metadata.task_id` names the task' },
  { field: 'modalities', fate: 'translate', note: '`audio` is refused' },
  { field: 'moderation', fate: 'drop' },
  { field: 'n', fate: 'translate', note: '`candidateCount`; at most 8' },
  {
    field: 'parallel_tool_calls',
    fate: 'translate',
    note: '`true` is what Gemini does anyway; `false` is refused, or where one function is forced named in `x-switchyard-dropped`',
  },
  { field: 'prediction', fate: 'drop', note: 'a hint for speed' },
  { field: 'presence_penalty', fate: 'translate' },
  { field: 'prompt_cache_key', fate: 'drop' },
  { field: 'prompt_cache_options', fate: 'drop' },
  { field: 'prompt_cache_retention', fate: 'drop' },
  {
    field: 'reasoning_effort',
    fate: 'translate',
    note: '`thinkingBudget` for Gemini 2.5, `thinkingLevel` since 3; `none` is the least where a model always thinks, and then named in `x-switchyard-dropped`',
  },
  {
    field: 'response_format',
    fate: 'translate',
    note: '`responseMimeType` and `responseJsonSchema`; before Gemini 3 refused beside tools',
  },
  { field: 'safety_identifier', fate: 'drop' },
  { field: 'seed', fate: 'translate', note: 'its low 32 bits' },
  { field: 'service_tier', fate: 'drop' },
  { field: 'stop', fate: 'translate', note: '`stopSequences`, at most 5' },
  { field: 'store', fate: 'drop' },
  { field: 'stream', fate: 'own', note: 'part of the path' },
  { field: 'stream_options', fate: 'own' },
  { field: 'temperature', fate: 'translate' },
  { field: 'tool_choice', fate: 'translate', note: '`toolConfig`' },
  { field: 'tools', fate: 'translate', note: '`functionDeclarations`; custom tools are refused' },
  { field: 'top_logprobs', fate: 'translate', note: '`logprobs`' },
  { field: 'top_p', fate: 'translate' },
  { field: 'user', fate: 'drop' },
  { field: 'verbosity', fate: 'drop' },
  { field: 'web_search_options', fate: 'refuse' },
  { field: 'top_k', fate: 'translate' },
  { field: 'min_p', fate: 'drop' },
  { field: 'repetition_penalty', fate: 'drop' },
]

export const obeyFields: ObeyFields = obeying(GOOGLE_FIELDS, unsupported)
