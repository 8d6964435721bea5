/** The provider's own meter against the task's books, to the nano-dollar and after every request, for all kinds of tokens that a wire bills. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { MeterPrice, MeterRow } from '../../src/simulator/meter.ts'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import type { Flavour } from '../../src/simulator/wire.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import type { TaskPage } from '../support/money-world.ts'

const KEY = 'sk-test'
/** Odd ones, so that nothing comes out even by itself. */
const PRICE = { inputPerM: 3.17, outputPerM: 15.71, cachedInputPerM: 0.317 }
/** What Anthropic publishes as shares of its input price, and its simulator bills so, our file says in dollars. */
const ANTHROPIC = { ...PRICE, cacheWritePerM: 3.9625, cacheWrite1hPerM: 6.34 }

interface Provider {
  readonly flavour: Flavour
  readonly model: string
  readonly upstream: (url: string) => string
  readonly price: Readonly<Record<string, number>>
  readonly billedAt: MeterPrice
  readonly more?: string
}
const PROVIDERS = {
  anthropic: {
    flavour: 'anthropic',
    model: 'claude-sonnet-4-5',
    upstream: (url) => `kind: anthropic, baseUrl: "${url}"`,
    price: ANTHROPIC,
    billedAt: { inputPerM: PRICE.inputPerM, outputPerM: PRICE.outputPerM },
  },
  google: {
    flavour: 'google',
    model: 'gemini-3-flash',
    upstream: (url) => `kind: google, baseUrl: "${url}"`,
    price: PRICE,
    billedAt: PRICE,
  },
  openai: {
    flavour: 'openai',
    model: 'gpt-5.1',
    upstream: (url) => `kind: openai, baseUrl: "${url}/v1"`,
    price: PRICE,
    billedAt: PRICE,
  },
  responses: {
    flavour: 'openai',
    model: 'gpt-5.1-codex-max',
    upstream: (url) => `kind: openai, baseUrl: "${url}/v1"`,
    price: PRICE,
    billedAt: PRICE,
    more: ', api: responses',
  },
  tgi: {
    flavour: 'tgi',
    model: 'tgi-chat',
    upstream: (url) => `kind: tgi, replicas: ["${url}"]`,
    price: PRICE,
    billedAt: PRICE,
  },
  'tgi-generate': {
    flavour: 'tgi',
    model: 'tgi-text',
    upstream: (url) => `kind: tgi, replicas: ["${url}"]`,
    price: PRICE,
    billedAt: PRICE,
    more: ', api: generate',
  },
} as const satisfies Readonly<Record<string, Provider>>
type Name = keyof typeof PROVIDERS
const NAMES = Object.keys(PROVIDERS) as Name[]

const simulators = {} as Record<Name, Simulator>
let gateway: (GatewayProcess & { stop(): Promise<void> }) | undefined
beforeAll(async () => {
  const upstreams: string[] = []
  const models: string[] = []
  for (const name of NAMES) {
    const { flavour, model, upstream, price, billedAt, more = '' }: Provider = PROVIDERS[name]
    const prices = { [model]: billedAt }
    simulators[name] = createSimulator({ flavour, models: [model], profiles: {}, speed: 1, isMarked: false, prices })
    const { url } = await simulators[name].listen(0)
    upstreams.push(`  ${name}: { ${upstream(url)}, apiKey: env:TEST_UPSTREAM_KEY, retries: 0 }`)
    models.push(`  ${name}: { upstream: ${name}, model: ${model}, price: ${JSON.stringify(price)}${more} }`)
  }
  gateway = await startGatewayProcess({
    config: [
      'upstreams:',
      ...upstreams,
      'models:',
      ...models,
      `keys: [{ name: ci, key: ${KEY}, tenant: acme }]`,
      'telemetry: { log: off }',
    ].join('\n'),
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
    ownedByTest: false,
  })
})
afterAll(async () => {
  await gateway?.stop()
  await Promise.all(Object.values(simulators).map((each) => each.close()))
})

const headers = (taskId: string): Record<string, string> => ({
  authorization: `Bearer ${KEY}`,
  'content-type': 'application/json',
  'x-task-id': taskId,
})

/** A task at one provider, whose books are compared with the provider's after each request. */
function run(name: Name, taskId: string): { readonly post: (path: string, body: object) => Promise<MeterRow> } {
  const { meter } = simulators[name]
  const { model } = PROVIDERS[name]
  const row = (): MeterRow => ({ ...NOTHING, ...meter.rows().get(model) })
  const start = row()
  return {
    post: async (path, body) => {
      const before = row()
      const reply = await fetch(`${gateway?.url}${path}`, {
        method: 'POST',
        headers: headers(taskId),
        body: JSON.stringify({ model: name, ...body }),
      })
      const text = await reply.text()
      expect(reply.status, text).toBe(200)
      const after = row()
      const billed = difference(after, before)
      expect(billed.requests).toBe(1)
      expect(billed.nanoUsd).toBeGreaterThan(0n)
      await vi.waitFor(async () => {
        const task = await fetch(`${gateway?.url}/v1/tasks/${taskId}`, { headers: headers(taskId) })
        const { spent, held_nano_usd, unresolved_nano_usd } = (await task.json()) as TaskPage
        expect(BigInt(spent.nano_usd)).toBe(difference(after, start).nanoUsd)
        expect([held_nano_usd, unresolved_nano_usd]).toEqual([0, 0])
      })
      // The caller is told the same, in the words of its dialect.
      expect(text).toContain(`"cost_nano_usd":${billed.nanoUsd}`)
      return billed
    },
  }
}

