/** The promise itself, against the provider's own bill: whatever happens, a task costs no more than its budget. */
import { expect, test } from 'vitest'
import { startMoneyWorld, type MoneyWorld } from '../support/money-world.ts'

interface Usage {
  readonly total: { readonly nano_usd: number; readonly held_nano_usd: number; readonly unresolved_nano_usd: number }
}

async function usage(world: MoneyWorld): Promise<Usage['total']> {
  return ((await (await world.admin('GET', '/v1/usage')).json()) as Usage).total
}

const budget = (usd: string, id = 'agent'): Record<string, string> => ({ 'x-task-id': id, 'x-task-budget-usd': usd })

test.each(['process', 'power'])(
  '200 parallel calls on a small budget stay within it, and what was booked is what the provider bills (durability %s)',
  async (durability) => {
    const world = await startMoneyWorld({
      profile: '7-8B/H100',
      speed: 20,
      config: `budget: { holdWaitMs: 300 }\ntaskTypes: { default: { concurrency: 500 } }\nstore: { durability: ${durability} }`,
    })
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        world.chat({ max_tokens: 50, messages: [{ role: 'user', content: `Number ${i}` }] }, budget('0.02')),
      ),
    )
    const statuses = replies.map((reply) => reply.status)
    expect(statuses).toContain(200)
    expect(statuses.filter((status) => ![200, 402, 429].includes(status))).toEqual([])
    const billed = Number(world.simulator.meter.total())
    expect(billed).toBeGreaterThan(0)
    expect(billed).toBeLessThanOrEqual(20_000_000)
    const task = await world.task('agent')
    expect(task).toMatchObject({ held_nano_usd: 0, unresolved_nano_usd: 0 })
    expect(task.spent.nano_usd).toBe(billed)
    expect(await usage(world)).toEqual({
      usd: task.spent.usd,
      nano_usd: billed,
      held_nano_usd: 0,
      unresolved_nano_usd: 0,
    })
  },
)

test('agents with growing transcripts and caps that nobody can pay use their budget up and not a nano-dollar more', async () => {
  const world = await startMoneyWorld({ profile: '7-8B/H100', speed: 500, config: '' })
  const lowered: number[] = []
  const agent = async (name: string): Promise<void> => {
    const messages: object[] = [{ role: 'user', content: `${name}: ${'tell me a long story. '.repeat(60)}` }]
    for (;;) {
      const reply = await world.chat({ max_tokens: 32_000, messages }, budget('0.1'))
      const body = (await reply.json()) as {
        readonly choices?: readonly { readonly message: object; readonly finish_reason: string }[]
        readonly usage?: { readonly completion_tokens: number }
      }
      if (reply.status === 402) return
      if (reply.status === 429) continue
      expect(reply.status).toBe(200)
      const cap = Number(reply.headers.get('x-switchyard-max-tokens') ?? 32_000)
      const [choice] = body.choices ?? []
      expect(body.usage?.completion_tokens).toBeLessThanOrEqual(cap)
      if (cap < 32_000) lowered.push(cap)
      messages.push(choice?.message ?? {}, { role: 'user', content: 'and then?' })
    }
  }
  await Promise.all(['main', 'helper', 'scout'].map(agent))
  expect(lowered.length).toBeGreaterThan(3)
  expect(Math.min(...lowered)).toBeGreaterThanOrEqual(64)
  const billed = Number(world.simulator.meter.total())
  const task = await world.task('agent')
  expect(task).toMatchObject({ held_nano_usd: 0, unresolved_nano_usd: 0, spent: { nano_usd: billed } })
  expect(billed).toBeLessThanOrEqual(100_000_000)
  const metrics = await (await world.admin('GET', '/metrics')).text()
  expect(metrics).toMatch(/^switchyard_budget_hold_exceeded_total 0$/m)
})

test('retries and broken answers count too: nothing is free because it failed', async () => {
  const world = await startMoneyWorld({
    upstream: 'retries: 2',
    faults: [
      { fault: '500', requests: [1, 4] },
      { fault: 'cut', requests: [2, 6], after: 2 },
      { fault: 'no-usage', requests: [7] },
      { fault: 'close', requests: [8] },
    ],
    config: 'budget: { holdWaitMs: 0 }',
  })
  for (let i = 0; i < 12; i++)
    await world.chat({ max_tokens: 40, stream: i % 2 === 0, n: 2 }, budget('0.05')).then((reply) => reply.text())
  const billed = Number(world.simulator.meter.total())
  const task = await world.task('agent')
  expect(task.held_nano_usd).toBe(0)
  expect(task.spent.nano_usd + task.unresolved_nano_usd).toBeGreaterThanOrEqual(billed)
  expect(task.spent.nano_usd + task.unresolved_nano_usd).toBeLessThanOrEqual(50_000_000)
  expect(task.attempts.some((each) => each.state === 'unresolved')).toBe(true)
  // The retry of a call is an attempt of its own.
  expect(task.attempts.some((each) => each.id.endsWith('.2'))).toBe(true)
})

test('callers that leave in the middle pay for what was produced', async () => {
  const world = await startMoneyWorld({ profile: '70B/H100', speed: 2 })
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const abort = new AbortController()
      const body = JSON.stringify({
        model: 'paid',
        stream: true,
        max_tokens: 200,
        messages: [{ role: 'user', content: `Count to ${i + 100}.` }],
      })
      const headers = { authorization: 'Bearer sk-test', 'content-type': 'application/json', ...budget('1') }
      setTimeout(() => abort.abort(), 50 + i * 20)
      await fetch(`${world.gateway.url}/v1/chat/completions`, { method: 'POST', headers, body, signal: abort.signal })
        .then((reply) => reply.text())
        .catch(() => undefined)
    }),
  )
  await expect.poll(async () => (await world.task('agent')).held_nano_usd, { timeout: 5000 }).toBe(0)
  const task = await world.task('agent')
  // The provider stops a moment after the caller has left.
  await expect.poll(() => Number(world.simulator.meter.total()), { timeout: 5000 }).toBeGreaterThan(0)
  expect(task.spent.nano_usd + task.unresolved_nano_usd).toBeGreaterThanOrEqual(Number(world.simulator.meter.total()))
})
