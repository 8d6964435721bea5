import { chatBodies } from '../support/bodies.ts'
import type { Running } from '../support/contender.ts'
import { fire } from '../support/load.ts'
import { readTree } from '../support/process-tree.ts'

export interface MemoryOptions {
  /** Requests between two readings. */
  readonly perStep: number
  readonly steps: number
  onStep(step: number): void
}
export interface MemoryResult {
  readonly contender: string
  /** Resident set before the first request and after each step, MiB. */
  readonly rssMiB: readonly number[]
  readonly requests: number
  readonly failed: number
  /** Resident set at the end against the one half way, in percent. */
  readonly growthFromHalfPercent: number
}

/** Sends many different requests to one fresh process and reads its memory on the way. */
export async function memory(running: Running, options: MemoryOptions): Promise<MemoryResult> {
  const { url, headers, service } = running
  const body = chatBodies({ bytes: 1024, stream: false, from: 300_000_000 })
  const rssMiB = [readTree(service.pid).rssMiB]
  let failed = 0
  for (let step = 0; step < options.steps; step++) {
    options.onStep(step)
    const hit = await fire(service.pid, {
      url,
      headers,
      body,
      connections: 32,
      amount: options.perStep,
      ceilingMs: 120_000,
    })
    failed += options.perStep - hit.completed
    rssMiB.push(hit.rssMiB)
  }
  const half = rssMiB[Math.ceil(options.steps / 2)] ?? Number.NaN
  const last = rssMiB.at(-1) ?? Number.NaN
  return {
    contender: running.name,
    rssMiB,
    requests: options.perStep * options.steps,
    failed,
    growthFromHalfPercent: (last / half - 1) * 100,
  }
}
