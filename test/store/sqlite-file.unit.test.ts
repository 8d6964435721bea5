import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LEDGER_FILE, openLedgerFile } from '../../src/budget/ledger/ledger-file.ts'
import { RESPONSES_FILE, ResponseStore } from '../../src/store/response-store.ts'

let dir: string
let umask: number
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'switchyard-sqlite-'))
  umask = process.umask(0o022)
})
afterEach(() => {
  process.umask(umask)
  rmSync(dir, { recursive: true, force: true })
})

const OPENERS = [
  [LEDGER_FILE, (path: string) => openLedgerFile(path, 'process')],
  [RESPONSES_FILE, (path: string) => new ResponseStore(path)],
] as const

/** Names and permission bits of what lies in the folder. */
function modes(): readonly string[] {
  return readdirSync(dir)
    .toSorted()
    .map((name) => `${name} ${(statSync(join(dir, name)).mode & 0o777).toString(8)}`)
}

test.each(OPENERS)('%s and what lies beside it is for its owner alone, also where it was not before', (name, open) => {
  const path = join(dir, name)
  const expected = [`${name} 600`, `${name}-shm 600`, `${name}-wal 600`]
  const first = open(path)
  expect(modes()).toEqual(expected)
  for (const each of readdirSync(dir)) chmodSync(join(dir, each), 0o644)
  const second = open(path)
  expect(modes()).toEqual(expected)
  first.close()
  second.close()
  expect(modes()).toEqual([`${name} 600`])
})
