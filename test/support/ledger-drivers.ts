/** The ledger's drivers as the contract suite sees them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { JournaledLedger } from '../../src/budget/ledger/journaled-ledger.ts'
import { NoJournal } from '../../src/budget/ledger/journal.ts'
import type { AttemptLedger, AttemptNote, Line, Reservation } from '../../src/budget/ledger/ledger.ts'
import { openLedgerFile } from '../../src/budget/ledger/ledger-file.ts'
import { SqliteJournal } from '../../src/budget/ledger/sqlite-journal.ts'
import { ThreadedJournal } from '../../src/budget/ledger/threaded-journal.ts'
import { RecordingJournal } from './recording-journal.ts'

export interface LedgerDriver {
  readonly ledger: AttemptLedger
  /** The process dies without a word and another one opens what it left; undefined where a driver keeps nothing. */
  readonly crash: (() => Promise<LedgerDriver>) | undefined
  readonly disk: { fill(): void | Promise<void>; free(): void | Promise<void> } | undefined
  close(): Promise<void>
}
export type OpenDriver = () => Promise<LedgerDriver>

export const DRIVERS: readonly (readonly [name: string, open: OpenDriver])[] = [
  ['memory', () => Promise.resolve(inMemory())],
  ['journal', () => Promise.resolve(journaled(new RecordingJournal()))],
  ['sqlite', () => Promise.resolve(sqlite())],
  ['sqlite with fsync', () => Promise.resolve(threaded(newDirectory()))],
]

const defer = (flush: () => void): void => void setImmediate(flush)

function inMemory(): LedgerDriver {
  const ledger = new JournaledLedger(new NoJournal(), { defer })
  return { ledger, crash: undefined, disk: undefined, close: () => ledger.close() }
}

function journaled(journal: RecordingJournal): LedgerDriver {
  const ledger = new JournaledLedger(journal, { defer })
  return {
    ledger,
    crash: async () => {
      await ledger.written()
      return journaled(journal)
    },
    disk: {
      fill: () => {
        journal.isFull = true
      },
      free: () => {
        journal.isFull = false
      },
    },
    close: () => ledger.close(),
  }
}

/** The ledger's file as the service opens it. */
export function openLedger(path: string): DatabaseSync {
  return openLedgerFile(path, 'process')
}

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'switchyard-ledger-'))
}

function threaded(dir: string, old: readonly (() => Promise<void>)[] = []): LedgerDriver {
  const path = join(dir, 'ledger.sqlite')
  const db = openLedger(path)
  const journal = new ThreadedJournal(path, new SqliteJournal(db))
  const ledger = new JournaledLedger(journal, { defer })
  const end = async (): Promise<void> => {
    await journal.close()
    db.close()
  }
  return {
    ledger,
    crash: async () => {
      await ledger.written()
      return threaded(dir, [...old, end])
    },
    // The thread has a connection of its own, which a test cannot limit.
    disk: undefined,
    close: async () => {
      await ledger.close()
      for (const each of [...old, end]) await each()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function sqlite(dir: string = newDirectory(), old: readonly DatabaseSync[] = []): LedgerDriver {
  const db = openLedger(join(dir, 'ledger.sqlite'))
  const ledger = new JournaledLedger(new SqliteJournal(db), { defer })
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
  return {
    ledger,
    crash: async () => {
      await ledger.written()
      // The old connection stays open and is never told, as with a killed process.
      return sqlite(dir, [...old, db])
    },
    // SQLite answers "database or disk is full" just as on a full disk.
    disk: {
      fill: () => fillPages(db, pages),
      free: () => db.exec('PRAGMA max_page_count=1000000'),
    },
    close: async () => {
      await ledger.close()
      for (const each of [...old, db]) each.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Lets the file grow no further and uses up the room that its pages still have. */
function fillPages(db: DatabaseSync, pages: number): void {
  db.exec(`PRAGMA max_page_count=${pages}`)
  for (const size of [1000, 100, 1]) {
    try {
      for (;;)
        db.exec(
          `INSERT INTO attempts (id, state, task, tenant, key, type, model, upstream, day, at, hold, sum) VALUES ('${'x'.repeat(size)}', 4, 'x', '', '', '', '', '', '', 0, 0, 0)`,
        )
    } catch {
      // Full for rows of this size.
    }
  }
}

export const NOTE: AttemptNote = {
  tenant: 'acme',
  key: 'ci',
  task: 'fix-42',
  taskType: 'default',
  model: 'gpt-big',
  upstream: 'openai',
  day: '2026-11-25',
  atMs: 1,
}

/** A reservation of one line on the book `task`, or of the lines given. */
export function reservation(
  id: string,
  amount: number | readonly Line[],
  limit: number | undefined = 1000,
): Reservation {
  const lines = Array.isArray(amount)
    ? (amount as readonly Line[])
    : [{ book: 'task', amount: amount as number, limit }]
  return { id, lines, note: NOTE, sendsAtOnce: false }
}
