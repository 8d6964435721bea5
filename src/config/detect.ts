/** Zero configuration: what a machine has without a file, from its environment and from engines on loopback. */
import type { FileConfig } from './schema.ts'

/** Default ports of vLLM, TGI, SGLang, Ollama, LM Studio and llama.cpp (two). */
export const ENGINE_PORTS: readonly number[] = [8000, 3000, 30_000, 11_434, 1234, 8080, 8081]
/** All probes together; the service shall be ready within a second of its start. */
const PROBE_MS = 300
/** The small and the big model that `auto` uses when OpenAI is all there is; both are in the price book. */
const OPENAI_SMALL = 'gpt-5-mini'
const OPENAI_BIG = 'gpt-5.1'
/** The same for Anthropic. */
const ANTHROPIC_SMALL = 'claude-haiku-4-5'
const ANTHROPIC_BIG = 'claude-sonnet-5'
/** The same for Google. */
const GOOGLE_SMALL = 'gemini-2.5-flash'
const GOOGLE_BIG = 'gemini-2.5-pro'
/** A server's list of models is a few kilobytes; whatever is longer is none. */
const MAX_ANSWER_BYTES = 1_048_576
/** Models that a caller can ask for by name; the rest of a longer list (Ollama keeps all that was ever pulled) needs a file. */
const MODELS_MOST = 50
/** Served beside chat models, but no chat models. */
const NOT_CHAT = /embed|rerank|whisper|(?:^|[/_-])(?:bge|e5|gte|tts)(?:[/_:-]|$)/i

export interface FoundEngine {
  readonly engine: 'vllm' | 'llama.cpp' | 'ollama' | 'sglang' | 'lmstudio' | 'tgi'
  readonly url: string
  /** Chat models it serves, in its own order; the first is used by `auto`. */
  readonly models: readonly [FoundModel, ...FoundModel[]]
}

export interface FoundModel {
  readonly id: string
  readonly contextTokens: number | undefined
}

/** Answers of a GET: parsed JSON, or undefined where nothing (or no JSON) came in time. */
export type Fetcher = (url: string, signal: AbortSignal) => Promise<unknown>

