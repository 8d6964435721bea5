/**
 * How large the ledger gets and how long its retention takes: writes synthetic requests without a task id as a service does, folds all of
 * them, and prints bytes per attempt, bytes per folded day, and how long the event loop was held by one step.
 *
 *   npm run ledger:size -- [--attempts 1000000] [--days 100] [--keys 10] [--models 5]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { AttemptRow } from '../src/budget/ledger/journal.ts'
import { openLedgerFile } from '../src/budget/ledger/ledger-file.ts'
import { retentionSteps } from '../src/budget/upkeep/retention.ts'
import { SqliteJournal } from '../src/budget/ledger/sqlite-journal.ts'
import { openUpkeepConnection } from '../src/budget/upkeep/upkeep-connection.ts'
import { verifyLedger } from '../src/budget/upkeep/verify-ledger.ts'
import { dayOf } from '../src/shared/day.ts'
import { newId } from '../src/shared/ids.ts'
import { readOptions } from './support/read-options.ts'

const BATCH = 1000
const FIRST_MS = Date.parse('2026-01-01')
const DAY_MS = 86_400_000

const { values } = readOptions(
  'npm run ledger:size -- [--attempts 1000000] [--days 100] [--keys 10] [--models 5]: how large the ledger gets, and what folding takes.',
  {
    attempts: { type: 'string', default: '1000000' },
    days: { type: 'string', default: '100' },
    keys: { type: 'string', default: '10' },
    models: { type: 'string', default: '5' },
  },
)
const [attempts, days, keys, models] = [values.attempts, values.days, values.keys, values.models].map(Number) as [
  number,
  number,
  number,
  number,
]

function attemptOf(number: number): AttemptRow {
  const atMs = FIRST_MS + Math.floor((number * days * DAY_MS) / attempts)
  const day = dayOf(atMs)
  const key = `key-number-${number % keys}`
  const hold = 12_345_678 + number
  const books = [`key:usd:${day}:${key}`, `key:usd:${day.slice(0, 7)}:${key}`, `tenant:usd:${day}:acme`]
  return {
    id: `${newId('req_')}/1`,
    state: 'settled',
    lines: books.map((book) => ({ book, amount: hold, limit: undefined })),
    settled: [2_345_678 + number],
    note: {
      tenant: 'acme',
      key,
      task: undefined,
      taskType: 'default',
      model: `model-number-${Math.floor(number / keys) % models}`,
      upstream: 'openai',
      day,
      atMs,
    },
    tokens: { input: 1234, output: 567 },
    row: undefined,
  }
}

/** Bytes of pages in use, without those that wait for new rows. */
function usedBytes(db: DatabaseSync): number {
  const figure = (name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0])
  return (figure('page_count') - figure('freelist_count')) * figure('page_size')
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2)
  return `p50 ${at(0.5)}  p99 ${at(0.99)}  p99.9 ${at(0.999)}  longest ${at(1)}`
}

const dir = mkdtempSync(join(tmpdir(), 'switchyard-ledger-size-'))
try {
  const db = openLedgerFile(join(dir, 'ledger.sqlite'), 'process')
  const journal = new SqliteJournal(db)
  const empty = usedBytes(db)
  const settled = new Map<string, number>()
  for (let at = 0; at < attempts; at += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, attempts - at) }, (_, index) => attemptOf(at + index))
    for (const { lines, settled: cost } of batch)
      for (const { book } of lines) settled.set(book, (settled.get(book) ?? 0) + (cost?.[0] ?? 0))
    const touched = new Set(batch.flatMap(({ lines }) => lines.map(({ book }) => book)))
    const books = [...touched].map((id) => ({ id, settled: settled.get(id) ?? 0 }))
    journal.commit({ attempts: batch, books, documents: [] })
    if (process.stderr.isTTY) process.stderr.write(`\r${at + batch.length} of ${attempts} written`)
  }
  if (process.stderr.isTTY) process.stderr.write('\n')
  const full = usedBytes(db)
  const before = dayOf(FIRST_MS + days * DAY_MS)
  const upkeep = openUpkeepConnection(join(dir, 'ledger.sqlite'), 'process')
  const steps = retentionSteps(upkeep, { before, idleBefore: 0, evict: (books) => books, isLive: () => false })
  const times: number[] = []
  const cpuTimes: number[] = []
  for (;;) {
    const startedMs = performance.now()
    const cpu = process.cpuUsage()
    const { done } = steps.next()
    const { user, system } = process.cpuUsage(cpu)
    times.push(performance.now() - startedMs)
    cpuTimes.push((user + system) / 1000)
    if (done === true) break
  }
  const folded = usedBytes(db)
  const { problems } = verifyLedger(db)
  const total = times.reduce((a, b) => a + b, 0)
  console.log(`attempts                  ${attempts} over ${days} days, ${keys} keys x ${models} models, no task ids`)
  console.log(`bytes per attempt         ${((full - empty) / attempts).toFixed(0)}`)
  console.log(`bytes per folded day      ${((folded - empty) / days).toFixed(0)}`)
  console.log(`365 folded days           ${(((folded - empty) / days) * 365 * 1e-6).toFixed(1)} MB`)
  console.log(`fold, us per attempt      ${((total * 1000) / attempts).toFixed(1)}`)
  console.log(`one step, ms              ${spread(times)}`)
  console.log(`one step, ms of CPU       ${spread(cpuTimes)}`)
  console.log(`adds up afterwards        ${problems.length === 0 ? 'yes' : problems.join('; ')}`)
  upkeep.close()
  db.close()
} finally {
  rmSync(dir, { recursive: true, force: true })
}
