import { chatBodies } from '../support/bodies.ts'
import type { Running } from '../support/contender.ts'
import { connectInspector, inspectorAddress } from '../support/inspector.ts'
import { fire } from '../support/load.ts'

export interface LiveHeapResult {
  readonly contender: string
  readonly requests: number
  /** JavaScript objects and buffers that survive a full collection, after half of the requests and after all, MiB. */
  readonly halfMiB: number
  readonly endMiB: number
  readonly growthPercent: number
}

/**
 * Tells a leak from a lazy collector: the resident set steps up whenever V8 takes more room, what is still reachable
 * after a full collection grows only if something is kept. The process must run with `--inspect`.
 */
export async function liveHeap(
  running: Running,
  requests: number,
  onHalf: (half: number) => void,
): Promise<LiveHeapResult> {
  const { url, headers, service, name } = running
  const body = chatBodies({ bytes: 1024, stream: false, from: 100_000_000 })
  const inspector = await connectInspector(await inspectorAddress(service.logFile))
  const amount = Math.ceil(requests / 2)
  const readings: number[] = []
  for (const half of [0, 1]) {
    onHalf(half)
    await fire(service.pid, { url, headers, body, connections: 32, amount, ceilingMs: 300_000 })
    readings.push(await inspector.liveMiB())
  }
  inspector.close()
  const [halfMiB = Number.NaN, endMiB = Number.NaN] = readings
  return { contender: name, requests: 2 * amount, halfMiB, endMiB, growthPercent: (endMiB / halfMiB - 1) * 100 }
}
