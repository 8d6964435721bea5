/** A full disk under the real process. Needs the right to mount a small file system; its twin on SQLite's own limit is in the contract suite. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, type TestContext } from 'vitest'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { ADMIN_KEY, moneyConfig, moneyWorld, startSimulatedProvider } from '../support/money-world.ts'

/** A file system of 4 MiB; skips the test where it cannot be mounted. */
function smallDisk(context: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-disk-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir])
  if (mounted.status !== 0) context.skip('a file system cannot be mounted here')
  onTestFinished(() => void spawnSync('umount', [dir]))
  return dir
}

test('with a full disk calls are refused and not sent, running ones are booked, and all goes on when there is room', async (context) => {
  const disk = smallDisk(context)
  const { simulator, url } = await startSimulatedProvider({ profile: '7-8B/L40S', speed: 4 })
  onTestFinished(() => simulator.close())
  const gateway = await startGatewayProcess({
    config: moneyConfig(url),
    env: { TEST_ADMIN_KEY: ADMIN_KEY },
    flags: ['--data-dir', join(disk, 'data')],
  })
  const world = moneyWorld(simulator, () => gateway)
  const task = { 'x-task-id': 'agent', 'x-task-budget-usd': '5' }
  const running = world.chat({ max_tokens: 200, stream: true }, task)
  await running
  const ballast = join(disk, 'ballast')
  writeFileSync(ballast, Buffer.alloc(statfsSync(disk).bavail * statfsSync(disk).bsize))

  let refused: Response | undefined
  for (let i = 0; i < 300 && refused === undefined; i++) {
    const reply = await world.chat({ max_tokens: 1 }, task)
    if (reply.status !== 200) refused = reply
    await reply.clone().text()
  }
  expect(refused?.status).toBe(503)
  expect(await refused?.json()).toMatchObject({ error: { code: 'ledger_unavailable' } })
  expect(refused?.headers.get('retry-after')).toBe('1')
  const billed = simulator.meter.rows().get('sim')?.requests
  expect((await world.chat({ max_tokens: 1 }, task)).status).toBe(503)
  expect(simulator.meter.rows().get('sim')?.requests).toBe(billed)
  await (await running).text()

  rmSync(ballast)
  expect((await world.chat({ max_tokens: 1 }, task)).status).toBe(200)
  await expect.poll(async () => (await world.task('agent')).held_nano_usd).toBe(0)
  const page = await world.task('agent')
  expect(page.unresolved_nano_usd).toBe(0)
  expect(page.spent.nano_usd).toBe(Number(simulator.meter.total()))
})
