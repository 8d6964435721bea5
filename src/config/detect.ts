/** Zero configuration: what a machine has without a file, from its environment and from engines on loopback. */
import { request } from 'undici'
import type { FileConfig } from './schema.ts'

/** Port -> engines that use it by default, for the sentence that names what was looked for. */
export const ENGINE_PORTS: readonly number[] = [8000, 3000, 30_000, 11_434, 1234, 8080, 8081]
/** All probes together; the service shall be ready within a second of its start. */
const PROBE_MS = 300
/** The small and the big model that `auto` uses when OpenAI is all there is; both are in the price book. */
const OPENAI_SMALL = 'gpt-5-mini'
const OPENAI_BIG = 'gpt-5.1'

export interface FoundEngine {
  readonly engine: 'vllm' | 'llama.cpp' | 'ollama' | 'sglang' | 'lmstudio' | 'tgi'
  readonly url: string
  readonly model: string
  readonly contextTokens: number | undefined
}

/** Answers of a GET: parsed JSON, or undefined where nothing (or no JSON) came in time. */
export type Fetcher = (url: string, signal: AbortSignal) => Promise<unknown>

export const fetchJson: Fetcher = async (url, signal) => {
  try {
    const { statusCode, body } = await request(url, { signal, headers: { accept: 'application/json' } })
    if (statusCode !== 200) {
      await body.dump()
      return undefined
    }
    return await body.json()
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
  const [models, tgi] = await Promise.all([fetcher(`${url}/v1/models`, signal), fetcher(`${url}/info`, signal)])
  if (isRecord(tgi) && typeof tgi['model_id'] === 'string' && 'max_total_tokens' in tgi) {
    return { engine: 'tgi', url, model: tgi['model_id'], contextTokens: undefined }
  }
  const list = isRecord(models) && Array.isArray(models['data']) ? models['data'].filter(isRecord) : []
  const first = list.find((each) => typeof each['id'] === 'string')
  if (first === undefined) return undefined
  const model = String(first['id'])
  const contextTokens = typeof first['max_model_len'] === 'number' ? first['max_model_len'] : undefined
  const named: Readonly<Record<string, FoundEngine['engine']>> = {
    vllm: 'vllm',
    llamacpp: 'llama.cpp',
    sglang: 'sglang',
  }
  const engine = named[String(first['owned_by'])]
  if (engine !== undefined) return { engine, url, model, contextTokens: contextTokens ?? contextOfLlama(first) }
  const [ollama, lmstudio, sglang] = await Promise.all([
    fetcher(`${url}/api/version`, signal),
    fetcher(`${url}/api/v0/models`, signal),
    fetcher(`${url}/get_model_info`, signal),
  ])
  if (isRecord(sglang) && 'model_path' in sglang) return { engine: 'sglang', url, model, contextTokens }
  if (isRecord(lmstudio) && Array.isArray(lmstudio['data'])) return { engine: 'lmstudio', url, model, contextTokens }
  if (isRecord(ollama) && typeof ollama['version'] === 'string') return { engine: 'ollama', url, model, contextTokens }
  return undefined
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
    if (engine.engine === 'tgi') {
      remarks.push(`found TGI on ${engine.url}: not supported yet`)
      continue
    }
    const upstream = upstreams[name] === undefined ? name : `${name}-${new URL(engine.url).port}`
    upstreams[upstream] =
      engine.engine === 'vllm'
        ? { kind: 'vllm', replicas: [engine.url] }
        : { kind: 'openai', baseUrl: `${engine.url}/v1`, ask: 'stream' }
    models[`local-${upstream}`] = {
      upstream,
      model: engine.model,
      tier: 'local',
      ...(engine.contextTokens === undefined ? {} : { contextTokens: engine.contextTokens }),
    }
    local.push(`local-${upstream}`)
    origins.push(`found ${engine.engine} on ${engine.url} with the model ${engine.model}`)
  }
  const hosted: string[] = []
  if (env['OPENAI_API_KEY']) {
    upstreams['openai'] = {
      kind: 'openai',
      apiKey: 'env:OPENAI_API_KEY',
      ...(env['OPENAI_BASE_URL'] ? { baseUrl: env['OPENAI_BASE_URL'] } : {}),
    }
    models['openai-small'] = { upstream: 'openai', model: OPENAI_SMALL, tier: 'frontier' }
    models['openai-big'] = { upstream: 'openai', model: OPENAI_BIG, tier: 'frontier' }
    hosted.push('openai-small', 'openai-big')
    origins.push(`found OPENAI_API_KEY: ${OPENAI_SMALL} and ${OPENAI_BIG}`)
  }
  for (const [variable, provider] of [
    ['ANTHROPIC_API_KEY', 'Anthropic'],
    ['GEMINI_API_KEY', 'Google'],
  ] as const) {
    if (env[variable]) remarks.push(`found ${variable}: ${provider} is not supported yet`)
  }
  if (local.length + hosted.length === 0) return { ...SIMULATED, remarks }
  const small = local.length > 0 ? local : ['openai-small']
  const big = hosted.length > 0 ? ['openai-big'] : local
  return { file: { upstreams, models, routes: { auto: { small, big, targetBigShare: 0.3 } } }, origins, remarks }
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
    'nothing real found: answers are SIMULATED and say so. Set OPENAI_API_KEY, start an engine on loopback, or write switchyard.yaml',
  ],
  remarks: [],
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