const NOTHING: MeterRow = {
  requests: 0,
  input: 0,
  cachedInput: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  output: 0,
  thinking: 0,
  nanoUsd: 0n,
}
function difference(after: MeterRow, before: MeterRow): MeterRow {
  return Object.fromEntries(
    Object.entries(after).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? value - before.nanoUsd : value - (before[name as keyof MeterRow] as number),
    ]),
  ) as unknown as MeterRow
}

/** Of more than 1,024 tokens, from which on prompts are cached; no two modes share one. */
const long = (about: string): string => `Everything about ${about}. `.repeat(400)
const ASK = 'Describe lighthouses along northern coasts.'

describe.each([false, true])('streamed: %s', (stream) => {
  const tag = stream ? 'streams' : 'wholes'

  test('Anthropic: plain, written for five minutes and an hour, read, and thought', async () => {
    const { post } = run('anthropic', `anthropic-${tag}`)
    const ask = (system: object[], more: object = {}): Promise<MeterRow> =>
      post('/v1/messages', {
        stream,
        max_tokens: 4096,
        system,
        messages: [{ role: 'user', content: ASK }],
        ...more,
      })
    const marked = (about: string, ttl: '5m' | '1h'): object => ({
      type: 'text',
      text: long(`${about} ${tag}`),
      cache_control: { type: 'ephemeral', ttl },
    })
    expect(await ask([])).toMatchObject({ cachedInput: 0, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 0 })
    const written = await ask([marked('harbours', '5m')])
    expect(written.cacheWrite5m).toBeGreaterThan(1024)
    expect(written).toMatchObject({ cacheWrite1h: 0, cachedInput: 0 })
    const mixed = await ask([marked('rocks', '1h'), marked('tides', '5m')])
    expect(mixed.cacheWrite1h).toBeGreaterThan(1024)
    expect(mixed.cacheWrite5m).toBeGreaterThan(1024)
    const read = await ask([marked('rocks', '1h'), marked('tides', '5m'), marked('winds', '5m')], {
      thinking: { type: 'enabled', budget_tokens: 2000 },
    })
    expect(read).toMatchObject({ cacheWrite1h: 0, cachedInput: mixed.cacheWrite1h + mixed.cacheWrite5m })
    expect(read.cacheWrite5m).toBeGreaterThan(1024)
    expect(read.thinking).toBeGreaterThan(0)
    // The same books from the other dialects, whose prompts are cached without a mark's help or not at all.
    expect((await post('/v1/chat/completions', chat({ reasoning_effort: 'medium' }))).thinking).toBeGreaterThan(0)
    await post('/v1/responses', { stream, input: ASK })
  })

  test.each(['google', 'openai', 'responses'] as const)(
    '%s: plain, cached by itself, thought, and a call',
    async (name) => {
      const { post } = run(name, `${name}-${tag}`)
      const system = { role: 'system', content: long(`lamps ${tag}`) }
      const ask = (more: object = {}): Promise<MeterRow> =>
        post('/v1/chat/completions', chat({ messages: [system, { role: 'user', content: ASK }], ...more }))
      const first = await ask({ reasoning_effort: 'low' })
      expect(first).toMatchObject({ cachedInput: 0 })
      expect(first.input).toBeGreaterThan(1024)
      const second = await ask({ reasoning_effort: 'high' })
      expect(second.cachedInput).toBeGreaterThanOrEqual(1024)
      expect(second.thinking).toBeGreaterThan(first.thinking)
      const tools = [{ type: 'function', function: { name: 'lighthouses', parameters: { type: 'object' } } }]
      expect((await ask({ tools, reasoning_effort: 'low' })).output).toBeGreaterThan(0)
      expect((await ask({ max_completion_tokens: 20 })).output).toBeLessThanOrEqual(20)
      await post('/v1/messages', { stream, max_tokens: 500, messages: [{ role: 'user', content: ASK }] })
      await post('/v1/responses', { stream, input: ASK })
    },
  )

  test.each(['tgi', 'tgi-generate'] as const)('%s: text, a cap and a stop', async (name) => {
    const { post } = run(name, `${name}-${tag}`)
    const whole = await post('/v1/chat/completions', chat({}))
    expect(await post('/v1/chat/completions', chat({ max_tokens: 7 }))).toMatchObject({ input: whole.input, output: 7 })
    const stopped = await post('/v1/chat/completions', chat({ stop: ['.'] }))
    expect(stopped.output).toBeLessThan(whole.output)
    await post('/v1/messages', { stream, max_tokens: 500, messages: [{ role: 'user', content: ASK }] })
  })

  function chat(more: object): object {
    const options = stream ? { stream_options: { include_usage: true } } : {}
    return { stream, ...options, messages: [{ role: 'user', content: ASK }], ...more }
  }
})
