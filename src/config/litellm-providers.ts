import { LITELLM_RATES } from './litellm-price.ts'

/** LiteLLM's provider prefix -> how we reach it. Providers that speak OpenAI's dialect need only an address. */
export const PROVIDERS: Readonly<
  Record<string, { readonly kind: 'openai' | 'anthropic' | 'vllm' | 'google' | 'tgi'; readonly baseUrl?: string }>
> = {
  openai: { kind: 'openai' },
  text_completion_openai: { kind: 'openai' },
  azure: { kind: 'openai' },
  anthropic: { kind: 'anthropic' },
  hosted_vllm: { kind: 'vllm' },
  gemini: { kind: 'google' },
  huggingface: { kind: 'tgi' },
  vllm: { kind: 'vllm' },
  groq: { kind: 'openai', baseUrl: 'https://api.groq.com/openai/v1' },
  deepseek: { kind: 'openai', baseUrl: 'https://api.deepseek.com/v1' },
  mistral: { kind: 'openai', baseUrl: 'https://api.mistral.ai/v1' },
  together_ai: { kind: 'openai', baseUrl: 'https://api.together.xyz/v1' },
  fireworks_ai: { kind: 'openai', baseUrl: 'https://api.fireworks.ai/inference/v1' },
  openrouter: { kind: 'openai', baseUrl: 'https://openrouter.ai/api/v1' },
  xai: { kind: 'openai', baseUrl: 'https://api.x.ai/v1' },
  ollama: { kind: 'openai', baseUrl: 'http://127.0.0.1:11434/v1' },
  ollama_chat: { kind: 'openai', baseUrl: 'http://127.0.0.1:11434/v1' },
  lm_studio: { kind: 'openai', baseUrl: 'http://127.0.0.1:1234/v1' },
}
/** Parameters of a deployment that are translated, or told about in a sentence of their own. */
export const KNOWN_PARAMS: ReadonlySet<string> = new Set([
  ...LITELLM_RATES,
  'model',
  'api_base',
  'base_url',
  'api_key',
  'timeout',
  'stream_timeout',
  'max_retries',
  'num_retries',
  'weight',
  'order',
  'extra_headers',
  'extra_body',
  'api_version',
])

/** Azure's address of the v1 interface, which speaks the dialect of OpenAI without an api-version; others as they are. */
export function addressOf(prefix: string, base: string): string {
  if (prefix !== 'azure' || base === '' || base.startsWith('os.environ/')) return base
  return /\/openai(?:\/|$)/.test(base)
    ? base.replace(/\/openai.*$/, '/openai/v1')
    : `${base.replace(/\/+$/, '')}/openai/v1`
}
