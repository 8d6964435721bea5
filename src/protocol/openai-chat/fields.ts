/**
 * What becomes of every field of the create body on its way to an upstream, by kind. The encoder obeys this table and
 * `docs/compatibility.md` is printed from it.
 */
import type { OpenAiOnly } from '../request.ts'

/** Kinds whose adapter speaks OpenAI chat completions. */
export type ChatKind = 'openai' | 'vllm' | 'simulated'

/**
 * `forward`: sent as it came. `translate`: sent in another form. `own`: read by the gateway, never sent as it came. `drop`: left
 * out, named in `x-switchyard-dropped`; its loss changes no meaning. `refuse`: 400 with `param`.
 */
export type Fate = 'forward' | 'translate' | 'own' | 'drop' | 'refuse'

export interface FieldRow {
  readonly field: string
  readonly fate: Readonly<Record<ChatKind, Fate>>
  readonly note?: string
}

const all = (fate: Fate): FieldRow['fate'] => ({ openai: fate, vllm: fate, simulated: fate })
/** Forwarded to what speaks OpenAI's own dialect, dropped for engines. */
const hosted: FieldRow['fate'] = { openai: 'forward', vllm: 'drop', simulated: 'forward' }
/** Changes the answer itself: an engine that cannot do it must not pretend. */
const hostedOnly: FieldRow['fate'] = { openai: 'forward', vllm: 'refuse', simulated: 'refuse' }

export const FIELD_ROWS: readonly FieldRow[] = [
  { field: 'messages', fate: all('translate'), note: 'rebuilt part by part; unknown keys inside are left out' },
  { field: 'model', fate: all('translate'), note: 'the name that the upstream knows' },
  { field: 'audio', fate: hostedOnly },
  { field: 'frequency_penalty', fate: all('forward') },
  {
    field: 'function_call',
    fate: all('translate'),
    note: 'to `tool_choice`; the answer carries `function_call` again',
  },
  { field: 'functions', fate: all('translate'), note: 'to `tools`' },
  { field: 'logit_bias', fate: all('forward'), note: 'at most 300 entries' },
  { field: 'logprobs', fate: all('forward') },
  {
    field: 'max_completion_tokens',
    fate: all('translate'),
    note: '`max_tokens` for engines and compatible servers, which all obey that one',
  },
  {
    field: 'max_tokens',
    fate: all('translate'),
    note: '`max_completion_tokens` for hosted OpenAI and Azure; with both given the larger counts',
  },
  { field: 'metadata', fate: hosted, note: '`metadata.task_id` names the task' },
  {
    field: 'modalities',
    fate: { openai: 'forward', vllm: 'translate', simulated: 'translate' },
    note: '`text` is what engines do anyway; `audio` is refused there',
  },
  { field: 'moderation', fate: hosted },
  { field: 'n', fate: all('forward'), note: 'left out when 1' },
  { field: 'parallel_tool_calls', fate: all('forward'), note: 'left out without tools' },
  { field: 'prediction', fate: hosted, note: 'a hint for speed' },
  { field: 'presence_penalty', fate: all('forward') },
  { field: 'prompt_cache_key', fate: hosted },
  { field: 'prompt_cache_options', fate: hosted },
  { field: 'prompt_cache_retention', fate: hosted },
  { field: 'reasoning_effort', fate: all('forward') },
  { field: 'response_format', fate: all('forward') },
  { field: 'safety_identifier', fate: hosted },
  { field: 'seed', fate: all('forward') },
  { field: 'service_tier', fate: hosted },
  { field: 'stop', fate: all('forward'), note: 'empty strings are left out' },
  { field: 'store', fate: hosted },
  { field: 'stream', fate: all('own'), note: 'some servers are always asked for a stream (`upstreams.X.ask`)' },
  { field: 'stream_options', fate: all('own'), note: 'usage is always asked for and shown only to who asked' },
  { field: 'temperature', fate: all('forward') },
  { field: 'tool_choice', fate: all('forward') },
  { field: 'tools', fate: all('forward') },
  { field: 'top_logprobs', fate: all('forward') },
  { field: 'top_p', fate: all('forward') },
  { field: 'user', fate: hosted },
  { field: 'verbosity', fate: hosted },
  { field: 'web_search_options', fate: hostedOnly },
  {
    field: 'top_k',
    fate: { openai: 'drop', vllm: 'forward', simulated: 'forward' },
    note: 'engine sampling; `upstreams.X.passFields` sends it to kind `openai` too',
  },
  { field: 'min_p', fate: { openai: 'drop', vllm: 'forward', simulated: 'forward' }, note: 'as `top_k`' },
  { field: 'repetition_penalty', fate: { openai: 'drop', vllm: 'forward', simulated: 'forward' }, note: 'as `top_k`' },
]

const FATES = new Map(FIELD_ROWS.map((row) => [row.field, row.fate]))

/** The fate of a field at a kind of upstream. */
export function fateOf(field: keyof OpenAiOnly | 'top_k' | 'min_p' | 'repetition_penalty', kind: ChatKind): Fate {
  const fate = FATES.get(field)
  if (fate === undefined) throw new Error(`The field table has no row for ${field}.`)
  return fate[kind]
}
