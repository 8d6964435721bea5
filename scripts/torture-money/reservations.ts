/** Part 1: reservations from many sides at once, on the ledger's file, judged by a tally that shares no code with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JournaledLedger } from '../../src/budget/ledger/journaled-ledger.ts'
import { openLedgerFile } from '../../src/budget/ledger/ledger-file.ts'
import { SqliteJournal } from '../../src/budget/ledger/sqlite-journal.ts'
import { seededRandom } from '../../src/simulator/random.ts'

const CALLERS = 500
const TASKS = 200
const KEYS = 10
const TASK_LIMIT = 50_000_000
const KEY_LIMIT = 600_000_000

export interface ReservationsResult {
  readonly admitted: number
  readonly refused: number
  /** Nano-dollars above a limit, over all books; must be 0. */
  readonly overspent: bigint
  /** Books whose figures differ from the tally; must be 0. */
  readonly wrong: number
  readonly perSecond: number
}

/** What the provider has billed or may still bill in one book. */
interface Tally {
  readonly limit: bigint
  billed: bigint
  open: bigint
  most: bigint
}

export async function tortureReservations(
  count: number,
  seed: number,
  onDone: (more: number) => void,
): Promise<ReservationsResult> {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-torture-'))
  const db = openLedgerFile(join(dir, 'ledger.sqlite'), 'process')
  const ledger = new JournaledLedger(new SqliteJournal(db), { defer: setImmediate })
  const random = seededRandom(seed)
  const tallies = new Map<string, Tally>()
  const tallyOf = (book: string, limit: number): Tally => {
    let tally = tallies.get(book)
    if (tally === undefined) {
      tally = { limit: BigInt(limit), billed: 0n, open: 0n, most: 0n }
      tallies.set(book, tally)
    }
    return tally
  }
  let next = 0
  let admitted = 0
  const started = performance.now()
  const caller = async (): Promise<void> => {
    while (next < count) {
      const number = next++
      if (number % 1000 === 0) onDone(1000)
      // New tasks all the time: old ones are exhausted.
      const task = Math.floor(number / 20_000) * TASKS + Math.floor(random() * TASKS)
      const key = Math.floor(number / 20_000) * KEYS + (task % KEYS)
      const amount = 1 + Math.floor(random() * 3_000_000)
      const lines = [
        { book: `task:${task}`, amount, limit: TASK_LIMIT },
        { book: `key:${key}`, amount, limit: KEY_LIMIT },
      ]
      const note = {
        tenant: 't',
        key: 'k',
        task: undefined,
        taskType: 'default',
        model: 'm',
        upstream: 'u',
        day: '2026-11-25',
        atMs: 1,
      }
      const id = `r${number}`
      const { kind } = await ledger.reserve({ id, lines, note, sendsAtOnce: true })
      if (kind !== 'admitted') continue
      admitted += 1
      const books = lines.map(({ book, limit }) => tallyOf(book, limit))
      for (const tally of books) {
        tally.open += BigInt(amount)
        const now = tally.billed + tally.open
        if (now > tally.most) tally.most = now
      }
      if (random() < 0.5) await new Promise((resolve) => setImmediate(resolve))
      const fate = random()
      const cost = fate < 0.1 ? 0 : Math.floor(random() * (amount + 1))
      if (fate < 0.1) ledger.void(id)
      else if (fate < 0.15) ledger.unresolve(id)
      else ledger.settle(id, [cost, cost])
      for (const tally of books) {
        if (fate >= 0.1 && fate < 0.15) continue
        tally.open -= BigInt(amount)
        tally.billed += BigInt(cost)
      }
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  const seconds = (performance.now() - started) / 1000
  await ledger.close()
  db.close()
  // What a new process reads from the file is what the provider knows.
  const again = openLedgerFile(join(dir, 'ledger.sqlite'), 'process')
  const reopened = new JournaledLedger(new SqliteJournal(again), { defer: setImmediate })
  let overspent = 0n
  let wrong = 0
  for (const [book, { limit, billed, open, most }] of tallies) {
    if (most > limit) overspent += most - limit
    const { settled, held, unresolved } = reopened.balance(book)
    if (BigInt(settled) !== billed || BigInt(held + unresolved) !== open) wrong += 1
  }
  await reopened.close()
  again.close()
  rmSync(dir, { recursive: true, force: true })
  return { admitted, refused: count - admitted, overspent, wrong, perSecond: Math.round(count / seconds) }
}
