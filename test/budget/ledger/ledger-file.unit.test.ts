import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { JournaledLedger } from '../../../src/budget/ledger/journaled-ledger.ts'
import { SqliteJournal } from '../../../src/budget/ledger/sqlite-journal.ts'
import { lockDataDir } from '../../../src/store/sqlite-file.ts'
import { openLedger, reservation } from '../../support/ledger-drivers.ts'

const defer = (flush: () => void): void => void setImmediate(flush)

function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-ledger-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** The files of a ledger as a killed process leaves them: a settled attempt, one that was sent, and another settled one. */
async function killedLedger(): Promise<string> {
  const dir = directory()
  const path = join(dir, 'ledger.sqlite')
  const db = openLedger(path)
  const ledger = new JournaledLedger(new SqliteJournal(db), { defer })
  await ledger.reserve({ ...reservation('a', 600), sendsAtOnce: true })
  ledger.settle('a', [100])
  await ledger.written()
  await ledger.reserve({ ...reservation('b', 200), sendsAtOnce: true })
  await ledger.reserve({ ...reservation('c', 50), sendsAtOnce: true })
  ledger.settle('c', [50])
  await ledger.written()
  const copy = join(directory(), 'ledger.sqlite')
  for (const end of ['', '-wal']) if (existsSync(path + end)) cpSync(path + end, copy + end)
  db.close()
  return copy
}

function reopen(path: string): JournaledLedger {
  const db = openLedger(path)
  onTestFinished(() => db.close())
  return new JournaledLedger(new SqliteJournal(db), { defer })
}

test('a killed process leaves a file that opens with everything in it', async () => {
  const ledger = reopen(await killedLedger())
  expect(ledger.balance('task')).toEqual({ settled: 150, held: 0, unresolved: 200 })
  expect(ledger.recovered).toEqual({ voided: 0, unresolved: 1 })
})

test('a log whose last record is torn loses that record alone, which leaves a hold and not a gap', async () => {
  const path = await killedLedger()
  truncateSync(`${path}-wal`, statSync(`${path}-wal`).size - 7)
  expect(reopen(path).balance('task')).toEqual({ settled: 100, held: 0, unresolved: 250 })
})

test('a flipped bit in the middle of the log is found, and the start refused with what to do', async () => {
  const path = await killedLedger()
  const wal = readFileSync(`${path}-wal`)
  const middle = Math.floor(wal.length / 2)
  wal[middle] = (wal[middle] as number) ^ 1
  writeFileSync(`${path}-wal`, wal)
  expect(() => openLedger(path)).toThrow(/damaged .*put a backup in its place/s)
})

test.each([
  ['a file that is no database', (bytes: Buffer) => bytes.fill('not a database, honestly', 0, 4096)],
  ['a broken page', (bytes: Buffer) => bytes.fill(0xff, 4096, bytes.length)],
  ['an empty head', (bytes: Buffer) => bytes.fill(0, 0, 100)],
])('%s is refused with what to do', async (_what, damage) => {
  const path = await killedLedger()
  // A clean end moves the log into the file.
  openLedger(path).close()
  const bytes = readFileSync(path)
  damage(bytes)
  writeFileSync(path, bytes)
  expect(() => openLedger(path)).toThrow(/damaged .*put a backup in its place/s)
})

test('a book that was changed behind our back is refused when it is read', async () => {
  const path = await killedLedger()
  const db = openLedger(path)
  db.exec("UPDATE books SET settled = 0 WHERE id = 'task'")
  db.close()
  expect(() => reopen(path).balance('task')).toThrow(/book task/)
})

test('of two services on one directory the second is refused, until the first has gone', () => {
  const dir = directory()
  const release = lockDataDir(dir)
  expect(() => lockDataDir(dir)).toThrow(/another switchyard runs on/)
  release()
  lockDataDir(dir)()
})
