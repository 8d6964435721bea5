/** How much the ledger in Redis costs, and whether four processes on one budget can overspend it. See README.md. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { NO_REDIS, startRedis, type RedisServer } from '../test/support/redis-server.ts'
import { readFlags } from './support/options.ts'
import { readTree } from './support/process-tree.ts'
import { Progress } from './support/progress.ts'
import type { WorkerResult, WorkerTask } from './support/redis-worker.ts'
import { writeReport } from './support/report.ts'
import { table } from './support/table.ts'

const flags = readFlags({
  help: `node benchmarks/redis-ledger.ts [--reservations 100000] [--rounds 3] [--quick]

Starts a redis-server (appendfsync everysec) and four processes on one budget. Each round is a fresh server; the budget has room for
about half of what is asked, so that both outcomes are frequent. Writes benchmarks/results/redis-ledger.json.
--reservations 1000000 --rounds 1 is the proof that nothing is overspent.`,
  rounds: 3,
  seconds: 1,
  quick: { rounds: 1, seconds: 1 },
  more: { reservations: { type: 'string' } },
})
const PROCESSES = 4
const CONCURRENCY = 64
const WORKER = fileURLToPath(new URL('support/redis-worker.ts', import.meta.url))
const reservations = Math.max(PROCESSES, Number(flags.more['reservations'] ?? (flags.quick ? 4000 : 100_000)))
// Whatever is under way ends with this process, also after Ctrl-C or a kill.
const ending = new Set<() => void>()
process.once('exit', () => {
  for (const end of ending) end()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const progress = new Progress(2 * flags.rounds)
if (NO_REDIS !== undefined) throw new Error(NO_REDIS)

interface Round {
  readonly room: string
  readonly admitted: number
  readonly refused: number
  readonly commandsPerStep: number
  readonly redisUsPerPair: number
  readonly perCore: number
  readonly perSecond: number
  readonly p50Us: number
  readonly p99Us: number
  readonly overspent: number
  readonly off: number
}

const rounds: Round[] = []
for (let round = 0; round < flags.rounds; round++) {
  rounds.push(await measure('all', Number.MAX_SAFE_INTEGER, round))
  // Of a hold of 500 on average about 260 stay in the book.
  rounds.push(await measure('half', Math.round(reservations * 130), round))
}
progress.end()
console.log(
  `${reservations} reservations from ${PROCESSES} processes, ${CONCURRENCY} at a time each, 6 books per attempt\n`,
)
console.log(
  table(
    [
      'room for',
      'admitted',
      'refused',
      'commands/step',
      'Redis us/pair',
      'pairs/s per Redis core',
      'pairs/s here',
      'reserve p50/p99 us',
      'overspent',
      'off by',
    ],
    rounds.map((each) => [
      each.room,
      String(each.admitted),
      String(each.refused),
      each.commandsPerStep.toFixed(3),
      each.redisUsPerPair.toFixed(1),
      each.perCore.toFixed(0),
      each.perSecond.toFixed(0),
      `${each.p50Us}/${each.p99Us}`,
      String(each.overspent),
      String(each.off),
    ]),
  ),
)
console.log(
  '\npair = reserve and settle of an admitted attempt, or a refused reserve as half a pair; overspent and off in nano-dollars, off = between the books and what the processes counted',
)
console.log(`\n${writeReport('redis-ledger', { reservations, processes: PROCESSES, rounds })}`)
if (rounds.some(({ overspent, off }) => overspent > 0 || off !== 0)) process.exitCode = 1

async function measure(room: string, limit: number, round: number): Promise<Round> {
  progress.step(`round ${round + 1}, room for ${room}: ${reservations} reservations`)
  const server = await startRedis()
  const end = (): void => server.signal('SIGKILL')
  ending.add(end)
  try {
    return await load(server, room, limit, round)
  } finally {
    ending.delete(end)
    await server.remove()
  }
}

async function load(server: RedisServer, room: string, limit: number, round: number): Promise<Round> {
  const workers = await Promise.all(
    Array.from({ length: PROCESSES }, (_, n) =>
      startWorker({
        url: server.url,
        name: `w${n}`,
        reservations: Math.floor(reservations / PROCESSES),
        concurrency: CONCURRENCY,
        limit,
        seed: 1 + round * PROCESSES + n,
      }),
    ),
  )
  const admin = new Redis({ path: server.socket })
  await admin.config('RESETSTAT')
  const cpuBefore = readTree(server.pid).cpuMs
  const before = performance.now()
  const results = await Promise.all(workers.map((go) => go()))
  const seconds = (performance.now() - before) / 1000
  const cpuMs = readTree(server.pid).cpuMs - cpuBefore
  const scripts = Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)
  const book = await admin.get('switchyard:{acme}:book:task:usd:acme/fix-42')
  const [settled = 0, held = 0, unresolved = 0] = (book ?? '').split(' ').map(Number)
  admin.disconnect()
  const sum = (pick: (each: WorkerResult) => number): number => results.reduce((total, each) => total + pick(each), 0)
  for (const { other } of results)
    if (Object.keys(other).length > 0) progress.note(`other answers: ${JSON.stringify(other)}`)
  const admitted = sum((each) => each.admitted)
  const refused = sum((each) => each.refused)
  const pairs = admitted + refused / 2
  // Of the admitted one in fifty is left held and takes one step; signs of life are among the scripts.
  const steps = 2 * admitted + refused
  return {
    room,
    admitted,
    refused,
    commandsPerStep: scripts / steps,
    redisUsPerPair: (cpuMs * 1000) / pairs,
    perCore: pairs / (cpuMs / 1000),
    perSecond: pairs / seconds,
    p50Us: Math.max(...results.map((each) => each.p50Us)),
    p99Us: Math.max(...results.map((each) => each.p99Us)),
    overspent: Math.max(0, settled + held + unresolved - limit),
    off:
      Math.abs(settled - sum((each) => each.settled)) +
      Math.abs(held - sum((each) => each.held)) +
      Math.abs(unresolved - sum((each) => each.unresolved)),
  }
}

/** Starts a process and resolves, when it is ready, with what makes it go. */
async function startWorker(task: WorkerTask): Promise<() => Promise<WorkerResult>> {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const end = (): void => void child.kill('SIGKILL')
  ending.add(end)
  child.once('exit', () => ending.delete(end))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  return async () => {
    child.stdin.write('go\n')
    const { value, done } = await lines.next()
    if (done === true) throw new Error('a worker ended without a result')
    return JSON.parse(value) as WorkerResult
  }
}
