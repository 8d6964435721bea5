import autocannon, { type Request, type Result } from 'autocannon'
import type { BodyMaker } from './bodies.ts'
import { readTree } from './process-tree.ts'

export interface Shot {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: BodyMaker
  readonly connections: number
  /** Requests to send in all. */
  readonly amount: number
  /** Hard end of the shot, also when requests are still open. */
  readonly ceilingMs: number
}
export interface Hit {
  readonly completed: number
  readonly failed: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time of the process tree under test, microseconds per completed request. */
  readonly cpuUsPerRequest: number
  /** Share of one core that it used, 0..1 per core. */
  readonly busy: number
  readonly rssMiB: number
}

/**
 * Sends exactly `amount` requests, as fast as `connections` callers that wait for their answers can, and reads what the
 * process tree under `pid` used for them. A fixed amount, not a fixed time: every request that cost CPU is also counted.
 */
export async function fire(pid: number, shot: Shot): Promise<Hit> {
  const before = readTree(pid)
  const started = performance.now()
  let ended = started
  const result = await new Promise<Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: shot.url,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...shot.headers },
        connections: Math.min(shot.connections, shot.amount),
        amount: shot.amount,
        timeout: Math.ceil(shot.ceilingMs / 1000),
        sampleInt: 100,
        requests: [{ setupRequest: (request: Request) => ({ ...request, body: shot.body() }) }],
      },
      (error, result) => {
        clearTimeout(ceiling)
        if (error === null) resolve(result)
        else reject(error)
      },
    )
    const ceiling = setTimeout(() => instance.stop(), shot.ceilingMs)
    instance.on('response', () => (ended = performance.now()))
  })
  const after = readTree(pid)
  const completed = result['2xx']
  const wallMs = ended - started
  return {
    completed,
    failed: result.non2xx + result.errors,
    perSecond: (completed * 1000) / wallMs,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    cpuUsPerRequest: ((after.cpuMs - before.cpuMs) * 1000) / completed,
    busy: (after.cpuMs - before.cpuMs) / wallMs,
    rssMiB: after.rssMiB,
  }
}
