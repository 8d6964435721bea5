import { pino } from 'pino'
import type { FinishedRequest } from '../gateway/steps.ts'
import { formatUsd } from '../shared/money.ts'

const WARN = pino.levels.values['warn'] as number
const INFO = pino.levels.values['info'] as number

/**
 * The log line of a finished request, in pino's own form: one JSON object and a line end. Put together here, as a general
 * serialiser costs more than the routing for these 25 fields. `time` is ISO 8601.
 */
export function requestLine(record: FinishedRequest, time: string): string {
  const { usage, cost, score } = record
  const dropped = record.dropped.map((name) => name.slice(0, 64))
  // Ids, words and numbers of ours are written as they are; whatever a caller, an operator or an upstream wrote is quoted.
  return (
    `{"level":${record.status >= 500 ? WARN : INFO},"time":"${time}","event":"request","id":"${record.id}"` +
    `,"tenant":${quoted(record.tenant)},"key":${quoted(record.key)}${text('task', record.taskId)}` +
    `,"model":${quoted(record.model.slice(0, 128))},"stream":${record.stream},"status":${record.status}` +
    `,"result":"${record.result}"${text('error', record.errorCode)}${text('detail', record.errorDetail)}` +
    `${text('tier', record.tier)}${text('upstream', record.upstream)}${text('target', record.target)}` +
    `${text('reason', record.reason)}${number('score', rounded(score, 1000))}` +
    `,"cache":"${record.cache}","attempts":${record.attempts}` +
    number('input', usage?.input) +
    number('output', usage?.output) +
    (usage?.estimated === true ? ',"estimated":true' : '') +
    (cost === undefined ? '' : `,"cost_usd":"${formatUsd(cost)}"`) +
    number('ms', rounded(record.durationMs, 100)) +
    number('upstream_ms', rounded(record.upstreamMs, 100)) +
    number('first_content_ms', rounded(record.firstContentMs, 100)) +
    (dropped.length === 0 ? '' : `,"dropped":${JSON.stringify(dropped)}`) +
    '}\n'
  )
}

const PLAIN = /^[\w ./:@-]*$/

/** A JSON string; most names need no escapes. */
export function quoted(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value)
}

function text(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${quoted(value)}`
}

function number(name: string, value: number | undefined): string {
  return value === undefined ? '' : `,"${name}":${value}`
}

function rounded(value: number | undefined, parts: number): number | undefined {
  return value === undefined ? undefined : Math.round(value * parts) / parts
}
