/** The books of one gateway on its own: in memory, written ahead to a file in its data directory. */
import { join } from 'node:path'
import type { Bookkeeping, BookkeepingOptions, OpenMoney } from './bookkeeping.ts'
import { commitPace } from './budget/ledger/commit-pace.ts'
import type { Journal } from './budget/ledger/journal.ts'
import { JournaledLedger } from './budget/ledger/journaled-ledger.ts'
import { LEDGER_FILE, openLedgerFile } from './budget/ledger/ledger-file.ts'
import { LedgerHistory } from './budget/upkeep/ledger-history.ts'
import { SqliteJournal } from './budget/ledger/sqlite-journal.ts'
import { ThreadedJournal } from './budget/ledger/threaded-journal.ts'
import type { Config } from './config/config.ts'
import { addUsd, toNanoUsd, ZERO_USD } from './shared/money.ts'
import { damaged, lockDataDir } from './store/sqlite-file.ts'
import { StoreProblem } from './store/store-problem.ts'
import { Upkeep } from './upkeep.ts'

const CLOCK = 'clock'
const DAY = 'day'

/** Rejects with StoreProblem where the ledger is in use by another process, damaged, or cannot be opened. */
export async function openOwnBooks(config: Config, options: BookkeepingOptions): Promise<Bookkeeping> {
  const { books, recovered } = openFile(config, options)
  // What the process before left open is written down before the first request: who looks into the file sees it as it is.
  await recovered
  return books
}

function openFile(
  config: Config,
  options: BookkeepingOptions,
): { readonly books: Bookkeeping; readonly recovered: Promise<void> } {
  const { wallNow, onEvent } = options
  let upkeep: Upkeep | undefined
  const release = lockDataDir(config.dataDir)
  const path = join(config.dataDir, LEDGER_FILE)
  const db = closeOnThrow(release, () => openLedgerFile(path, config.durability))
  const close = (): void => {
    db.close()
    release()
  }
  return closeOnThrow(close, () => {
    const own = new SqliteJournal(db)
    const threaded = config.durability === 'power' ? new ThreadedJournal(path, own) : undefined
    const ledger = openLedger(threaded ?? own, path, options)
    const { recovered } = ledger
    if (recovered.voided + recovered.unresolved > 0) onEvent({ event: 'ledger', what: 'recovered', ...recovered })
    const books: Bookkeeping = {
      ledger,
      store: ledger,
      desk: ledger,
      past: new LedgerHistory(db),
      open: () => ledger.books.open(),
      upkeep() {
        if (upkeep === undefined) throw new Error('asked for before the tasks were there')
        return upkeep
      },
      openMoney: () => openMoney(ledger),
      wallNow,
      lastDay: ledger.read(CLOCK, DAY),
      keepDay: (day) => ledger.write(CLOCK, DAY, day),
      serve(tasks) {
        upkeep = new Upkeep({
          path,
          durability: config.durability,
          ledger,
          tasks,
          keys: options.subjectKeys,
          forgetEvents: options.forgetEvents,
          expireEvents: options.expireEvents,
          forgetResponses: options.forgetResponses,
          retention: options.retention,
          idleMs: options.idleMs,
          wallNow,
          onEvent,
        })
        upkeep.start()
      },
      admitter: (inner) => inner,
      service: (inner) => inner,
      tidy(gone, today) {
        // Books of tasks nobody uses, and of days and months that are over.
        ledger.books.evict(({ id }) => gone.has(id) || isOver(id, today))
      },
      async close() {
        await upkeep?.close()
        await ledger.close()
        await threaded?.close()
        close()
      },
    }
    return { books, recovered: ledger.written() }
  })
}

function openLedger(journal: Journal, path: string, { now, lines, onEvent }: BookkeepingOptions): JournaledLedger {
  try {
    return new JournaledLedger(journal, {
      defer: commitPace(now),
      onFreed: (attempt) => {
        for (const { id } of attempt.books) lines.freed(id)
      },
      onTrouble: (error) =>
        onEvent(
          error === undefined
            ? { event: 'ledger', what: 'written again' }
            : { event: 'ledger', what: 'cannot be written', detail: String(error) },
        ),
    })
  } catch (error) {
    if (error instanceof StoreProblem) throw error
    throw damaged(path, error instanceof Error ? error.message : String(error))
  }
}

/** Whether a book is of a day or month before this one: `key:usd:2026-11-24:ci`. */
function isOver(book: string, today: string): boolean {
  const time = /^(?:key|tenant):usd:(\d{4}-\d\d(?:-\d\d)?):/.exec(book)?.[1]
  return time !== undefined && time !== today && time !== today.slice(0, 7)
}

function openMoney(ledger: JournaledLedger): OpenMoney {
  let held = ZERO_USD
  let unresolved = ZERO_USD
  for (const { state, lines } of ledger.books.open()) {
    const amount = toNanoUsd(lines[0]?.amount ?? 0)
    if (state === 'unresolved') unresolved = addUsd(unresolved, amount)
    else held = addUsd(held, amount)
  }
  return { held, unresolved }
}

function closeOnThrow<T>(close: () => void, open: () => T): T {
  try {
    return open()
  } catch (error) {
    close()
    throw error
  }
}
