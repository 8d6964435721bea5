import type { Fate } from '../../protocol/openai-chat/fields.ts'
import { unsupported } from './unsupported.ts'

export interface ResponsesFieldRow {
  readonly field: string
  readonly fate: Fate
  readonly note?: string
}

/** What becomes of every field of a chat request on its way to `POST /v1/responses` (OpenAI API reference). The encoder obeys it. */
export const RESPONSES_FIELDS: readonly ResponsesFieldRow[] = [
  {
    field: 'messages',
    fate: 'translate',
    note: '`input` items; sound is refused; `name` and reasoning that OpenAI did not encrypt are dropped by name',
  },
  { field: 'model', fate: 'translate', note: 'the name that the upstream knows' },
  { field: 'audio', fate: 'refuse' },
  { field: 'frequency_penalty', fate: 'refuse', note: '0 is left out' },
  { field: 'function_call', fate: 'translate', note: 'to `tool_choice`; the answer carries `function_call` again' },
  { field: 'functions', fate: 'translate', note: 'to `tools`' },
  { field: 'logit_bias', fate: 'refuse', note: 'an empty one is left out' },
  { field: 'logprobs', fate: 'translate', note: '`include: message.output_text.logprobs`' },
  { field: 'max_completion_tokens', fate: 'translate', note: '`max_output_tokens`, at least 16' },
  { field: 'max_tokens', fate: 'translate', note: 'as `max_completion_tokens`' },
  { field: 'metadata', fate: 'forward' },
  { field: 'modalities', fate: 'translate', note: '`audio` is refused' },
  { field: 'moderation', fate: 'drop' },
  { field: 'n', fate: 'refuse', note: '1 is left out' },
  { field: 'parallel_tool_calls', fate: 'forward' },
  { field: 'prediction', fate: 'drop', note: 'a hint for speed' },
  { field: 'presence_penalty', fate: 'refuse', note: '0 is left out' },
  { field: 'prompt_cache_key', fate: 'forward' },
  { field: 'prompt_cache_options', fate: 'drop' },
  { field: 'prompt_cache_retention', fate: 'forward' },
  { field: 'reasoning_effort', fate: 'translate', note: '`reasoning.effort`' },
  { field: 'response_format', fate: 'translate', note: '`text.format`' },
  { field: 'safety_identifier', fate: 'forward' },
  { field: 'seed', fate: 'drop', note: 'a best effort where it is known' },
  { field: 'service_tier', fate: 'forward' },
  { field: 'stop', fate: 'refuse' },
  { field: 'store', fate: 'drop', note: 'always `store: false`' },
  { field: 'stream', fate: 'own' },
  { field: 'stream_options', fate: 'own' },
  { field: 'temperature', fate: 'forward', note: 'dropped by name at models that reason; 1 is left out' },
  { field: 'tool_choice', fate: 'translate' },
  { field: 'tools', fate: 'translate', note: 'flat; `strict` is always said, since the API takes none for true' },
  { field: 'top_logprobs', fate: 'forward' },
  { field: 'top_p', fate: 'forward', note: 'as `temperature`' },
  { field: 'user', fate: 'forward' },
  { field: 'verbosity', fate: 'translate', note: '`text.verbosity`' },
  { field: 'web_search_options', fate: 'refuse' },
  { field: 'top_k', fate: 'drop' },
  { field: 'min_p', fate: 'drop' },
  { field: 'repetition_penalty', fate: 'drop' },
]

const FATES: ReadonlyMap<string, Fate> = new Map(RESPONSES_FIELDS.map((row) => [row.field, row.fate]))

/** Names those of the given fields that go on as they are. Throws for one that is refused, notes one that is dropped. */
export function obeyFields(names: readonly string[], dropped: Set<string>): readonly string[] {
  return names.filter((name) => {
    const fate = FATES.get(name)
    if (fate === 'drop') dropped.add(name)
    else if (fate === undefined || fate === 'refuse') throw unsupported(name)
    return fate === 'forward'
  })
}
