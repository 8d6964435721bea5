/** The commands of docs/operations.md, run as they stand there. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { killedService, type Listed } from '../support/kill-world.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const BLOCKS = [...readFileSync(join(ROOT, 'docs/operations.md'), 'utf8').matchAll(/^```sh\n([^]*?)^```$/gm)].map(
  ([, block]) => block ?? '',
)
/** `npx switchyard` is this checkout's program, with the Node that runs the test. */
const SETUP = `set -euo pipefail
npx() { shift; node ${ROOT}src/main.ts "$@"; }
node() { ${process.execPath} "$@"; }
`
const run = promisify(execFile)

test('every command of the page does what the page says', async () => {
  const world = await killedService()
  let gateway = await world.start()
  const sh = async (block: string): Promise<string> => {
    const env = { PATH: process.env['PATH'], TEST_ADMIN_KEY: 'sk-admin-test' }
    const { stdout } = await run('bash', ['-c', SETUP + block], { cwd: world.dir, env })
    return stdout
  }
  expect(BLOCKS).toHaveLength(6)
  const [backup, restore, list, settle, many, forget] = BLOCKS as [string, string, string, string, string, string]
  expect(await sh(backup)).toMatch(/checked: 6 attempts[^]*everything adds up/)
  expect(await sh(list)).toMatch(/^3 unresolved/)
  expect(await sh(settle)).toMatch(/settled at 0\.0123 USD[^]*settled at 0 USD/)
  const { out } = await world.run('ledger', 'reconcile', '--json')
  const [left] = (JSON.parse(out) as Listed[]).filter(({ state }) => state === 'unresolved')
  writeFileSync(join(world.dir, 'usage.csv'), `id,usd,evidence\n${left?.id},0.0004,usage export\n`)
  expect(await sh(many)).toMatch(/would be settled at 0\.0004 USD[^]* settled at 0\.0004 USD/)
  expect(await sh(list)).toMatch(/^0 unresolved, 0 USD[^]*usage export/)
  expect(await sh(forget)).toContain('tenant "acme" is forgotten: 0 keys, 1 tasks, 6 attempts')
  expect(readFileSync(join(world.dir, 'acme.jsonl'), 'utf8')).toContain('"invoice 2027-01, line 12"')
  gateway.signal('SIGTERM')
  await gateway.exited
  expect(await sh(restore)).toContain('everything adds up')
  expect(existsSync(join(world.dir, 'damaged/ledger.sqlite'))).toBe(true)
  gateway = await world.start()
  expect(await sh(list)).toMatch(/^3 unresolved/)
})
