/** Equal requests over HTTP: what is answered from memory, to whom, in which form, and what never is. */
import Anthropic from '@anthropic-ai/sdk'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CACHE_ADMIN, cacheConfig, question, startCacheWorld, type CacheWorld } from '../support/cache-world.ts'
import { json, say } from '../support/fake-upstream.ts'

interface Body {
  readonly id: string
  readonly choices: readonly { readonly message: { readonly content: string } }[]
  readonly usage: { readonly prompt_tokens: number; readonly cost: number }
}
const bodyOf = async (response: Response): Promise<Body> => (await response.json()) as Body
const cacheOf = async (response: Promise<Response>): Promise<string | null> => {
  const { headers, body } = await response
  await body?.cancel()
  return headers.get('x-cache')
}

test('the second of two equal requests costs nothing, says so, and has an id of its own', async () => {
  const world = await startCacheWorld(say('Hel', 'lo'))
  const first = await world.ask()
  const one = await bodyOf(first)
  const second = await world.ask()
  const two = await bodyOf(second)

  expect(first.headers.get('x-cache')).toBe('miss')
  expect(Object.fromEntries(second.headers)).toMatchObject({
    'x-cache': 'hit-exact',
    'x-route': 'cache',
    'x-cost-usd': '0',
    'x-cost-saved-usd': first.headers.get('x-cost-usd'),
    'x-cache-entry': expect.stringMatching(/^ce_[\w-]{16}$/),
    age: '0',
  })
  expect(two.choices).toEqual(one.choices)
  expect(two.usage).toMatchObject({ prompt_tokens: one.usage.prompt_tokens, cost: 0 })
  expect(two.id).not.toBe(one.id)
  expect(world.upstream.seen).toHaveLength(1)
  const page = await world.metrics()
  expect(page).toContain('switchyard_cache_requests_total{tier="exact",result="hit-exact"} 1')
  expect(page).toContain('switchyard_cache_requests_total{tier="none",result="miss"} 1')
  expect(page).toContain('switchyard_cache_entries 1')
  expect(page).toMatch(/switchyard_saved_usd_total\{by="cache"\} 0\.000075/)
})

