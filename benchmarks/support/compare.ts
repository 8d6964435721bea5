import { chatBodies } from './bodies.ts'
import type { Running } from './contender.ts'
import { fire, type Hit } from './load.ts'
import type { Mock } from './mock.ts'
import type { Progress } from './progress.ts'

export interface Scenario {
  readonly name: string
  readonly title: string
  /** Bytes of one request body. */
  readonly bytes: number
  readonly connections: number
  /** Chunks per answer and the milliseconds between them; absent = one JSON answer. */
  readonly stream?: { readonly chunks: number; readonly intervalMs: number }
}
export interface CompareOptions {
  readonly mock: Mock
  readonly rounds: number
  /** Length of one shot, seconds; the number of requests is set by it once, before the first round. */
  readonly seconds: number
  /** Length of the warm-up shot before the first round, seconds. */
  readonly warmSeconds: number
  readonly progress: Progress
}
/** A shot, and the requests that reached the mock meanwhile: more than were sent means retries, fewer means a cache. */
export interface CountedHit extends Hit {
  readonly upstreamRequests: number
}
/** Rounds of one contender in one scenario; the index is the round, so that contenders can be compared within one. */
export interface Series {
  readonly contender: string
  readonly hits: CountedHit[]
  /** Requests per shot. */
  readonly amount: number
  /** Why there are no rounds: it answered wrongly or not at all. */
  readonly failure?: string
}

/** Everything is a JSON answer of about 850 bytes or a stream of 100 chunks, paced so that no relay can batch them. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'json-1k', title: 'non-stream, 1 KB', bytes: 1024, connections: 32 },
  { name: 'json-20k', title: 'non-stream, 20 KB', bytes: 20_480, connections: 32 },
  {
    name: 'stream',
    title: 'stream of 100 chunks',
    bytes: 1024,
    connections: 32,
    stream: { chunks: 100, intervalMs: 8 },
  },
]

/** CPU per chunk, in microseconds, or per request where the answer is one JSON. */
export function unitCost(scenario: Scenario, hit: Hit): number {
  return hit.cpuUsPerRequest / (scenario.stream?.chunks ?? 1)
}

/** Serial numbers already used, so that no body is ever sent twice in one run. */
let serial = 0

/**
 * Measures all contenders in interleaved rounds (A B C, A B C, …). Each is warmed and its number of requests fixed
 * first; then every round sends it exactly that number. The order turns by one each round, so that nobody always runs
 * after the same neighbour.
 */
export async function compare(
  scenario: Scenario,
  contenders: readonly Running[],
  options: CompareOptions,
): Promise<Series[]> {
  const { mock, rounds, seconds, progress } = options
  if (scenario.stream !== undefined) await mock.pace(scenario.stream.chunks, scenario.stream.intervalMs)
  const shoot = async (running: Running, amount: number): Promise<CountedHit> => {
    const { url, headers, api = 'chat' } = running
    const body = chatBodies({ bytes: scenario.bytes, stream: scenario.stream !== undefined, api, from: serial })
    serial += amount
    const ceilingMs = Math.max(20_000, seconds * 6000)
    const { connections } = scenario
    const before = await mock.counters()
    const hit = await fire(running.service.pid, { url, headers, body, connections, amount, ceilingMs })
    const after = await mock.counters()
    return { ...hit, upstreamRequests: after.requests - before.requests }
  }
  const series: Series[] = []
  for (const running of contenders) {
    progress.step(`${scenario.title}: warming ${running.name}`)
    const probe = await shoot(running, scenario.connections)
    if (probe.failed > 0 || probe.completed === 0) {
      const failure = `${probe.failed} of ${scenario.connections} first requests failed: ${await oneAnswer(running, scenario)}`
      series.push({ contender: running.name, hits: [], amount: 0, failure })
      continue
    }
    // Cold code underrates the pace: each shot sets the length of the next, and the last one that of the rounds.
    const warm = await shoot(running, amountFor(probe.perSecond, options.warmSeconds, scenario))
    const pace = await shoot(running, amountFor(warm.perSecond, options.warmSeconds / 2, scenario))
    series.push({ contender: running.name, hits: [], amount: amountFor(pace.perSecond, seconds, scenario) })
  }
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + round) % contenders.length
      const [running, own] = [contenders[index], series[index]]
      if (running === undefined || own === undefined || own.failure !== undefined) continue
      progress.step(`${scenario.title}: ${running.name}, round ${round + 1} of ${rounds}`)
      own.hits.push(await shoot(running, own.amount))
    }
  }
  return series
}

async function oneAnswer(running: Running, scenario: Scenario): Promise<string> {
  const { api = 'chat' } = running
  const stream = scenario.stream !== undefined
  const body = chatBodies({ bytes: scenario.bytes, stream, api, from: serial++ })()
  const headers = { 'content-type': 'application/json', ...running.headers }
  try {
    const answer = await fetch(running.url, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) })
    return `HTTP ${answer.status} ${(await answer.text()).slice(0, 200)}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Steps that `compare` announces. */
export function stepsOf(contenders: number, rounds: number): number {
  return contenders * (rounds + 1)
}

function amountFor(perSecond: number, seconds: number, scenario: Scenario): number {
  const callers = scenario.connections
  // A whole number of requests per caller: all end together, and the last moment is as crowded as the first.
  return callers * Math.max(1, Math.min(4000, Math.round((perSecond * seconds) / callers)))
}
