import { pino } from 'pino'
import type { FinishedRequest, GuardReport } from '../gateway/steps.ts'
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
    `,"tenant":${name(record.tenant)},"key":${name(record.key)}${text('task', record.taskId)}` +
    `,"model":${quoted(record.model.slice(0, 128))},"stream":${record.stream},"status":${record.status}` +
    `,"result":"${record.result}"${text('error', record.errorCode)}${text('detail', record.errorDetail)}` +
    `${named('tier', record.tier)}${named('upstream', record.upstream)}${named('target', record.target)}` +
    `${named('reason', record.reason)}${named('escalation', record.escalation)}${fraction('score', score, 3)}` +
    `,"cache":"${record.cache}"${record.cacheWhy === undefined ? '' : `,"cache_why":"${record.cacheWhy}"`}` +
    `,"attempts":${record.attempts}` +
    number('input', usage?.input) +
    number('output', usage?.output) +
    (usage?.estimated === true ? ',"estimated":true' : '') +
    (cost === undefined ? '' : `,"cost_usd":"${formatUsd(cost)}"`) +
    fraction('ms', record.durationMs, 2) +
    fraction('upstream_ms', record.upstreamMs, 2) +
    fraction('first_content_ms', record.firstContentMs, 2) +
    (record.guard === undefined ? '' : guardText(record.guard)) +
    (dropped.length === 0 ? '' : `,"dropped":${JSON.stringify(dropped)}`) +
    '}\n'
  )
}

/** Kinds are words of ours. */
function guardText({ findings, suspicion }: GuardReport): string {
  const counts = [...findings].map(([kind, count]) => `"${kind}":${count}`).join(',')
  return (findings.size === 0 ? '' : `,"findings":{${counts}}`) + fraction('suspicion', suspicion, 3)
}

const PLAIN = /^[\w ./:@-]*$/

/** Names of the configuration as JSON strings: a few, and the same ones again and again. */
const NAMES = new Map<string, string>()
const MOST_NAMES = 1000

function name(value: string): string {
  let text = NAMES.get(value)
  if (text === undefined) {
    text = quoted(value)
    if (NAMES.size < MOST_NAMES) NAMES.set(value, text)
  }
  return text
}

/** A JSON string; most names need no escapes. */
export function quoted(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value)
}

function text(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${quoted(value)}`
}

function named(field: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${field}":${name(value)}`
}

function number(name: string, value: number | undefined): string {
  return value === undefined ? '' : `,"${name}":${value}`
}

/** A number with so many places at most; whole numbers become text much faster than fractions do. */
function fraction(name: string, value: number | undefined, places: 2 | 3): string {
  if (value === undefined) return ''
  const parts = places === 2 ? 100 : 1000
  const scaled = Math.round(Math.abs(value) * parts)
  if (!Number.isSafeInteger(scaled)) return `,"${name}":null`
  const sign = value < 0 && scaled > 0 ? '-' : ''
  let rest = scaled % parts
  const whole = (scaled - rest) / parts
  if (rest === 0) return `,"${name}":${sign}${whole}`
  let digits: number = places
  while (rest % 10 === 0) {
    rest /= 10
    digits -= 1
  }
  return `,"${name}":${sign}${whole}.${String(rest).padStart(digits, '0')}`
}
