import { parse } from 'csv-parse/sync'
import { parseUsd } from '../shared/parse-usd.ts'
import { UsageError } from './command.ts'

/** A settlement as the operation takes it. */
export interface SettlementInput {
  readonly id: string
  readonly nano_usd: number
  readonly evidence: string
  readonly input_tokens?: number
  readonly output_tokens?: number
}

const COLUMNS = ['id', 'usd', 'evidence', 'input_tokens', 'output_tokens']

/** Reads settlements: JSON lines, or CSV with a heading, each with id, usd and evidence. Throws UsageError that names the line. */
export function readSettlements(text: string, name: string): readonly SettlementInput[] {
  const records = text.trimStart().startsWith('{') ? jsonLines(text, name) : csv(text, name)
  if (records.length === 0) throw new UsageError(`${name} holds no settlement.`)
  return records.map(({ line, record }) => settlementOf(record, `${name}, line ${line}`))
}

interface Found {
  readonly line: number
  readonly record: Readonly<Record<string, unknown>>
}

function jsonLines(text: string, name: string): readonly Found[] {
  return text
    .split('\n')
    .map((each, index) => ({ each: each.trim(), line: index + 1 }))
    .filter(({ each }) => each !== '')
    .map(({ each, line }) => {
      try {
        return { line, record: JSON.parse(each) as Readonly<Record<string, unknown>> }
      } catch {
        throw new UsageError(`${name}, line ${line}: it is no JSON.`)
      }
    })
}

function csv(text: string, name: string): readonly Found[] {
  let rows: readonly { readonly info: { readonly lines: number }; readonly record: Record<string, string> }[]
  try {
    rows = parse(text, { bom: true, columns: true, info: true, skip_empty_lines: true, trim: true })
  } catch (error) {
    throw new UsageError(`${name}: ${error instanceof Error ? error.message : String(error)}.`)
  }
  return rows.map(({ info, record }) => ({
    line: info.lines,
    // An empty cell is one that was left out.
    record: Object.fromEntries(Object.entries(record).filter(([, value]) => value !== '')),
  }))
}

function settlementOf(record: Readonly<Record<string, unknown>>, where: string): SettlementInput {
  const unknown = Object.keys(record).find((column) => !COLUMNS.includes(column))
  if (unknown !== undefined)
    throw new UsageError(`${where}: there is no "${unknown}"; there are ${COLUMNS.join(', ')}.`)
  const { id, usd, evidence } = record
  if (typeof id !== 'string' || typeof evidence !== 'string' || usd === undefined)
    throw new UsageError(`${where}: it needs an id, usd and evidence.`)
  const amount = typeof usd === 'number' || typeof usd === 'string' ? parseUsd(plain(usd)) : undefined
  if (amount === undefined) throw new UsageError(`${where}: usd must be dollars of at least 0, as in 0.0123.`)
  const tokens = ['input_tokens', 'output_tokens']
    .filter((column) => record[column] !== undefined)
    .map((column) => {
      const count = Number(record[column])
      if (!Number.isSafeInteger(count) || count < 0)
        throw new UsageError(`${where}: ${column} must be a whole number of at least 0.`)
      return [column, count]
    })
  return { id, nano_usd: amount, evidence, ...Object.fromEntries(tokens) }
}

/** Small numbers are written with an exponent. */
function plain(usd: number | string): string {
  return typeof usd === 'number' && usd >= 0 && usd < 1e-6 ? usd.toFixed(20) : String(usd)
}
