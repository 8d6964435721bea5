/** The 152 recorded airline runs of gpt-4o in `shared/data/agents/tau`, beside the repository. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { TaskOutcome } from '../../src/budget/report/task-record.ts'

const AIRLINE = new URL('../../../shared/data/agents/tau/', import.meta.url)
export const hasAirlineRuns: boolean = existsSync(new URL('airline_recorded_gpt4o.jsonl.gz', AIRLINE))

export interface AirlineMessage {
  readonly role: 'user' | 'assistant' | 'tool'
  readonly content: string | null
  readonly tool_calls?: readonly {
    readonly id: string
    readonly type: 'function'
    readonly function: { readonly name: string; readonly arguments: string }
  }[]
  readonly tool_call_id?: string
}
export interface AirlineRun {
  readonly run_id: string
  readonly outcome: TaskOutcome
  readonly tool_calls: number
  readonly messages: readonly AirlineMessage[]
  /** One for each assistant message: its index, and its tokens. */
  readonly turns: readonly {
    readonly msg: number
    readonly prompt_tokens: number
    readonly completion_tokens: number
  }[]
}
export interface AirlineReport {
  readonly [figure: string]: number | Readonly<Record<string, number>>
}

export function airlineRuns(): readonly AirlineRun[] {
  const text = gunzipSync(readFileSync(new URL('airline_recorded_gpt4o.jsonl.gz', AIRLINE))).toString('utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AirlineRun)
}

export function airlineReport(): AirlineReport {
  return JSON.parse(readFileSync(new URL('airline_recorded_expected_report.json', AIRLINE), 'utf8')) as AirlineReport
}
