/** A service on a ledger with a past: old attempts fold while it serves, and its totals stay. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { dayOf } from '../../src/shared/day.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { ADMIN_KEY, KEY, moneyConfig, startSimulatedProvider } from '../support/money-world.ts'
import { runCommand } from '../support/run-command.ts'
import { upkeepWorld, type TestAttempt } from '../support/upkeep-world.ts'

const DAY_MS = 86_400_000

test.each(['process', 'power'])(
  'with durability %s what is older than attemptsDays folds soon after the start, requests go on, and usage stays the same',
  async (durability) => {
    const { simulator, url } = await startSimulatedProvider()
    const dir = mkdtempSync(join(tmpdir(), 'switchyard-retention-'))
    onTestFinished(async () => {
      await simulator.close()
      rmSync(dir, { recursive: true, force: true })
    })
    mkdirSync(join(dir, 'data'), { mode: 0o700 })
    const past = upkeepWorld(join(dir, 'data'))
    const day = (daysAgo: number): string => dayOf(Date.now() - daysAgo * DAY_MS)
    const attempts = Array.from({ length: 3000 }, (_, index): TestAttempt => ({
      day: day(20 - Math.floor(index / 150)),
      tenant: 'acme',
      key: 'ci',
      end: index % 10 === 0 ? 'void' : { cost: index },
    }))
    await past.add(attempts)
    await past.ledger.close()
    past.db.close()

    const config = `${moneyConfig(url)}\nretention: { attemptsDays: 7 }\nstore: { durability: ${durability} }\n`
    const gateway = await startGatewayProcess({ config, dir, env: { TEST_ADMIN_KEY: ADMIN_KEY } })
    const usage = async (): Promise<string> => {
      const to = day(1)
      const reply = await fetch(`${gateway.url}/v1/usage?by=day,key&to=${to}`, {
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
      })
      return reply.text()
    }
    const verify = async (): Promise<{ attempts: number; problems: readonly string[] }> => {
      const { out } = await runCommand(['ledger', 'verify', '--json'], { cwd: dir, env: { TEST_ADMIN_KEY: ADMIN_KEY } })
      return JSON.parse(out) as { attempts: number; problems: readonly string[] }
    }
    const before = await usage()
    expect(before).toContain('"nano_usd"')
    expect((await verify()).attempts).toBe(3000)
    let calls = 0
    const stop = new AbortController()
    const load = (async () => {
      for (; !stop.signal.aborted; calls++) {
        const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'paid', max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] }),
        })
        await reply.text()
        expect(reply.status).toBe(200)
      }
    })()
    const kept = attempts.filter((attempt) => attempt.day >= day(7)).length
    // One call is under way, or has just been answered.
    await expect.poll(async () => (await verify()).attempts - calls, { timeout: 30_000 }).toBeLessThanOrEqual(kept + 1)
    stop.abort()
    await load
    // What nobody waits for is written within 20 ms.
    await expect.poll(verify).toMatchObject({ attempts: kept + calls, problems: [] })
    expect(await usage()).toBe(before)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toBe(0)
    expect((await verify()).problems).toEqual([])
  },
)
