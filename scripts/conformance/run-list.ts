import { randomBytes } from 'node:crypto'
import { PATHS, Probe, type Target } from './probe.ts'
import { Broken, type Dialect, type Row } from './row.ts'
import { ANY_ANSWER } from './tell.ts'
import type { ScriptedUpstream } from './upstream.ts'

/** `absent`: the gateway does not have the row's API at all. */
export type Outcome = 'holds' | 'broken' | 'not run' | 'absent'
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
  const absent = new Map<Dialect, string | undefined>([['chat', undefined]])
  const results: Result[] = []
  for (const row of rows) {
    const { id, dialect } = row
    if (!absent.has(dialect)) absent.set(dialect, await whyAbsent(dialect, options))
    const without = absent.get(dialect)
    const result: Result =
      without !== undefined
        ? { id, outcome: 'absent', detail: without }
        : row.upstream !== undefined && missing !== undefined
          ? { id, outcome: 'not run', detail: missing }
          : await runApart(row, options)
    results.push(result)
    options.onResult?.(result, results.length, rows.length)
  }
  return results
}

/** A row that lasted may have left the gateway with work; it is let finish, so that the next row is judged by itself. */
async function runApart(row: Row, options: RunOptions): Promise<Result> {
  const began = performance.now()
  const result = await runRow(row, options)
  if (performance.now() - began < BUSY_MS) return result
  for (let tries = 0; tries < 5; tries++) {
    const asked = performance.now()
    const word = `settle#${nonce()}`
    const exchange = options.upstream?.plan(word, ANY_ANSWER)
    const probe = new Probe(options.target, 'chat', word, exchange, options.patienceMs)
    await probe.stream().catch(() => {})
    if (performance.now() - asked < BUSY_MS) break
  }
  return result
}
/** A row, or a plain request, that takes longer shows a gateway that is busy, ms. */
const BUSY_MS = 1000

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
  const probe = new Probe(options.target, 'chat', word, exchange, options.patienceMs)
  await probe.stream().catch(() => {})
  return exchange.seen.length > 0 ? undefined : 'the gateway does not use the scripted upstream'
}

/**
 * Why the gateway has no such API, undefined where it has: the simplest request is refused as unknown (404, 405, 501), or without
 * that the provider behind was asked. A request that fails in another way is left to the rows.
 */
async function whyAbsent(dialect: Dialect, options: RunOptions): Promise<string | undefined> {
  const word = `surface#${nonce()}`
  const exchange = options.upstream?.plan(word, ANY_ANSWER)
  const probe = new Probe(options.target, dialect, word, exchange, options.patienceMs)
  const status = await probe.whole().then(
    (reply) => reply.status,
    () => 0,
  )
  const isUnknown = [404, 405, 501].includes(status)
  const isRefused = status >= 400 && ![401, 403, 429].includes(status) && exchange?.seen.length === 0
  return isUnknown || isRefused ? `POST ${PATHS[dialect]} is answered with ${status}` : undefined
}

function probeFor(row: Row, options: RunOptions): Probe {
  const word = `${row.id}#${nonce()}`
  const exchange = row.upstream === undefined ? undefined : options.upstream?.plan(word, row.upstream)
  return new Probe(options.target, row.dialect, word, exchange, options.patienceMs)
}

function nonce(): string {
  return randomBytes(6).toString('hex')
}
