import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startMoneyWorld, type MoneyWorld } from '../support/money-world.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

function ledger(world: MoneyWorld, ...args: readonly string[]): { status: number | null; out: string; err: string } {
  const { dir } = world.gateway
  const command = [MAIN, 'ledger', ...args, '--config', join(dir, 'switchyard.yaml'), '--data-dir', join(dir, 'data')]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: dir, encoding: 'utf8' })
  return { status, out: stdout, err: stderr }
}

test('an attempt of unknown cost is listed, settled with evidence by the running service, and gives the rest back', async () => {
  const world = await startMoneyWorld({ faults: [{ fault: '500', requests: [1] }] })
  await world.chat({ max_tokens: 50 }, { 'x-task-id': 'agent', 'x-task-budget-usd': '1' })
  const { unresolved_nano_usd: unresolved, attempts } = await world.task('agent')
  expect(unresolved).toBeGreaterThan(0)
  const id = attempts[0]?.id ?? ''
  expect(ledger(world, 'unresolved').out).toContain(id)
  expect(ledger(world, 'reconcile', id, '--cost-usd', '0.0001')).toMatchObject({ status: 2 })
  const done = ledger(world, 'reconcile', id, '--cost-usd', '0.0001', '--evidence', 'usage page, line 7')
  expect(done).toMatchObject({ status: 0 })
  expect(await world.task('agent')).toMatchObject({ spent: { nano_usd: 100_000 }, unresolved_nano_usd: 0 })
  expect(ledger(world, 'unresolved').out).toBe('nothing is unresolved\n')
  expect(ledger(world, 'reconcile', id, '--cost-usd', '0', '--evidence', 'again')).toMatchObject({ status: 2 })
})

test('a backup is made while the service runs, and a service starts on it with the same books', async () => {
  const world = await startMoneyWorld()
  await world.chat({ max_tokens: 20 }, { 'x-task-id': 'agent' })
  const before = await world.task('agent')
  const copy = join(world.gateway.dir, 'restored', 'ledger.sqlite')
  spawnSync('mkdir', ['-p', join(world.gateway.dir, 'restored')])
  expect(ledger(world, 'backup', copy)).toMatchObject({ status: 0 })
  expect(ledger(world, 'backup', copy)).toMatchObject({ status: 2 })
  const { openLedger } = await import('../support/ledger-drivers.ts')
  const db = openLedger(copy)
  expect(db.prepare("SELECT settled FROM books WHERE id = 'task:usd:acme/agent'").get()).toEqual({
    settled: before.spent.nano_usd,
  })
  db.close()
})
