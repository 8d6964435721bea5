import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { chatBodies, type BodyMaker } from '../support/bodies.ts'
import type { Running } from '../support/contender.ts'
import type { Mock } from '../support/mock.ts'
import { readTree } from '../support/process-tree.ts'
import { quantile } from '../support/statistics.ts'

export interface OpenStreamsOptions {
  readonly mock: Mock
  readonly count: number
  /** Streams opened per second. */
  readonly perSecond: number
  readonly chunks: number
  /** Milliseconds between two chunks of one stream. */
  readonly intervalMs: number
  /** Time to watch the idle process before the first stream. */
  readonly idleMs: number
}
export interface OpenStreamsResult {
  readonly contender: string
  readonly asked: number
  /** Most streams that were open at one time. */
  readonly openAtOnce: number
  /** Streams that ended without `[DONE]`, were refused or never began. */
  readonly cut: number
  readonly rssIdleMiB: number
  readonly rssMaxMiB: number
  /** Answer times of `/healthz`: before the first stream, and while all were open. */
  readonly probeIdleP99Ms: number
  readonly probeP50Ms: number
  readonly probeP99Ms: number
  readonly probes: number
  /** What the process itself says, where it exports `nodejs_eventloop_lag_p99_seconds`. */
  readonly ownLagP99Ms: number | undefined
  /** Share of one core while all streams were open. */
  readonly busy: number
}

/** Holds `count` slow streams open through one contender and watches its memory and its event loop. */
export async function openStreams(running: Running, options: OpenStreamsOptions): Promise<OpenStreamsResult> {
  const { mock, count, perSecond, chunks, intervalMs } = options
  await mock.pace(chunks, intervalMs)
  const pid = running.service.pid
  const probe = startProbe(running.service.url)
  try {
    await sleep(options.idleMs)
    const idle = await probe.take()
    const rssIdleMiB = readTree(pid).rssMiB
    const state = { open: 0, most: 0, whole: 0, ended: 0 }
    const body = chatBodies({ bytes: 1024, stream: true, from: 500_000_000 })
    const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY })
    const lifeMs = chunks * intervalMs
    const giveUp = AbortSignal.timeout((count / perSecond) * 1000 + lifeMs + 20_000)
    const all: Promise<void>[] = []
    const startedAt = performance.now()
    for (let index = 0; index < count; index++) {
      const early = (index / perSecond) * 1000 - (performance.now() - startedAt)
      if (early > 1) await sleep(early)
      all.push(oneStream(running, body, agent, state, giveUp))
    }
    const finished = Promise.all(all)
    // The last stream has begun, or will not; from here to the first end, everything is open at once.
    while (state.open + state.ended < count && !giveUp.aborted) await sleep(20)
    await probe.take()
    const steadyFrom = performance.now()
    const cpuFrom = readTree(pid).cpuMs
    let rssMaxMiB = 0
    while (state.ended === 0 && !giveUp.aborted) {
      rssMaxMiB = Math.max(rssMaxMiB, readTree(pid).rssMiB)
      await sleep(100)
    }
    const cpuMs = readTree(pid).cpuMs - cpuFrom
    const wallMs = performance.now() - steadyFrom
    const steady = await probe.take()
    const ownLagP99Ms = await eventLoopLag(running.service.url)
    await finished
    return {
      contender: running.name,
      asked: count,
      openAtOnce: state.most,
      cut: count - state.whole,
      rssIdleMiB,
      rssMaxMiB,
      probeIdleP99Ms: quantile(idle, 0.99),
      probeP50Ms: steady.length === 0 ? Number.NaN : quantile(steady, 0.5),
      probeP99Ms: steady.length === 0 ? Number.NaN : quantile(steady, 0.99),
      probes: steady.length,
      ownLagP99Ms,
      busy: cpuMs / wallMs,
    }
  } finally {
    probe.stop()
  }
}

interface State {
  open: number
  most: number
  whole: number
  ended: number
}

/** Reads one stream to its end; never rejects, the state says how it went. */
function oneStream(running: Running, body: BodyMaker, agent: Agent, state: State, signal: AbortSignal): Promise<void> {
  const text = body()
  return new Promise((resolve) => {
    let opened = false
    let tail = ''
    let over = false
    const end = (): void => {
      if (over) return
      over = true
      if (opened) state.open -= 1
      state.ended += 1
      if (tail.includes('data: [DONE]')) state.whole += 1
      resolve()
    }
    const headers = {
      ...running.headers,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
    }
    const asking = request(running.url, { method: 'POST', agent, headers, signal }, (answer) => {
      answer.on('data', (piece: Buffer) => {
        if (!opened) {
          opened = true
          state.open += 1
          state.most = Math.max(state.most, state.open)
        }
        tail = (tail + piece.toString('latin1')).slice(-32)
      })
      answer.once('close', end)
    })
    asking.once('error', end)
    asking.end(text)
  })
}

interface Probe {
  take(): Promise<number[]>
  stop(): void
}
function startProbe(url: string): Probe {
  const worker = new Worker(new URL('./probe.ts', import.meta.url), { workerData: { url, everyMs: 10 } })
  return {
    async take() {
      const answer = once(worker, 'message')
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
      worker.postMessage('take')
      return ((await answer) as [number[]])[0]
    },
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    stop: () => worker.postMessage('stop'),
  }
}

async function eventLoopLag(url: string): Promise<number | undefined> {
  const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined)
  const seconds = /nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? ([\d.e+-]+)/.exec((await answer?.text()) ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
