import type { Fate } from '../../protocol/openai-chat/fields.ts'
import { obeying, type FieldRow, type ObeyFields } from '../field-fates.ts'
import { unsupported } from './unsupported.ts'

/** `chat`: `/v1/chat/completions`; `generate`: the native route, for models without a chat template (`models.X.api`). */
export type TgiApi = 'chat' | 'generate'

export interface TgiFieldRow {
  readonly field: string
  readonly fate: Readonly<Record<TgiApi, Fate>>
  readonly note?: string
}

const both = (fate: Fate): TgiFieldRow['fate'] => ({ chat: fate, generate: fate })
const chatOnly = (fate: Fate): TgiFieldRow['fate'] => ({ chat: fate, generate: 'refuse' })

/** What becomes of every field of a chat request at TGI (router 3.3, `ChatRequest` and `GenerateParameters`). The encoders obey it. */
export const TGI_FIELDS: readonly TgiFieldRow[] = [
  {
    field: 'messages',
    fate: both('translate'),
    note: '`developer` becomes `system`; native: the texts alone, joined by line breaks; sound and files are refused, pictures too on the native route',
  },
  { field: 'model', fate: both('translate'), note: 'native: a server has one' },
  { field: 'audio', fate: both('refuse') },
  { field: 'frequency_penalty', fate: both('forward') },
  { field: 'function_call', fate: chatOnly('translate'), note: 'to `tool_choice`' },
  { field: 'functions', fate: chatOnly('translate'), note: 'to `tools`' },
  { field: 'logit_bias', fate: both('refuse'), note: 'TGI accepts it and does nothing' },
  { field: 'logprobs', fate: { chat: 'forward', generate: 'translate' } },
  {
    field: 'max_completion_tokens',
    fate: both('translate'),
    note: '`max_tokens` or `max_new_tokens`, always sent: older servers stop at 100 without one',
  },
  { field: 'max_tokens', fate: both('translate'), note: 'as `max_completion_tokens`' },
  { field: 'metadata', fate: both('drop'), note: '`metadata.task_id` names the task' },
  { field: 'modalities', fate: both('translate'), note: '`audio` is refused' },
  { field: 'moderation', fate: both('drop') },
  { field: 'n', fate: both('translate'), note: 'more than one answer is refused' },
  {
    field: 'parallel_tool_calls',
    fate: chatOnly('translate'),
    note: 'TGI makes one call at a time: `true` is dropped by name',
  },
  { field: 'prediction', fate: both('drop'), note: 'a hint for speed' },
  {
    field: 'presence_penalty',
    fate: both('translate'),
    note: '0 is left out, everything else refused: TGI reads it as a repetition penalty of another scale',
  },
  { field: 'prompt_cache_key', fate: both('drop') },
  { field: 'prompt_cache_options', fate: both('drop') },
  { field: 'prompt_cache_retention', fate: both('drop') },
  { field: 'reasoning_effort', fate: both('drop') },
  { field: 'response_format', fate: both('translate'), note: "TGI's grammar of the schema" },
  { field: 'safety_identifier', fate: both('drop') },
  { field: 'seed', fate: both('translate'), note: 'a negative one becomes a positive one' },
  { field: 'service_tier', fate: both('drop') },
  { field: 'stop', fate: both('forward'), note: 'at most 4 (`--max-stop-sequences`)' },
  { field: 'store', fate: both('drop') },
  { field: 'stream', fate: both('own'), note: 'always asked for a stream unless `ask: as-asked`' },
  { field: 'stream_options', fate: both('own') },
  { field: 'temperature', fate: both('translate'), note: '0 is greedy decoding' },
  { field: 'tool_choice', fate: chatOnly('forward') },
  { field: 'tools', fate: chatOnly('forward'), note: 'custom tools are refused' },
  { field: 'top_logprobs', fate: both('translate'), note: 'at most 5' },
  { field: 'top_p', fate: both('translate'), note: '1, which TGI refuses, is left out' },
  { field: 'user', fate: both('drop') },
  { field: 'verbosity', fate: both('drop') },
  { field: 'web_search_options', fate: both('refuse') },
  { field: 'top_k', fate: { chat: 'drop', generate: 'forward' } },
  { field: 'min_p', fate: both('drop') },
  { field: 'repetition_penalty', fate: { chat: 'drop', generate: 'forward' } },
]

const rowsOf = (api: TgiApi): readonly FieldRow[] => TGI_FIELDS.map((row) => ({ ...row, fate: row.fate[api] }))

export const obeyFields: Readonly<Record<TgiApi, ObeyFields>> = {
  chat: obeying(rowsOf('chat'), unsupported),
  generate: obeying(rowsOf('generate'), unsupported),
}
