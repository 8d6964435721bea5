import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** One model call as it was recorded. Tokens as the provider counted them; times in ms from the session's start. */
export interface RecordedCall {
  /** `main` or the name of a sub-agent: the calls of one agent follow each other, those of several overlap. */
  readonly agent: string
  readonly model: string
  readonly startMs: number
  /** How long the answer took; 0 where it was not recorded. */
  readonly tookMs: number
  readonly input: number
  /** Of `input`, the leading blocks that the same agent had sent before: an unlimited cache per session. */
  readonly cached: number
  readonly output: number
  /** It brings the result of a tool that the answer before it called. */
  readonly answersTool: boolean
}
export interface Session {
  readonly id: string
  /** In the order of their starts. */
  readonly calls: readonly RecordedCall[]
  /** Answers that stopped for a tool. */
  readonly toolStops: number
  /** From the first call to the end of the last. */
  readonly seconds: number
}

/** Reads `claude-code-calls.csv.gz` and `claude-code-tasks.csv.gz` of a folder. Throws where they do not fit together. */
export function readSessions(folder: URL): readonly Session[] {
  const byId = new Map<string, RecordedCall[]>()
  for (const row of readCsv(new URL('claude-code-calls.csv.gz', folder))) {
    const calls = byId.get(row.text('trace')) ?? []
    byId.set(row.text('trace'), calls)
    calls.push({
      agent: row.text('agent'),
      model: row.text('model'),
      startMs: row.number('t_s') * 1000,
      tookMs: row.number('api_s') * 1000,
      input: row.number('in_tokens'),
      cached: row.number('cached_tokens'),
      output: row.number('out_tokens'),
      answersTool: row.text('input_types').split('+').includes('tool_result'),
    })
  }
  return readCsv(new URL('claude-code-tasks.csv.gz', folder)).map((row) => {
    const id = row.text('trace')
    const calls = byId.get(id) ?? []
    if (calls.length !== row.number('calls'))
      throw new Error(`session ${id} has ${calls.length} calls, not ${row.text('calls')}`)
    return {
      id,
      calls: calls.toSorted((a, b) => a.startMs - b.startMs),
      toolStops: row.number('tool_use_stops'),
      seconds: row.number('duration_s'),
    }
  })
}

interface Row {
  text(column: string): string
  /** Empty counts as 0. Throws for what is no number. */
  number(column: string): number
}

/** The files have no quoted fields. */
function readCsv(file: URL): readonly Row[] {
  const [header = '', ...lines] = gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n')
  const columns = new Map(header.split(',').map((name, index) => [name, index]))
  return lines.map((line) => {
    const cells = line.split(',')
    const text = (column: string): string => {
      const cell = cells[columns.get(column) ?? -1]
      if (cell === undefined) throw new Error(`${file.pathname} has no ${column} in: ${line}`)
      return cell
    }
    const number = (column: string): number => {
      const value = Number(text(column))
      if (!Number.isFinite(value)) throw new Error(`${file.pathname}: ${column} is no number in: ${line}`)
      return value
    }
    return { text, number }
  })
}
