import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Outcome, Result } from './run-list.ts'

/** Where the results of full runs are kept; the page is made from them. */
const FILE: string = fileURLToPath(new URL('../../docs/streaming-conformance.json', import.meta.url))

interface KeptRow {
  readonly outcome: Outcome
  readonly detail?: string
}
/** A gateway's last full run. */
interface KeptRun {
  readonly date: string
  readonly node: string
  readonly setUp: string
  readonly rows: Readonly<Record<string, KeptRow>>
}
export type Results = Readonly<Record<string, KeptRun>>

/** Reads what `keepResults` wrote. */
export function readResults(): Results {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Results
}

/** Puts one gateway's full run in place of its last. */
export function keepResults(gateway: string, setUp: string, results: readonly Result[]): void {
  const rows = Object.fromEntries(
    results.map(({ id, outcome, detail }) => [
      id,
      detail === undefined ? { outcome } : { outcome, detail: steady(detail) },
    ]),
  )
  const run = { date: new Date().toISOString().slice(0, 10), node: process.version, setUp, rows }
  writeFileSync(FILE, `${JSON.stringify({ ...readResults(), [gateway]: run }, null, 2)}\n`)
}

/** Without what differs from run to run. */
function steady(detail: string): string {
  return detail.replace(/\[\[[^\]]*\]\]/g, '[[...]]')
}
