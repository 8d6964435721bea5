/** Equal requests at the same time: one is sent, the others hear what it hears, whatever happens to it. */
import fc from 'fast-check'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { question, startCacheWorld, type CacheWorld } from '../support/cache-world.ts'
import { DONE_FRAME, frame, say, USAGE_FRAME, type Answer } from '../support/fake-upstream.ts'
import { moneyConfig, moneyWorld, startSimulatedProvider } from '../support/money-world.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'

/** An upstream that says one piece at once and the rest when it is told to. */
function gated(): { readonly answer: Answer; readonly open: ServerResponse[]; finish(at: number): void } {
  const open: ServerResponse[] = []
  return {
    open,
    answer(_request, response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(frame({ role: 'assistant', content: 'One ' }))
      open.push(response)
    },
    finish(at) {
      open[at]?.end(frame({ content: 'two' }) + frame({}, 'stop') + USAGE_FRAME + DONE_FRAME)
    },
  }
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(5)
}

interface Reader {
  text: string
  readonly cache: Promise<string | null>
  readonly done: Promise<string>
  leave(): void
}

/** Reads a stream through the official client. */
function read(world: CacheWorld, content = 'ping'): Reader {
  const leaving = new AbortController()
  const asked = world
    .client()
    .chat.completions.create({ ...question(content), stream: true }, { signal: leaving.signal })
    .withResponse()
  const reader: Reader = {
    text: '',
    cache: asked.then(({ response }) => response.headers.get('x-cache')),
    done: asked.then(async ({ data }) => {
      for await (const chunk of data) reader.text += chunk.choices[0]?.delta.content ?? ''
      return reader.text
    }),
    leave: () => leaving.abort(),
  }
  reader.cache.catch(() => {})
  reader.done.catch(() => {})
  return reader
}

test('who comes while an answer is on its way reads it from the beginning, streamed or whole, and pays nothing', async () => {
  const upstream = gated()
  const world = await startCacheWorld(upstream.answer)
  const leader = read(world)
  await until(() => leader.text === 'One ')
  const follower = read(world)
  await until(() => follower.text === 'One ')
  const whole = world.ask({ stream: false })
  await sleep(50)
  upstream.finish(0)

  expect(await leader.done).toBe('One two')
  expect(await follower.done).toBe('One two')
  const told = await whole
  expect(told.headers.get('x-cost-usd')).toBe('0')
  expect(await told.json()).toMatchObject({ choices: [{ message: { content: 'One two' } }], usage: { cost: 0 } })
  expect(await Promise.all([leader.cache, follower.cache, told.headers.get('x-cache')])).toEqual([
    'miss',
    'join',
    'join',
  ])
  expect(world.upstream.seen).toHaveLength(1)
  expect(await world.metrics()).toContain('switchyard_cache_requests_total{tier="single-flight",result="join"} 2')
})

test('the first caller leaves in the middle: the others hear the rest, and it is kept', async () => {
  const upstream = gated()
  const world = await startCacheWorld(upstream.answer)
  const leader = read(world)
  await until(() => leader.text === 'One ')
  const follower = read(world)
  await until(() => follower.text === 'One ')
  leader.leave()
  await sleep(100)
  upstream.finish(0)

  expect(await follower.done).toBe('One two')
  expect(await read(world).cache).toBe('hit-exact')
  expect(world.upstream.seen).toHaveLength(1)
  await until(async () => (await world.metrics()).includes('result="aborted"'))
})

test('when the last of them has left the upstream is left, too', async () => {
  const upstream = gated()
  const world = await startCacheWorld(upstream.answer)
  const leader = read(world)
  await until(() => leader.text === 'One ')
  const follower = read(world)
  await until(() => follower.text === 'One ')
  leader.leave()
  await sleep(50)
  follower.leave()
  await world.upstream.seen[0]?.aborted
  world.upstream.answer = say('new')
  await until(async () => !/upstream_inflight\{[^}]*\} 1/.test(await world.metrics()))
  expect(await read(world).done).toBe('new')
})