export const fetchJson: Fetcher = async (url, signal) => {
  try {
    // Loaded here, so that a start with a file need not wait for it. `reset`: no idle connection keeps the process alive.
    const { request } = await import('undici')
    const { statusCode, body } = await request(url, { signal, reset: true, headers: { accept: 'application/json' } })
    // A body that is left unread emits an error, which without a listener would end the process.
    body.on('error', () => {})
    if (statusCode !== 200) {
      body.destroy()
      return undefined
    }
    let text = ''
    for await (const piece of body.setEncoding('utf8')) {
      text += String(piece)
      if (text.length > MAX_ANSWER_BYTES) return undefined
    }
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Engines that answer on loopback and say who they are; an open port alone is not enough. */
export async function findEngines(ports: readonly number[], fetcher: Fetcher): Promise<readonly FoundEngine[]> {
  const signal = AbortSignal.timeout(PROBE_MS)
  const found = await Promise.all(ports.map((port) => probe(`http://127.0.0.1:${port}`, fetcher, signal)))
  return found.filter((each) => each !== undefined)
}

async function probe(url: string, fetcher: Fetcher, signal: AbortSignal): Promise<FoundEngine | undefined> {
  const get = (path: string): Promise<unknown> => fetcher(`${url}${path}`, signal)
  const [list, tgi] = await Promise.all([get('/v1/models'), get('/info')])
  if (isRecord(tgi) && typeof tgi['model_id'] === 'string' && 'max_total_tokens' in tgi) {
    return { engine: 'tgi', url, models: [{ id: tgi['model_id'], contextTokens: positive(tgi['max_total_tokens']) }] }
  }
  const [first, ...others] = modelsIn(list)
  if (first === undefined) return undefined
  const engine = OWNERS[first.ownedBy] ?? (await markOf(get))
  return engine === undefined ? undefined : { engine, url, models: [first, ...others] }
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}

/** How engines sign their list of models (`owned_by`); seen in recorded answers of vLLM 0.32 and llama.cpp b11549. */
const OWNERS: Readonly<Record<string, FoundEngine['engine']>> = {
  vllm: 'vllm',
  llamacpp: 'llama.cpp',
  sglang: 'sglang',
}

/** Engines that do not sign their list have a path of their own. */
async function markOf(get: (path: string) => Promise<unknown>): Promise<FoundEngine['engine'] | undefined> {
  const [sglang, lmstudio, ollama] = await Promise.all([
    get('/get_model_info'),
    get('/api/v0/models'),
    get('/api/version'),
  ])
  if (isRecord(sglang) && 'model_path' in sglang) return 'sglang'
  if (isRecord(lmstudio) && Array.isArray(lmstudio['data'])) return 'lmstudio'
  if (isRecord(ollama) && typeof ollama['version'] === 'string') return 'ollama'
  return undefined
}

interface ListedModel extends FoundModel {
  readonly ownedBy: string
}

function modelsIn(list: unknown): readonly ListedModel[] {
  const data = isRecord(list) && Array.isArray(list['data']) ? list['data'] : []
  return (
    data
      .filter(isRecord)
      // A name is printed and becomes part of one of ours: no control characters, no endless ones.
      .filter(({ id }) => typeof id === 'string' && /^\P{Cc}{1,128}$/u.test(id) && !NOT_CHAT.test(id))
      .slice(0, MODELS_MOST)
      .map((model) => ({
        id: String(model['id']),
        ownedBy: String(model['owned_by']),
        contextTokens: typeof model['max_model_len'] === 'number' ? model['max_model_len'] : contextOfLlama(model),
      }))
  )
}

function contextOfLlama(model: Readonly<Record<string, unknown>>): number | undefined {
  const meta = model['meta']
  return isRecord(meta) && typeof meta['n_ctx'] === 'number' ? meta['n_ctx'] : undefined
}

export interface Found {
  readonly file: Pick<FileConfig, 'upstreams' | 'models' | 'routes'> | Record<string, unknown>
  readonly origins: readonly string[]
  readonly remarks: readonly string[]
}

/** What a found engine costs per token: nothing that anybody has told us. The banner says so, and a file changes it. */
const FREE = { inputPerM: 0, outputPerM: 0 } as const

/** A configuration from what was found. As soon as one real upstream is there, nothing is simulated. */
export function configFromFound(
  env: Readonly<Record<string, string | undefined>>,
  engines: readonly FoundEngine[],
): Found {
  const upstreams: Record<string, unknown> = {}
  const models: Record<string, unknown> = {}
  const origins: string[] = []
  const remarks: string[] = []
  const local: string[] = []
  for (const engine of engines) {
    const name = engine.engine.replace('.', '')
    const upstream = upstreams[name] === undefined ? name : `${name}-${new URL(engine.url).port}`
    upstreams[upstream] =
      engine.engine === 'vllm' || engine.engine === 'tgi'
        ? { kind: engine.engine, replicas: [engine.url] }
        : { kind: 'openai', baseUrl: `${engine.url}/v1`, ask: 'stream' }
    engine.models.forEach(({ id, contextTokens }, index) => {
      const name = index === 0 ? `local-${upstream}` : freeName(`local-${upstream}-${slug(id)}`, models)
      models[name] = {
        upstream,
        model: id,
        tier: 'local',
        price: FREE,
        ...(contextTokens === undefined ? {} : { contextTokens }),
      }
    })
    local.push(`local-${upstream}`)
    const [first, ...others] = engine.models.map(({ id }) => id)
    const more = others.length === 0 ? '' : ` (and by name: ${others.join(', ')})`
    origins.push(
      `found ${engine.engine} on ${engine.url} with the model ${first}${more}; its tokens count as $0 until models.NAME.price says otherwise`,
    )
  }
  const hosted: string[] = []
  const openAi = openAiFrom(env)
  if (openAi.remark !== undefined) remarks.push(openAi.remark)
  if (openAi.upstream !== undefined) {
    upstreams['openai'] = openAi.upstream
    models['openai-small'] = { upstream: 'openai', model: OPENAI_SMALL, tier: 'frontier' }
    models['openai-big'] = { upstream: 'openai', model: OPENAI_BIG, tier: 'frontier' }
    hosted.push('openai-small', 'openai-big')
    origins.push(`found OPENAI_API_KEY: ${OPENAI_SMALL} and ${OPENAI_BIG}`)
  }
  const anthropic = anthropicFrom(env)
  if (anthropic.remark !== undefined) remarks.push(anthropic.remark)
  if (anthropic.upstream !== undefined) {
    upstreams['anthropic'] = anthropic.upstream
    models['anthropic-small'] = {
      upstream: 'anthropic',
      model: ANTHROPIC_SMALL,
      tier: 'frontier',
      contextTokens: 200_000,
    }
    models['anthropic-big'] = {
      upstream: 'anthropic',
      model: ANTHROPIC_BIG,
      tier: 'frontier',
      contextTokens: 1_000_000,
    }
    hosted.push('anthropic-small', 'anthropic-big')
    origins.push(`found ANTHROPIC_API_KEY: ${ANTHROPIC_SMALL} and ${ANTHROPIC_BIG}`)
  }
  if (env['GEMINI_API_KEY']) {
    upstreams['google'] = { kind: 'google', apiKey: 'env:GEMINI_API_KEY' }
    models['google-small'] = { upstream: 'google', model: GOOGLE_SMALL, tier: 'frontier' }
    models['google-big'] = { upstream: 'google', model: GOOGLE_BIG, tier: 'frontier' }
    hosted.push('google-small', 'google-big')
    origins.push(`found GEMINI_API_KEY: ${GOOGLE_SMALL} and ${GOOGLE_BIG}`)
  }
  if (local.length + hosted.length === 0) return { ...SIMULATED, remarks }
  const small = local.length > 0 ? local : hosted.filter((name) => name.endsWith('-small'))
  const big = hosted.length > 0 ? hosted.filter((name) => name.endsWith('-big')) : local
  return { file: { upstreams, models, routes: { auto: { small, big, targetBigShare: 0.3 } } }, origins, remarks }
}

/**
 * OpenAI by its variables. Where OPENAI_BASE_URL points elsewhere, the key is for that place and the prices are not OpenAI's; in the
 * shell of an agent that already uses this service it even points back here. Then neither is used.
 */
function openAiFrom(env: Readonly<Record<string, string | undefined>>): {
  readonly upstream?: Readonly<Record<string, string>>
  readonly remark?: string
} {
  const baseUrl = env['OPENAI_BASE_URL']
  if (!env['OPENAI_API_KEY']) return {}
  if (baseUrl && !/^https:\/\/api\.openai\.com\/v1\/?$/.test(baseUrl)) {
    return {
      remark:
        'found OPENAI_API_KEY, but OPENAI_BASE_URL is not https://api.openai.com/v1: neither is used. Unset it, or write an upstream into switchyard.yaml',
    }
  }
  return {
    upstream: { kind: 'openai', apiKey: 'env:OPENAI_API_KEY', ...(baseUrl ? { baseUrl } : {}) },
  }
}

/** Anthropic by its variables, with the same care: agents that speak its dialect are pointed here by ANTHROPIC_BASE_URL. */
function anthropicFrom(env: Readonly<Record<string, string | undefined>>): {
  readonly upstream?: Readonly<Record<string, string>>
  readonly remark?: string
} {
  const baseUrl = env['ANTHROPIC_BASE_URL']
  if (!env['ANTHROPIC_API_KEY']) return {}
  if (baseUrl && !/^https:\/\/api\.anthropic\.com\/?$/.test(baseUrl)) {
    return {
      remark:
        'found ANTHROPIC_API_KEY, but ANTHROPIC_BASE_URL is not https://api.anthropic.com: neither is used. Unset it, or write an upstream into switchyard.yaml',
    }
  }
  return { upstream: { kind: 'anthropic', apiKey: 'env:ANTHROPIC_API_KEY' } }
}

/** A served name as part of one of ours. */
function slug(id: string): string {
  return id.replaceAll(/[^\w.-]+/g, '-').slice(0, 64)
}

function freeName(wanted: string, taken: Readonly<Record<string, unknown>>): string {
  let name = wanted
  for (let i = 2; name in taken; i++) name = `${wanted}-${i}`
  return name
}

/** Nothing real: a small and a big simulated model, priced like a small open and a big hosted one. */
export const SIMULATED: Found = {
  file: {
    upstreams: { simulator: { kind: 'simulated' } },
    models: {
      'sim-small': {
        upstream: 'simulator',
        model: 'sim-small',
        tier: 'local',
        contextTokens: 32_768,
        price: { inputPerM: 0.05, outputPerM: 0.2 },
      },
      'sim-big': {
        upstream: 'simulator',
        model: 'sim-big',
        tier: 'frontier',
        contextTokens: 400_000,
        price: { inputPerM: 1.25, outputPerM: 10 },
      },
    },
    routes: { auto: { small: ['sim-small'], big: ['sim-big'], targetBigShare: 0.3 } },
  },
  origins: [
    'nothing real found: answers are SIMULATED and say so. Set OPENAI_API_KEY or ANTHROPIC_API_KEY, start an engine on loopback, or write switchyard.yaml',
  ],
  remarks: [],
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