test('a streamed answer is replayed whole and a whole one streamed, through the official client', async () => {
  const world = await startCacheWorld(say('One ', 'two ', 'three'))
  const client = world.client()
  const told = async (content: string): Promise<{ text: string; usage: unknown; finish: unknown }> => {
    const stream = await client.chat.completions.create({
      ...question(content),
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage: unknown
    let finish: unknown
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      finish = chunk.choices[0]?.finish_reason ?? finish
      usage = chunk.usage ?? usage
    }
    return { text, usage, finish }
  }
  const streamed = await told('a')
  const whole = await client.chat.completions.create(question('a'))
  expect(whole.choices[0]?.message.content).toBe(streamed.text)
  expect(whole.usage?.total_tokens).toBe(12)

  await client.chat.completions.create(question('b'))
  expect(await told('b')).toMatchObject({ text: 'One two three', finish: 'stop', usage: { total_tokens: 12 } })
  expect(world.upstream.seen).toHaveLength(2)
})

test('what one API was answered another one may be', async () => {
  const world = await startCacheWorld(say('Hello'))
  await (await world.ask({ max_tokens: 64 })).json()
  const client = new Anthropic({ baseURL: world.gateway.url, apiKey: 'sk-ada', maxRetries: 0 })
  const { data, response } = await client.messages.create({ max_tokens: 64, ...question('ping') }).withResponse()
  expect(response.headers.get('x-cache')).toBe('hit-exact')
  expect(data.content).toMatchObject([{ type: 'text', text: 'Hello' }])
  expect(data.id).toMatch(/^msg_/)
  expect(world.upstream.seen).toHaveLength(1)
})

test('a tenant never hears what another one was told, whatever the body says', async () => {
  const world = await startCacheWorld(say('secret of acme'))
  await (await world.ask({ user: 'ada', metadata: { tenant: 'acme' } })).json()
  expect(await cacheOf(world.ask({}, {}, 'sk-bob'))).toBe('hit-exact')
  expect(await cacheOf(world.ask({ user: 'ada', metadata: { tenant: 'acme' } }, {}, 'sk-eve'))).toBe('miss')
})

test('with scope user a key hears what it was told itself', async () => {
  const world = await startCacheWorld(say('hi'), 'cache: { scope: user }')
  await (await world.ask()).json()
  expect(await cacheOf(world.ask())).toBe('hit-exact')
  expect(await cacheOf(world.ask({}, {}, 'sk-bob'))).toBe('miss')
})

test.each([
  ['no temperature', { temperature: undefined }, 'sampled'],
  ['some temperature', { temperature: 0.2 }, 'sampled'],
  ['several answers', { n: 2 }, 'several-answers'],
  ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
  ['a question of today', question('What is the weather in Oslo today?'), 'time-dependent'],
  ['a question about the caller', question('What is my account balance?'), 'personal'],
] as const)('%s: neither looked up nor kept, and counted', async (_what, body, reason) => {
  const world = await startCacheWorld(say('hi'))
  expect(await cacheOf(world.ask(body))).toBe('bypass')
  expect(await cacheOf(world.ask(body))).toBe('bypass')
  expect(world.upstream.seen).toHaveLength(2)
  expect(await world.metrics()).toContain(`switchyard_cache_bypassed_total{reason="${reason}"} 2`)
  await expect.poll(() => world.gateway.output()).toContain(`"cache":"bypass","cache_why":"${reason}"`)
})

const choice = (message: object, finish: string): object => ({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
  usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
})
test.each([
  ['cut at its limit', choice({ content: 'Hel' }, 'length'), 'unfinished'],
  ['filtered', choice({ content: 'Hel' }, 'content_filter'), 'unfinished'],
  ['of blanks', choice({ content: ' \n' }, 'stop'), 'empty'],
  ['refused', choice({ content: null, refusal: 'I will not.' }, 'stop'), 'refused'],
] as const)('an answer that is %s is not kept', async (_what, answer, reason) => {
  const world = await startCacheWorld(json(200, answer))
  await (await world.ask()).text()
  await (await world.ask()).text()
  expect(world.upstream.seen).toHaveLength(2)
  expect(await world.metrics()).toContain(`switchyard_cache_not_kept_total{reason="${reason}"} 2`)
})

test('an error is not kept', async () => {
  const world = await startCacheWorld(json(500, { error: { message: 'no' } }))
  expect((await world.ask()).status).toBe(502)
  world.upstream.answer = say('hi')
  expect(await cacheOf(world.ask())).toBe('miss')
})

test('Cache-Control: no-store leaves no trace, no-cache asks anew, max-age wants a young one, only-if-cached nothing else', async () => {
  const world = await startCacheWorld(say('hi'))
  const ask = (control: string): Promise<Response> => world.ask({}, { 'cache-control': control })
  const missing = await ask('only-if-cached')
  expect(missing.status).toBe(504)
  expect(await missing.json()).toMatchObject({ error: { code: 'not_cached' } })
  const sampled = await world.ask({ temperature: 1 }, { 'cache-control': 'only-if-cached' })
  expect(sampled.status).toBe(504)
  await sampled.body?.cancel()
  expect(await cacheOf(ask('no-store'))).toBe('bypass')
  expect(await cacheOf(ask('max-age=60'))).toBe('miss')
  expect(await cacheOf(ask('max-age=60'))).toBe('hit-exact')
  expect(await cacheOf(ask('max-age=0'))).toBe('miss')
  expect(await cacheOf(ask('no-cache'))).toBe('miss')
  expect(await cacheOf(ask('Only-If-Cached, max-age=60'))).toBe('hit-exact')
  expect(await cacheOf(ask('no-store'))).toBe('bypass')
  const wrong = await ask('max-age=soon')
  expect(wrong.status).toBe(400)
  const anthropic = await fetch(`${world.gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-ada', 'content-type': 'application/json', 'cache-control': 'only-if-cached' },
    body: JSON.stringify({ ...question('nobody asked this'), max_tokens: 5 }),
  })
  expect(anthropic.status).toBe(504)
  expect(await anthropic.json()).toMatchObject({ type: 'error' })
})

test('whoever was told a bad answer removes it, for good if wanted, and nobody else can', async () => {
  const world = await startCacheWorld(say('bad'))
  const remove = (path: string, key: string): Promise<Response> =>
    fetch(`${world.gateway.url}${path}`, { method: 'DELETE', headers: { authorization: `Bearer ${key}` } })
  const entry = async (): Promise<string> => {
    await (await world.ask()).json()
    const hit = await world.ask()
    await hit.json()
    return hit.headers.get('x-cache-entry') ?? ''
  }
  const id = await entry()
  expect((await remove(`/v1/cache/${id}`, 'sk-eve')).status).toBe(404)
  expect(await (await remove(`/v1/cache/${id}`, 'sk-bob')).json()).toEqual({ id, object: 'cache.entry', deleted: true })
  expect((await remove(`/v1/cache/${id}`, 'sk-bob')).status).toBe(404)
  const again = await entry()
  expect((await remove(`/v1/cache/${again}?again=never`, 'sk-ada')).status).toBe(200)
  expect(await cacheOf(world.ask())).toBe('bypass')
  expect(await cacheOf(world.ask())).toBe('bypass')
})

test('an operator removes by tag, model and tenant, and can try it first', async () => {
  const world = await startCacheWorld(say('hi'))
  const admin = async (input: object): Promise<unknown> => {
    const response = await fetch(`${world.gateway.url}/v1/admin/cache/remove`, {
      method: 'POST',
      headers: { authorization: `Bearer ${CACHE_ADMIN}`, 'content-type': 'application/json' },
      body: JSON.stringify(input),
    })
    return response.json()
  }
  await (await world.ask({}, { 'x-cache-tags': 'docs-v1, faq' })).json()
  await (await world.ask({ model: 'other' })).json()
  await (await world.ask({}, {}, 'sk-eve')).json()
  expect(await admin({ tag: 'faq', dry_run: true })).toEqual({ entries: 1, dry_run: true })
  expect(await cacheOf(world.ask())).toBe('hit-exact')
  expect(await admin({ tag: 'faq' })).toEqual({ entries: 1, dry_run: false })
  expect(await admin({ model: 'other' })).toEqual({ entries: 1, dry_run: false })
  expect(await admin({ tenant: 'globex' })).toEqual({ entries: 1, dry_run: false })
  expect(await admin({})).toMatchObject({ error: { code: 'invalid_value' } })
  expect(await cacheOf(world.ask())).toBe('miss')
})

test('SIGHUP keeps what is there unless what stands behind it has changed', async () => {
  const world = await startCacheWorld(say('hi'))
  const reload = async (config: string): Promise<void> => {
    const before = world.gateway.output().length
    writeFileSync(join(world.gateway.dir, 'switchyard.yaml'), config)
    world.gateway.signal('SIGHUP')
    while (!/reload|configuration/i.test(world.gateway.output().slice(before)))
      await new Promise((r) => setTimeout(r, 10))
  }
  await (await world.ask()).json()
  await reload(cacheConfig(world.upstream.url, 'aliases: { tiny: small }'))
  expect(await cacheOf(world.ask())).toBe('hit-exact')
  await reload(cacheConfig(world.upstream.url).replace('model: small-model', 'model: another-model'))
  expect(await cacheOf(world.ask())).toBe('miss')
})

test('with mode off nothing is kept', async () => {
  const world: CacheWorld = await startCacheWorld(say('hi'), 'cache: { mode: off }')
  expect(await cacheOf(world.ask())).toBe('bypass')
  expect(await cacheOf(world.ask())).toBe('bypass')
})

test('a task counts what it is told from memory as calls, at no cost', async () => {
  const world = await startCacheWorld(say('hi'), 'taskTypes: { short: { maxUsd: 1, maxModelCalls: 2 } }')
  const headers = { 'x-task-id': 't1', 'x-task-type': 'short' }
  expect(await cacheOf(world.ask({}, headers))).toBe('miss')
  expect(await cacheOf(world.ask({}, headers))).toBe('hit-exact')
  const task = await fetch(`${world.gateway.url}/v1/tasks/t1`, { headers: { authorization: 'Bearer sk-ada' } })
  expect(await task.json()).toMatchObject({ spent: { usd: '0.000075', model_calls: 2, tokens: 12 } })
  const third = await world.ask({}, headers)
  expect(third.status).toBe(402)
  expect(await third.json()).toMatchObject({ error: { code: 'task_limit_reached' } })
})