test('the upstream fails before it says anything: the next one asks for all, and the error is heard by one', async () => {
  const waiting: ServerResponse[] = []
  const world = await startCacheWorld((_request, response) => void waiting.push(response))
  const answers = [0, 1, 2].map(() => world.ask())
  await until(() => waiting.length === 1)
  await sleep(100)
  world.upstream.answer = say('well')
  waiting[0]?.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"broken"}}')
  const statuses = (await Promise.all(answers)).map(({ status }) => status)

  expect(statuses.sort((a, b) => a - b)).toEqual([200, 200, 502])
  expect(world.upstream.seen).toHaveLength(2)
})

test('the upstream dies in the middle: streams that showed a part are cut, a whole answer is asked for anew', async () => {
  const upstream = gated()
  const world = await startCacheWorld(upstream.answer)
  const leader = read(world)
  await until(() => leader.text === 'One ')
  const streamed = read(world)
  await until(() => streamed.text === 'One ')
  const whole = world.ask()
  await sleep(50)
  world.upstream.answer = say('well')
  upstream.open[0]?.destroy()

  await expect(leader.done).rejects.toThrow(/./)
  await expect(streamed.done).rejects.toThrow(/./)
  expect(await (await whole).json()).toMatchObject({ choices: [{ message: { content: 'well' } }] })
})

test('parallel answers by chance stay as many as were asked for', async () => {
  const world = await startCacheWorld(say('hi'))
  await Promise.all([1, 2, 3].map(async () => (await world.ask({ temperature: 0.8 })).text()))
  expect(world.upstream.seen).toHaveLength(3)
})

test('each of those who wait passes its own limits first', async () => {
  const upstream = gated()
  const world = await startCacheWorld(
    upstream.answer,
    'taskTypes: { short: { maxUsd: 1, maxModelCalls: 1 } }\nbudget: { holdWaitMs: 0 }',
  )
  const headers = { 'x-task-id': 't1', 'x-task-type': 'short' }
  const first = world.ask({ stream: true }, headers)
  await until(() => upstream.open.length === 1)
  const second = await world.ask({ stream: true }, headers)
  expect(second.status).toBe(429)
  expect(await second.json()).toMatchObject({ error: { code: 'task_budget_held' } })
  const stranger = world.ask({ stream: true }, {}, 'sk-bob')
  await sleep(50)
  upstream.finish(0)
  expect(await (await first).text()).toContain('two')
  expect((await stranger).headers.get('x-cache')).toBe('join')
})

test('a hundred equal requests are one call upstream', async () => {
  const world = await startCacheWorld(async (request, response) => {
    await sleep(300)
    await say('hi')(request, response)
  })
  const answers = await Promise.all(Array.from({ length: 100 }, async () => (await world.ask()).json()))
  expect(answers).toHaveLength(100)
  expect(world.upstream.seen).toHaveLength(1)
})

test("the provider's bill is what the gateway booked, however requests come together", async () => {
  const { simulator, url } = await startSimulatedProvider({ profile: '7-8B/L40S', speed: 20 })
  onTestFinished(() => simulator.close())
  const gateway = await startGatewayProcess({ config: moneyConfig(url), env: { TEST_ADMIN_KEY: 'sk-admin-test' } })
  const world = moneyWorld(simulator, () => gateway)
  const asked = (): number => simulator.meter.rows().get('sim')?.requests ?? 0
  let round = 0
  const request = fc.record({
    question: fc.integer({ min: 0, max: 2 }),
    stream: fc.boolean(),
    delayMs: fc.integer({ min: 0, max: 60 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 12 }), async (requests) => {
      round += 1
      const task = `round-${round}`
      const before = simulator.meter.total()
      const calls = asked()
      await Promise.all(
        requests.map(async ({ question: which, stream, delayMs }) => {
          await sleep(delayMs)
          const messages = [{ role: 'user', content: `Round ${round}, question ${which}.` }]
          const response = await world.chat({ messages, temperature: 0, stream }, { 'x-task-id': task })
          expect(response.status).toBe(200)
          await response.text()
        }),
      )
      const { spent } = await world.task(task)
      expect(BigInt(spent.nano_usd)).toBe(simulator.meter.total() - before)
      expect(asked() - calls).toBe(new Set(requests.map((each) => each.question)).size)
    }),
    { numRuns: 15 },
  )
})
