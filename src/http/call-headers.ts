import type { IncomingHttpHeaders } from 'node:http'
import type { CacheWish, TaskHeaders } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { usdToNano, type NanoUsd } from '../shared/money.ts'

/** Header names that carry a task id, in the order in which they count. */
const TASK_ID_HEADERS = [
  'x-task-id',
  'x-litellm-trace-id',
  'x-claude-code-session-id',
  'session-id',
  'session_id',
] as const
const PRINTABLE = /^[\x21-\x7e][\x20-\x7e]{0,255}$/
const DOLLARS = /^\d{1,6}(?:\.\d{1,9})?$/
const COUNT = /^\d{1,12}$/

/** Reads what a caller says about its task. `metadataTaskId` is `metadata.task_id` of the body. Throws `invalid_header`. */
export function readTaskHeaders(headers: IncomingHttpHeaders, metadataTaskId: string | undefined): TaskHeaders {
  return {
    id: taskId(headers) ?? metadataTaskId,
    type: printable(headers, 'x-task-type'),
    budgetUsd: dollars(headers, 'x-task-budget-usd'),
    maxToolCalls: count(headers, 'x-task-max-tool-calls'),
    deadlineMs: count(headers, 'x-task-deadline-ms'),
  }
}

/** Names that an answer is kept under besides its key. */
const TAGS_MOST = 8
const TAG = /^[\w.:/-]{1,64}$/

/** What the caller wants of the cache; what RFC 9111 does not know is left alone. Throws `invalid_header`. */
export function readCacheWish(headers: IncomingHttpHeaders): CacheWish | undefined {
  const control = read(headers, 'cache-control')
  const tagged = read(headers, 'x-cache-tags')
  if (control === undefined && tagged === undefined) return undefined
  let wish: CacheWish = {
    noStore: false,
    noCache: false,
    onlyIfCached: false,
    tags: tagged === undefined ? [] : tags(tagged),
  }
  for (const directive of control?.split(',') ?? []) {
    const [name = '', value = ''] = directive.split('=', 2).map((part) => part.trim())
    switch (name.toLowerCase()) {
      case 'no-store':
        wish = { ...wish, noStore: true }
        break
      case 'no-cache':
        wish = { ...wish, noCache: true }
        break
      case 'only-if-cached':
        wish = { ...wish, onlyIfCached: true }
        break
      case 'max-age': {
        const seconds = value.replace(/^"(.*)"$/, '$1')
        if (!COUNT.test(seconds)) throw refuse('cache-control', 'such that max-age is a whole number of seconds')
        wish = { ...wish, maxAgeMs: Number(seconds) * 1000 }
        break
      }
      default:
    }
  }
  return wish
}

function tags(list: string): readonly string[] {
  const names = list.split(',').map((tag) => tag.trim())
  if (names.length > TAGS_MOST || !names.every((tag) => TAG.test(tag)))
    throw refuse(
      'x-cache-tags',
      `at most ${TAGS_MOST} names of letters, digits and _ . : / - (64 characters), with commas between them`,
    )
  return names
}

/** The idempotency key of a request, if it has a usable one. Throws `invalid_header`. */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  return printable(headers, 'idempotency-key')
}

function taskId(headers: IncomingHttpHeaders): string | undefined {
  for (const name of TASK_ID_HEADERS) {
    const value = printable(headers, name)
    if (value !== undefined) return value
  }
  return undefined
}

function read(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

function printable(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = read(headers, name)
  if (value === undefined || value === '') return undefined
  if (!PRINTABLE.test(value)) throw refuse(name, '1 to 256 printable ASCII characters')
  return value
}

function dollars(headers: IncomingHttpHeaders, name: string): NanoUsd | undefined {
  const value = read(headers, name)
  if (value === undefined) return undefined
  if (!DOLLARS.test(value)) throw refuse(name, 'dollars as a decimal such as 0.25 (at most 999999, up to 9 places)')
  return usdToNano(Number(value))
}

function count(headers: IncomingHttpHeaders, name: string): number | undefined {
  const value = read(headers, name)
  if (value === undefined) return undefined
  if (!COUNT.test(value)) throw refuse(name, 'a whole number >= 0')
  return Number(value)
}

function refuse(name: string, expected: string): SwitchyardError {
  return new SwitchyardError('invalid_header', `The header "${name}" must be ${expected}.`, { param: name })
}
