/** kill -9 of gateways and of Redis at random moments: what the provider bills is always counted as spent. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { ADMIN_KEY, moneyConfig, moneyWorld, startSimulatedProvider } from '../support/money-world.ts'
import { NO_REDIS, startRedis } from '../support/redis-server.ts'

/** Every third kill hits Redis, the others one of the two gateways. */
const KILLS = 9
const CALLERS = 8
const BUDGET_USD = '0.4'

type Gateway = GatewayProcess & { stop(): Promise<void> }

describe.skipIf(NO_REDIS !== undefined)(`with a real Redis${NO_REDIS === undefined ? '' : ` (${NO_REDIS})`}`, () => {
  test(`over ${KILLS} kills of two gateways and their Redis the provider never bills more than was counted, nor more than the budget`, async () => {
    const redis = await startRedis()
    const { simulator, url } = await startSimulatedProvider({ profile: '1-3B/H100', speed: 10 })
    onTestFinished(async () => {
      await simulator.close()
      await redis.remove()
    })
    const config = moneyConfig(url, {
      config:
        'store: { kind: redis, url: env:REDIS_URL }\nbudget: { holdWaitMs: 20 }\ntaskTypes: { default: { concurrency: 500 } }',
    })
    const env = { TEST_ADMIN_KEY: ADMIN_KEY, REDIS_URL: redis.url }
    const start = (): Promise<Gateway> => startGatewayProcess({ config, env, ownedByTest: false })
    const gateways = await Promise.all([start(), start()])
    onTestFinished(async () => {
      for (const each of gateways) await each.stop()
    })
    const worlds = [0, 1].map((n) => moneyWorld(simulator, () => gateways[n] as Gateway))
    const over = new AbortController()
    let answered = 0
    const callers = Array.from({ length: CALLERS }, async (_, caller) => {
      for (let i = 0; !over.signal.aborted; i++) {
        const body = { max_tokens: 30, stream: i % 2 === 0, messages: [{ role: 'user', content: `${caller} ${i}` }] }
        const headers = { 'x-task-id': 'agent', 'x-task-budget-usd': BUDGET_USD }
        const reply = await worlds[caller % 2]?.chat(body, headers).catch(() => undefined)
        await reply?.text().catch(() => '')
        if (reply?.status === 200) answered += 1
        else await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })
    for (let kill = 0; kill < KILLS; kill++) {
      // Moments that differ from kill to kill and are the same in each run.
      await new Promise((resolve) => setTimeout(resolve, 100 + ((kill * 137) % 300)))
      if (kill % 3 === 2) {
        await redis.stop('SIGKILL')
        await redis.start()
        continue
      }
      const n = kill % 2
      const old = gateways[n] as Gateway
      old.signal('SIGKILL')
      await old.exited
      gateways[n] = await start()
      await old.stop()
    }
    await new Promise((resolve) => setTimeout(resolve, 2500))
    over.abort()
    await Promise.all(callers)
    await expect.poll(() => simulator.running, { timeout: 5000 }).toBe(0)
    // What the dead had sent counts as spent when their leases are over.
    await expect
      .poll(async () => (await worlds[0]?.task('agent'))?.held_nano_usd, { timeout: 25_000, interval: 500 })
      .toBe(0)
    const pages = await Promise.all(worlds.map((each) => each.task('agent')))
    const billed = Number(simulator.meter.total())
    for (const { spent, unresolved_nano_usd: unresolved } of pages) {
      expect(spent.nano_usd + unresolved).toBeGreaterThanOrEqual(billed)
      expect(spent.nano_usd + unresolved).toBeLessThanOrEqual(Number(BUDGET_USD) * 1e9)
      expect(unresolved).toBeGreaterThan(0)
    }
    expect(answered).toBeGreaterThan(20)
    expect(gateways.map((each) => each.child.exitCode)).toEqual([null, null])
  }, 120_000)
})
