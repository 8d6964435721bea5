/** Bodies of the task routes: checked field by field, unknown fields refused by name. */
import type { Completion, NewTask, TaskLimits, TopUp } from '../gateway/tasks.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { usdToNano, type NanoUsd } from '../shared/money.ts'

/** 1 to 256 printable ASCII characters, as in the header. */
const TASK_ID = /^[\x21-\x7e][\x20-\x7e]{0,255}$/
const USD = /^\d{1,7}(?:\.\d{1,9})?$/
const MOST_USD = 9_000_000
const MOST_METADATA = 16
const OUTCOMES = ['success', 'failure', 'unknown'] as const

type Fields = Readonly<Record<string, unknown>>

/** `{id?, type?, limits?, metadata?}`. */
export function readNewTask(body: unknown): NewTask {
  const fields = object(body, '', ['id', 'type', 'limits', 'metadata'])
  return {
    id: text(fields['id'], 'id'),
    type: text(fields['type'], 'type'),
    limits: readLimits(fields['limits']),
    metadata: readMetadata(fields['metadata']),
  }
}

/** `{max_usd | add_usd}` and the header `Idempotency-Key`. */
export function readTopUp(body: unknown, key: string | string[] | undefined): TopUp {
  const fields = object(body, '', ['max_usd', 'add_usd'])
  const to = usd(fields['max_usd'], 'max_usd')
  const add = usd(fields['add_usd'], 'add_usd')
  if ((to === undefined) === (add === undefined)) throw refuse('max_usd', 'either "max_usd" or "add_usd" is needed')
  if (typeof key !== 'string' || !TASK_ID.test(key)) {
    throw new SwitchyardError(
      'invalid_header',
      'A top-up needs an "Idempotency-Key" header of 1 to 256 printable characters, so that a repeated request does not add twice.',
      { param: 'Idempotency-Key' },
    )
  }
  return { key, to, add }
}

/** `{outcome, quality?, check?: {passed}, escalated?, tool_calls?}`. */
export function readCompletion(body: unknown): Completion {
  const fields = object(body, '', ['outcome', 'quality', 'check', 'escalated', 'tool_calls'])
  const { outcome, quality, check, escalated = false } = fields
  if (!(OUTCOMES as readonly unknown[]).includes(outcome))
    throw refuse('outcome', `it must be one of ${OUTCOMES.join(', ')}`)
  if (quality !== undefined && !(typeof quality === 'number' && quality >= 0 && quality <= 1))
    throw refuse('quality', 'it must be a number from 0 to 1')
  const passed = check === undefined ? undefined : record(check, 'check')['passed']
  if (check !== undefined && typeof passed !== 'boolean') throw refuse('check.passed', 'it must be true or false')
  if (typeof escalated !== 'boolean') throw refuse('escalated', 'it must be true or false')
  return {
    outcome: outcome as Completion['outcome'],
    quality,
    hasPassed: passed as boolean | undefined,
    isEscalated: escalated,
    toolCalls: count(fields['tool_calls'], 'tool_calls'),
  }
}

function readLimits(value: unknown): TaskLimits {
  if (value === undefined || value === null) return {}
  const names = [
    'max_usd',
    'max_tokens',
    'max_model_calls',
    'max_tool_calls',
    'max_write_calls',
    'max_seconds',
    'concurrency',
  ]
  const fields = object(value, 'limits.', names)
  const given = {
    usd: usd(fields['max_usd'], 'limits.max_usd'),
    tokens: count(fields['max_tokens'], 'limits.max_tokens'),
    modelCalls: count(fields['max_model_calls'], 'limits.max_model_calls'),
    toolCalls: count(fields['max_tool_calls'], 'limits.max_tool_calls'),
    writeCalls: count(fields['max_write_calls'], 'limits.max_write_calls'),
    ms: seconds(fields['max_seconds']),
    concurrency: count(fields['concurrency'], 'limits.concurrency'),
  }
  return Object.fromEntries(Object.entries(given).filter(([, limit]) => limit !== undefined))
}

function readMetadata(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  const entries = Object.entries(record(value, 'metadata'))
  if (entries.length > MOST_METADATA) throw refuse('metadata', `it may have at most ${MOST_METADATA} entries`)
  for (const [name, each] of entries) {
    if (typeof each !== 'string' || name.length > 64 || each.length > 512)
      throw refuse('metadata', 'names of at most 64 and texts of at most 512 characters')
  }
  return Object.fromEntries(entries) as Record<string, string>
}

/** Dollars as text ("0.25") or as a number. */
function usd(value: unknown, param: string): NanoUsd | undefined {
  if (value === undefined || value === null) return undefined
  const written = typeof value === 'number' && value >= 0 && value <= MOST_USD ? value.toFixed(9) : value
  if (typeof written !== 'string' || !USD.test(written) || Number(written) > MOST_USD)
    throw refuse(param, `it must be dollars from 0 to ${MOST_USD} with at most 9 places, as in "0.25"`)
  return usdToNano(Number(written))
}

function count(value: unknown, param: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw refuse(param, 'it must be a whole number >= 0')
  return value as number
}

function seconds(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !(value >= 0 && value <= 1e9))
    throw refuse('limits.max_seconds', 'it must be seconds >= 0')
  return Math.floor(value * 1000)
}

function text(value: unknown, param: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' || !TASK_ID.test(value))
    throw refuse(param, 'it must be 1 to 256 printable ASCII characters')
  return value
}

function object(value: unknown, prefix: string, names: readonly string[]): Fields {
  const fields = record(value, prefix === '' ? undefined : prefix.slice(0, -1))
  for (const name of Object.keys(fields)) {
    if (!names.includes(name)) {
      const shown = name.replace(/[^\w.-]/g, '?').slice(0, 64)
      throw new SwitchyardError(
        'unknown_parameter',
        `There is no field "${prefix}${shown}" here. There are: ${names.join(', ')}.`,
        {
          param: prefix + shown,
        },
      )
    }
  }
  return fields
}

function record(value: unknown, param: string | undefined): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  if (param === undefined) throw new SwitchyardError('invalid_type', 'The body must be a JSON object.')
  throw new SwitchyardError('invalid_type', `"${param}" must be a JSON object.`, { param })
}

function refuse(param: string, sentence: string): SwitchyardError {
  return new SwitchyardError('invalid_value', `"${param}": ${sentence}.`, { param })
}
