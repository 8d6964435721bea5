/** kill -9 at random moments, on the same data each time: what the provider bills is always counted as spent. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { ADMIN_KEY, moneyConfig, moneyWorld, startSimulatedProvider } from '../support/money-world.ts'

const KILLS = 30
const CALLERS = 12
const BUDGET_USD = '0.4'

/** A small generator (mulberry32), so that a failing run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

test(`over ${KILLS} kills under load the provider never bills more than was counted, nor more than the budget`, async () => {
  const random = seeded(20261125)
  const { simulator, url } = await startSimulatedProvider({ profile: '1-3B/H100', speed: 10 })
  const dataDir = mkdtempSync(join(tmpdir(), 'switchyard-kill-'))
  onTestFinished(async () => {
    await simulator.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const config = moneyConfig(url, {
    config: 'budget: { holdWaitMs: 20 }\ntaskTypes: { default: { concurrency: 500 } }',
  })
  const start = (): Promise<GatewayProcess & { stop(): Promise<void> }> =>
    startGatewayProcess({
      config,
      env: { TEST_ADMIN_KEY: ADMIN_KEY },
      flags: ['--data-dir', dataDir],
      ownedByTest: false,
    })
  let gateway = await start()
  onTestFinished(() => gateway.stop())
  const world = moneyWorld(simulator, () => gateway)
  let settledBefore = 0
  let answered = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const over = new AbortController()
    const callers = Array.from({ length: CALLERS }, async (_, caller) => {
      for (let i = 0; !over.signal.aborted; i++) {
        const body = {
          max_tokens: 30,
          stream: i % 2 === 0,
          messages: [{ role: 'user', content: `${kill} ${caller} ${i}` }],
        }
        const reply = await world
          .chat(body, { 'x-task-id': 'agent', 'x-task-budget-usd': BUDGET_USD })
          .catch(() => undefined)
        if (reply === undefined) return
        await reply.text().catch(() => '')
        if (reply.status === 200) answered += 1
        else await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })
    await new Promise((resolve) => setTimeout(resolve, 20 + random() * 150))
    gateway.signal('SIGKILL')
    over.abort()
    await Promise.all([gateway.exited, ...callers])
    await gateway.stop()
    // What the provider still generates for those who are gone, it bills.
    await expect.poll(() => simulator.running, { timeout: 5000 }).toBe(0)
    gateway = await start()
    const task = await world.task('agent')
    const billed = Number(simulator.meter.total())
    expect(task.held_nano_usd).toBe(0)
    expect(task.spent.nano_usd).toBeGreaterThanOrEqual(settledBefore)
    expect(task.spent.nano_usd + task.unresolved_nano_usd).toBeGreaterThanOrEqual(billed)
    expect(task.spent.nano_usd + task.unresolved_nano_usd).toBeLessThanOrEqual(Number(BUDGET_USD) * 1e9)
    settledBefore = task.spent.nano_usd
  }
  expect(answered).toBeGreaterThan(KILLS)
  const usage = (await (await world.admin('GET', '/v1/usage?by=task_type')).json()) as { total: { nano_usd: number } }
  expect(usage.total.nano_usd).toBe(settledBefore)
}, 180_000)
