import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { openLedger } from '../support/ledger-drivers.ts'

const CONFIG = `
upstreams: { up: { kind: vllm, replicas: ["http://127.0.0.1:9"] } }
models: { m: { upstream: up, model: x } }
telemetry: { log: off, events: null }
`

function dataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-start-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  mkdirSync(join(dir, 'data'), { mode: 0o700 })
  return join(dir, 'data')
}

test.each([
  [
    'a ledger that is no database',
    (path: string) => writeFileSync(path, 'x'.repeat(8192)),
    /is damaged .*put a backup in its place/s,
  ],
  [
    'a ledger with a broken page',
    (path: string) => {
      openLedger(path).close()
      const bytes = readFileSync(path)
      bytes.fill(0xff, 4096)
      writeFileSync(path, bytes)
    },
    /is damaged .*put a backup in its place/s,
  ],
  [
    'a ledger of a later version',
    (path: string) => {
      const db = openLedger(path)
      db.exec('PRAGMA user_version=99')
      db.close()
    },
    /written by a later version/,
  ],
])('%s is refused at start with what to do, and left as it is', async (_what, prepare, sentence) => {
  const dir = dataDir()
  const path = join(dir, 'ledger.sqlite')
  prepare(path)
  const before = readFileSync(path)
  const start = startGatewayProcess({ config: CONFIG, flags: ['--data-dir', dir] })
  await expect(start).rejects.toThrow(/ended with 2/)
  await expect(start).rejects.toThrow(sentence)
  expect(readFileSync(path).equals(before)).toBe(true)
})
