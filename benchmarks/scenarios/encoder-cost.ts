/** What the encoder costs: the time of a text by its tokens, of loading, and what this process notices of a busy worker. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WorkerEncoder } from '../../src/encoder/worker-encoder.ts'
import { startWorkerOf, type WorkerPort } from '../../src/encoder/worker-port.ts'
import { readTree } from '../support/process-tree.ts'
import { quantile, spread, type Spread } from '../support/statistics.ts'

const FOLDER = fileURLToPath(new URL('../../router-models/minilm-l6', import.meta.url))
/** One token each. */
const WORDS =
  'time year people way day man thing woman life child world school state family student group country problem hand part'
const PATIENT = { deadlineMs: Infinity }

export interface EncoderUnderTest {
  readonly encoder: WorkerEncoder
  readonly pid: number
  readonly loadMs: number
}

/** An encoder that keeps next to no vectors, loaded. */
export async function loadedEncoder(): Promise<EncoderUnderTest> {
  const begin = startWorkerOf(FOLDER)
  let port: WorkerPort | undefined
  const encoder = new WorkerEncoder({
    start: (listener) => (port = begin(listener)),
    now: () => performance.now(),
    deadlineMs: 40,
    storeBytes: 0,
    reporter: { asked: () => {}, batch: () => {}, computed: () => {}, restarted: () => {} },
    onEvent: ({ detail }) => console.error(detail),
  })
  const before = performance.now()
  await encoder.load()
  return { encoder, pid: port?.pid ?? 0, loadMs: performance.now() - before }
}

export interface LengthCost {
  readonly tokens: number
  readonly n: number
  /** Asked to answered, ms, over all texts. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of the worker per text, ms, by round. */
  readonly cpuMs: Spread
}

/** Texts of one length, one after the other, none of them twice. */
export async function costOfLength(
  { encoder, pid }: EncoderUnderTest,
  tokens: number,
  { rounds, texts }: { readonly rounds: number; readonly texts: number },
): Promise<LengthCost> {
  const next = texter(tokens)
  for (let warm = 0; warm < 5; warm++) await encoder.embed(next(), PATIENT)
  const wall: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = readTree(pid).cpuMs
    for (let text = 0; text < texts; text++) {
      const asked = performance.now()
      await encoder.embed(next(), PATIENT)
      wall.push(performance.now() - asked)
    }
    cpu.push((readTree(pid).cpuMs - before) / texts)
  }
  return { tokens, n: wall.length, p50Ms: quantile(wall, 0.5), p99Ms: quantile(wall, 0.99), cpuMs: spread(cpu) }
}

export interface LoopDelay {
  readonly load: string
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Processor time of this process per second, ms; the clock that measures the delay has its share in it. */
  readonly ownCpuMs: number
}

/** Delay of this process's event loop beyond the millisecond of its timer while `callers` ask for one text of 48 tokens after another. */
export async function loopDelay({ encoder }: EncoderUnderTest, callers: number, seconds: number): Promise<LoopDelay> {
  const next = texter(48)
  const resolution = 1
  const histogram = monitorEventLoopDelay({ resolution })
  const until = performance.now() + seconds * 1000
  let texts = 0
  const before = process.cpuUsage()
  histogram.enable()
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      await encoder.embed(next(), PATIENT)
      texts += 1
    }
  }
  await Promise.all([sleep(seconds * 1000), ...Array.from({ length: callers }, caller)])
  histogram.disable()
  const used = process.cpuUsage(before)
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolution)
  return {
    load: callers === 0 ? 'none' : `${callers} callers`,
    perSecond: texts / seconds,
    p50Ms: ms(histogram.percentile(50)),
    p99Ms: ms(histogram.percentile(99)),
    maxMs: ms(histogram.max),
    ownCpuMs: (used.user + used.system) / 1000 / seconds,
  }
}

export function residentMiB(pid: number): number {
  return readTree(pid).rssMiB
}

/** Texts of so many tokens, `[CLS]` and `[SEP]` among them, each another one. */
function texter(tokens: number): () => string {
  const words = WORDS.split(' ')
  let count = 0
  return () => {
    count += 1
    let rest = count
    return Array.from({ length: tokens - 2 }, (_, at) => {
      const word = words[(rest + at) % words.length]
      rest = Math.floor(rest / 3) + at
      return word
    }).join(' ')
  }
}
