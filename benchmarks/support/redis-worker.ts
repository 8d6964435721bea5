/**
 * One gateway's load on the shared ledger: `node redis-worker.ts JSON`. Prints one line `ready`, waits for a byte on stdin, and prints
 * what it did as JSON.
 */
import { once } from 'node:events'
import type { Line } from '../../src/budget/ledger/ledger.ts'
import { openRedisLedger } from '../../test/support/redis-driver.ts'
import { NOTE } from '../../test/support/ledger-drivers.ts'

export interface WorkerTask {
  readonly url: string
  readonly name: string
  readonly reservations: number
  readonly concurrency: number
  /** Nano-dollars that the task's book may hold. */
  readonly limit: number
  readonly seed: number
}

/** What came of the reservations, and what must stand in the task's book because of them. */
export interface WorkerResult {
  readonly admitted: number
  readonly refused: number
  readonly other: Readonly<Record<string, number>>
  readonly settled: number
  readonly held: number
  readonly unresolved: number
  readonly p50Us: number
  readonly p99Us: number
}

const task = JSON.parse(process.argv[2] ?? '{}') as WorkerTask
const { ledger, die } = await openRedisLedger(task.url, { commandTimeoutMs: 20_000 })
await ledger.start()
let state = task.seed
/** Park-Miller generator: a run can be repeated by its seed. */
const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647

/** The lines of a real attempt: money in four books, tokens and calls of the task. */
function linesOf(amount: number): readonly Line[] {
  return [
    { book: 'task:usd:acme/fix-42', amount, limit: task.limit },
    { book: 'key:usd:2026-11-25:ci', amount, limit: undefined },
    { book: 'key:usd:2026-11:ci', amount, limit: undefined },
    { book: 'tenant:usd:2026-11-25:acme', amount, limit: undefined },
    { book: 'task:tokens:acme/fix-42', amount: 1000, limit: undefined },
    { book: 'task:calls:acme/fix-42', amount: 1, limit: undefined },
  ]
}

process.stdout.write('ready\n')
await once(process.stdin, 'data')
const tally = { admitted: 0, refused: 0, settled: 0, held: 0, unresolved: 0 }
const other: Record<string, number> = {}
const times: number[] = []
let next = 0
const run = async (): Promise<void> => {
  while (next < task.reservations) {
    const id = `${task.name}/${next++}`
    const amount = 1 + Math.floor(random() * 1000)
    const before = performance.now()
    const { kind } = await ledger.reserve({ id, lines: linesOf(amount), note: NOTE, sendsAtOnce: true })
    times.push(performance.now() - before)
    if (kind === 'refused') tally.refused += 1
    else if (kind !== 'admitted') other[kind] = (other[kind] ?? 0) + 1
    if (kind !== 'admitted') continue
    tally.admitted += 1
    const end = random()
    if (end < 0.94) {
      const cost = Math.floor(random() * (amount + 1))
      await ledger.settle(id, [cost, cost, cost, cost, 500, 1], { input: 300, output: 200 })
      tally.settled += cost
    } else if (end < 0.96) await ledger.void(id)
    else if (end < 0.98) {
      await ledger.unresolve(id)
      tally.unresolved += amount
    } else tally.held += amount
  }
}
await Promise.all(Array.from({ length: task.concurrency }, run))
times.sort((a, b) => a - b)
const at = (q: number): number => Math.round((times[Math.floor(times.length * q)] ?? 0) * 1000)
const result: WorkerResult = { ...tally, other, p50Us: at(0.5), p99Us: at(0.99) }
process.stdout.write(`${JSON.stringify(result)}\n`)
die()
process.exit(0)
