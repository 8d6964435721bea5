/** A gateway process in front of a scripted upstream, with keys of two tenants and two users, for tests of the cache. */
import OpenAI from 'openai'
import { startFakeUpstream, type Answer, type FakeUpstream } from './fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from './gateway-process.ts'

export const CACHE_ADMIN = 'sk-admin-test'

export interface CacheWorld {
  readonly upstream: FakeUpstream
  readonly gateway: GatewayProcess
  ask(body?: object, headers?: Readonly<Record<string, string>>, key?: string): Promise<Response>
  client(key?: string): OpenAI
  metrics(): Promise<string>
}

export function cacheConfig(url: string, more = ''): string {
  return `
server: { drainSeconds: 5, adminKey: env:TEST_ADMIN_KEY }
upstreams:
  gpu: { kind: vllm, replicas: ["${url}"], retries: 0, breaker: off, timeouts: { connectMs: 1000, firstByteMs: 20000, idleMs: 20000, totalMs: 30000 } }
models:
  small: { upstream: gpu, model: small-model, price: { inputPerM: 1, outputPerM: 10 } }
  other: { upstream: gpu, model: other-model, price: { inputPerM: 1, outputPerM: 10 } }
keys:
  - { name: ada, key: sk-ada, tenant: acme }
  - { name: bob, key: sk-bob, tenant: acme }
  - { name: eve, key: sk-eve, tenant: globex }
${more}`
}

export async function startCacheWorld(answer?: Answer, more = ''): Promise<CacheWorld> {
  const upstream = await startFakeUpstream(answer)
  const gateway = await startGatewayProcess({
    config: cacheConfig(upstream.url, more),
    env: { TEST_ADMIN_KEY: CACHE_ADMIN },
  })
  return {
    upstream,
    gateway,
    ask: (body = {}, headers = {}, key = 'sk-ada') =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ ...question('ping'), ...body }),
      }),
    client: (key = 'sk-ada') => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 }),
    metrics: async () => (await fetch(`${gateway.url}/metrics`)).text(),
  }
}

export function question(content: string): {
  model: string
  temperature: number
  messages: { role: 'user'; content: string }[]
} {
  return { model: 'small', temperature: 0, messages: [{ role: 'user', content }] }
}
