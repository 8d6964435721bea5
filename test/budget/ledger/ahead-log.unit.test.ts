import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { JournaledLedger } from '../../../src/budget/ledger/journaled-ledger.ts'
import { LEDGER_SCHEMA, SqliteJournal } from '../../../src/budget/ledger/sqlite-journal.ts'
import { openLedger, reservation } from '../../support/ledger-drivers.ts'

interface World {
  readonly db: DatabaseSync
  readonly ledger: JournaledLedger
  /** Opens the files once more, as the next process does after a kill: what the first has in memory is lost. */
  reopen(): World
  count(table: string): number
}

/** What nobody waits for is left in memory: only reservations are written. */
function open(path: string): World {
  const db = openLedger(path)
  onTestFinished(() => db.close())
  const ledger = new JournaledLedger(new SqliteJournal(db), {
    defer: (flush, isWaitedFor) => void (isWaitedFor && setImmediate(flush)),
  })
  return {
    db,
    ledger,
    reopen: () => open(path),
    count: (table) => (db.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n,
  }
}

function newPath(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-ahead-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'ledger.sqlite')
}

const sent = (id: string, amount: number): ReturnType<typeof reservation> => ({
  ...reservation(id, amount),
  sendsAtOnce: true,
})

test('reservations of one turn are one row of the log, and no row of their own yet', async () => {
  const world = open(newPath())
  await Promise.all(['a', 'b', 'c'].map((id) => world.ledger.reserve(sent(id, 10))))
  expect([world.count('ahead'), world.count('attempts')]).toEqual([1, 0])
})

test('what is in the log alone when a process is killed is an open attempt of the next one, with its note and its document', async () => {
  const world = open(newPath())
  world.ledger.write('task', 'acme/t', 'as it was')
  await Promise.all([world.ledger.reserve(sent('a', 600)), world.ledger.reserve(reservation('b', 50))])
  const next = world.reopen()
  // One was sent and may cost all that it holds; the other never left.
  expect(next.ledger.recovered).toEqual({ voided: 1, unresolved: 1 })
  expect(next.ledger.balance('task')).toEqual({ settled: 0, held: 0, unresolved: 600 })
  expect(next.ledger.read('task', 'acme/t')).toBe('as it was')
  expect(next.ledger.books.find('a')?.note).toEqual(sent('a', 600).note)
  expect(next.count('ahead')).toBe(0)
})

test('a settlement that only memory knew is a hold that counts as spent', async () => {
  const world = open(newPath())
  await world.ledger.reserve(sent('a', 600))
  world.ledger.settle('a', [100])
  expect(world.reopen().ledger.balance('task')).toEqual({ settled: 0, held: 0, unresolved: 600 })
})

test('a reservation is never safe without the ends that made room for it', async () => {
  const world = open(newPath())
  await world.ledger.reserve(sent('a', 600))
  await world.ledger.reserve(sent('v', 300))
  world.ledger.settle('a', [100], { input: 7, output: 3 })
  world.ledger.void('v')
  // Fits only as the others hold nothing any more.
  expect(await world.ledger.reserve(sent('b', 900))).toEqual({ kind: 'admitted' })
  const next = world.reopen()
  expect(next.ledger.balance('task')).toEqual({ settled: 100, held: 0, unresolved: 900 })
  expect(next.count('attempts')).toBe(3)
  expect(next.db.prepare('SELECT calls, input, output, cost FROM daily').all()).toEqual([
    { calls: 1, input: 7, output: 3, cost: 100 },
  ])
})

test('so are the ends of attempts that have a row already', async () => {
  const world = open(newPath())
  await world.ledger.reserve(sent('a', 600))
  await world.ledger.written()
  world.ledger.settle('a', [100])
  await world.ledger.reserve(sent('b', 900))
  const next = world.reopen()
  expect(next.ledger.balance('task')).toEqual({ settled: 100, held: 0, unresolved: 900 })
  expect(next.count('attempts')).toBe(2)
})

test('an attempt that ends soon has one row, written once, and the log is empty then', async () => {
  const world = open(newPath())
  await world.ledger.reserve(sent('a', 600))
  world.ledger.settle('a', [100])
  await world.ledger.written()
  expect([world.count('ahead'), world.count('attempts')]).toEqual([0, 1])
  const next = world.reopen()
  expect(next.ledger.recovered).toEqual({ voided: 0, unresolved: 0 })
  expect(next.ledger.balance('task')).toEqual({ settled: 100, held: 0, unresolved: 0 })
})

test('a log that was changed behind our back is refused: a hold must not become free money', async () => {
  const world = open(newPath())
  await world.ledger.reserve(sent('a', 600))
  world.db.exec("UPDATE ahead SET text = replace(text, '600', '6')")
  expect(() => world.reopen()).toThrow(/row 1 of the log/)
})

test('a file of the version without a log is taken over', () => {
  const path = newPath()
  const old = new DatabaseSync(path)
  old.exec(`${LEDGER_SCHEMA}; DROP TABLE ahead; PRAGMA user_version=1`)
  old.close()
  expect(open(path).count('ahead')).toBe(0)
})
