import { randomBytes } from 'node:crypto'
import { Probe, type Target } from './probe.ts'
import { Broken, type Row } from './row.ts'
import type { ScriptedUpstream } from './upstream.ts'

export type Outcome = 'holds' | 'broken' | 'not run'
export interface Result {
  readonly id: string
  readonly outcome: Outcome
  /** What was seen instead, or why the row was not run. */
  readonly detail?: string
}
export interface RunOptions {
  readonly target: Target
  /** Absent where the operator did not put ours behind the gateway. */
  readonly upstream: ScriptedUpstream | undefined
  /** How long the gateway may take to give a silent upstream up, ms. */
  readonly patienceMs: number
  readonly onResult?: (result: Result, done: number, all: number) => void
}

/** Runs the rows one after the other. A row that needs our upstream is not run where the gateway does not use it. */
export async function runList(rows: readonly Row[], options: RunOptions): Promise<readonly Result[]> {
  const missing = await whyNoUpstream(options)
  const results: Result[] = []
  for (const row of rows) {
    const result: Result =
      row.upstream !== undefined && missing !== undefined
        ? { id: row.id, outcome: 'not run', detail: missing }
        : await runRow(row, options)
    results.push(result)
    options.onResult?.(result, results.length, rows.length)
  }
  return results
}

async function runRow(row: Row, options: RunOptions): Promise<Result> {
  const { id } = row
  try {
    await row.check(probeFor(row, options))
    return { id, outcome: 'holds' }
  } catch (error) {
    if (error instanceof Broken) return { id, outcome: 'broken', detail: error.message }
    throw error
  }
}

/** Whether the gateway reaches our upstream: asked once, with a prompt of its own. */
async function whyNoUpstream(options: RunOptions): Promise<string | undefined> {
  if (options.upstream === undefined) return 'needs the scripted upstream (--upstream-port)'
  const word = `reach#${nonce()}`
  const exchange = options.upstream.plan(word, ({ response }) => void response.writeHead(503).end())
  const probe = new Probe(options.target, word, exchange, options.patienceMs)
  await probe.stream().catch(() => {})
  return exchange.seen.length > 0 ? undefined : 'the gateway does not use the scripted upstream'
}

function probeFor(row: Row, options: RunOptions): Probe {
  const word = `${row.id}#${nonce()}`
  const exchange = row.upstream === undefined ? undefined : options.upstream?.plan(word, row.upstream)
  return new Probe(options.target, word, exchange, options.patienceMs)
}

function nonce(): string {
  return randomBytes(6).toString('hex')
}
