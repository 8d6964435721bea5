/** What becomes of top-level names of a body that a dialect does not know; the same rules for every dialect. */
import { refuse, type Fields } from './check.ts'
import type { DecodeOptions } from './dialect.ts'
import type { Json, JsonObject } from './request.ts'

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

const NOTHING_PASSED: JsonObject = {}

/**
 * Looks at the top-level names of a body; `known` are those that its dialect reads. Gives the unknown fields that the operator lets
 * through and the names of those that are left out. Throws for steering and misspelt ones, and for all of them under `refuse`.
 */
export function checkNames(
  fields: Fields,
  known: ReadonlySet<string>,
  options: DecodeOptions,
): { readonly dropped: readonly string[]; readonly passed: JsonObject } {
  let dropped: string[] | undefined
  let passed: Record<string, Json> | undefined
  for (const name in fields) {
    const standing = standingOf(name, known)
    if (standing.kind !== 'known' && options.passFields?.has(name) === true) {
      passed ??= {}
      passed[name] = fields[name] as Json
      continue
    }
    switch (standing.kind) {
      case 'known':
        continue
      case 'steering':
        throw refuse(
          'unknown_parameter',
          shown(name),
          `Unknown parameter: '${shown(name)}'. It is not accepted from callers.`,
        )
      case 'misspelt':
        throw refuse(
          'unknown_parameter',
          shown(name),
          `Unknown parameter: '${shown(name)}'. Did you mean '${standing.meant}'?`,
        )
      case 'unknown':
        if (options.unknownFields === 'refuse') {
          throw refuse('unknown_parameter', shown(name), `Unknown parameter: '${shown(name)}'.`)
        }
        dropped ??= []
        dropped.push(name)
        continue
      default:
        standing satisfies never
    }
  }
  return { dropped: dropped ?? [], passed: passed ?? NOTHING_PASSED }
}

function shown(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name
}

type FieldStanding =
  { readonly kind: 'known' | 'steering' | 'unknown' } | { readonly kind: 'misspelt'; readonly meant: string }

/** What a top-level name of a body is. Names within two edits of a known one are taken for misspelt: dropping them would change what was meant. */
function standingOf(name: string, known: ReadonlySet<string>): FieldStanding {
  if (known.has(name)) return { kind: 'known' }
  if (STEERING.has(name) || STEERING_PREFIX.test(name)) return { kind: 'steering' }
  if (name === '__proto__' || name === 'constructor' || name === 'prototype') return { kind: 'steering' }
  for (const meant of known) {
    if (isWithinTwoEdits(name, meant)) return { kind: 'misspelt', meant }
  }
  return { kind: 'unknown' }
}

/** Levenshtein distance <= 2, for names long enough that two edits are a slip and not another word. */
function isWithinTwoEdits(name: string, known: string): boolean {
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
