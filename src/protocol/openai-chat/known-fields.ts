/** Names of the body's fields (OpenAI API reference, create chat completion, spec 2.3.0) and of those that decide its price. */

/** The 37 fields of the create body. */
export const BODY_FIELDS: readonly string[] = [
  'messages',
  'model',
  'audio',
  'frequency_penalty',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
  'max_tokens',
  'metadata',
  'modalities',
  'moderation',
  'n',
  'parallel_tool_calls',
  'prediction',
  'presence_penalty',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning_effort',
  'response_format',
  'safety_identifier',
  'seed',
  'service_tier',
  'stop',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'user',
  'verbosity',
  'web_search_options',
]

/** Sampling fields that engines know and OpenAI does not. */
export const ENGINE_FIELDS: readonly string[] = ['top_k', 'min_p', 'repetition_penalty']

/**
 * Fields that decide what a request costs or how its answer is read. We write them; nobody's fixed or passed-through field may
 * stand beside or over them, or what is sent would no longer be what was priced.
 */
export const PRICED_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'prompt',
  'input',
  'suffix',
  'echo',
  'stream',
  'stream_options',
  'n',
  'best_of',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'max_new_tokens',
  'max_gen_len',
  'maxOutputTokens',
  'n_predict',
  'num_predict',
])

/** Every name that the decoder reads. */
export const KNOWN_FIELDS: ReadonlySet<string> = new Set([...BODY_FIELDS, ...ENGINE_FIELDS])
