import { fileURLToPath } from 'node:url'
import { cores, launch, type Service } from './launch.ts'

export interface MockCounters {
  readonly requests: number
  readonly streams: number
  readonly finished: number
  /** Streams whose reader went away before the end. */
  readonly aborted: number
  readonly chunks: number
  readonly open: number
}
/** The mock upstream in its own process, on the core of the load. */
export interface Mock extends Service {
  pace(chunks: number, intervalMs: number): Promise<void>
  counters(): Promise<MockCounters>
}

export async function startMock(logFile: string): Promise<Mock> {
  const service = await launch({
    name: 'mock upstream',
    command: process.execPath,
    args: [fileURLToPath(new URL('./mock-upstream.ts', import.meta.url))],
    core: cores.load,
    ready: /mock listening on (http:\S+)/,
    timeoutMs: 10_000,
    logFile,
  })
  return {
    ...service,
    async pace(chunks, intervalMs) {
      await fetch(`${service.url}/control`, { method: 'POST', body: JSON.stringify({ chunks, intervalMs }) })
    },
    async counters() {
      const answer = await fetch(`${service.url}/counters`)
      return (await answer.json()) as MockCounters
    },
  }
}
