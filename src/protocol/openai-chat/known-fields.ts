/** Names of the body's fields (OpenAI API reference, create chat completion, spec 2.3.0) and of those that may never steer an upstream. */

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
 * Fields of engines and other gateways that choose where a request goes, what is run there or how much is generated. They are
 * refused by name, always: dropping them silently would hide an attack or a misunderstanding about who pays.
 */
const STEERING: ReadonlySet<string> = new Set([
  'add_generation_prompt',
  'add_special_tokens',
  'allowed_token_ids',
  'api_base',
  'api_key',
  'api_version',
  'azure_endpoint',
  'bad_words',
  'base_url',
  'best_of',
  'cache',
  'cache_key',
  'cache_salt',
  'chat_template',
  'chat_template_kwargs',
  'continue_final_message',
  'custom_host',
  'custom_llm_provider',
  'deployment_id',
  'detokenize',
  'documents',
  'early_stopping',
  'echo',
  'endpoint',
  'extra_body',
  'extra_headers',
  'extra_query',
  'fallbacks',
  'generationConfig',
  'generation_config',
  'headers',
  'ignore_eos',
  'include_reasoning',
  'include_stop_str_in_output',
  'kv_transfer_params',
  'length_penalty',
  'litellm_params',
  'logits_processors',
  'lora_path',
  'lora_request',
  'lora_name',
  'maxOutputTokens',
  'max_gen_len',
  'max_new_tokens',
  'max_output_tokens',
  'max_retries',
  'max_thinking_tokens',
  'min_length',
  'min_tokens',
  'mm_processor_kwargs',
  'mock_response',
  'mock_timeout',
  'model_extra',
  'n_predict',
  'num_beams',
  'num_ctx',
  'num_predict',
  'num_retries',
  'options',
  'organization',
  'plugins',
  'priority',
  'project',
  'prompt_embeds',
  'prompt_logprobs',
  'provider',
  'proxy',
  'repetition_detection',
  'request_id',
  'return_token_ids',
  'return_tokens_as_token_ids',
  'route',
  'router',
  'session_id',
  'skip_special_tokens',
  'spaces_between_special_tokens',
  'stop_token_ids',
  'stream_interval',
  'structural_tag',
  'structured_outputs',
  'tags',
  'tenant',
  'tenant_id',
  'thinking',
  'thinking_budget',
  'thinking_token_budget',
  'timeout',
  'transforms',
  'truncate_prompt_tokens',
  'use_beam_search',
  'user_config',
  'vllm_xargs',
  'weight_path',
])
/** Families of the same: vLLM's old guided decoding, LiteLLM's and AWS's credentials, LoRA loading. */
const STEERING_PREFIX = /^(?:guided_|aws_|vertex_|azure_|litellm_|lora_|disagg|bootstrap_|data_parallel)/

/**
 * Fields that decide what a request costs or how its answer is read. We write them; nobody's fixed or passed-through field may
 * stand beside or over them, or what is sent would no longer be what was priced.
 */
export const PRICED_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
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

const KNOWN: ReadonlySet<string> = new Set([...BODY_FIELDS, ...ENGINE_FIELDS])

export type FieldStanding =
  { readonly kind: 'known' | 'steering' | 'unknown' } | { readonly kind: 'misspelt'; readonly meant: string }

/** What a top-level name of a body is. Names within two edits of a known one are taken for misspelt: dropping them would change what was meant. */
export function standingOf(name: string): FieldStanding {
  if (KNOWN.has(name)) return { kind: 'known' }
  if (isSteering(name)) return { kind: 'steering' }
  for (const known of KNOWN) {
    if (isWithinTwoEdits(name, known)) return { kind: 'misspelt', meant: known }
  }
  return { kind: 'unknown' }
}

/** Whether a name chooses where a request goes, what is run there or how much is generated. */
export function isSteering(name: string): boolean {
  if (STEERING.has(name) || STEERING_PREFIX.test(name)) return true
  return name === '__proto__' || name === 'constructor' || name === 'prototype'
}

/** Levenshtein distance <= 2, for names long enough that two edits are a slip and not another word. */
export function isWithinTwoEdits(name: string, known: string): boolean {
  if (Math.abs(name.length - known.length) > 2 || known.length <= 2 || name.length > 40) return false
  if (name.toLowerCase() === known.toLowerCase()) return true
  const allowed = known.length <= 4 ? 1 : 2
  let previous = Array.from({ length: known.length + 1 }, (_, i) => i)
  for (let i = 1; i <= name.length; i++) {
    const row = [i]
    for (let j = 1; j <= known.length; j++) {
      const swap = (previous[j - 1] as number) + (name[i - 1] === known[j - 1] ? 0 : 1)
      row.push(Math.min(swap, (previous[j] as number) + 1, (row[j - 1] as number) + 1))
    }
    previous = row
  }
  return (previous[known.length] as number) <= allowed
}
