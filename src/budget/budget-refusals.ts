/** What a call is told that cannot be paid for. */
import { SwitchyardError } from '../shared/errors.ts'
import { formatUsd, toNanoUsd } from '../shared/money.ts'
import type { Room } from './budget-room.ts'
import type { RefusedHold } from './hold/hold.ts'
import type { Refused } from './ledger/ledger.ts'
import type { LimitedBook } from './spend-books.ts'
import { LIMIT_PARAMS } from './tasks/task-limits.ts'
import type { Task } from './tasks/task.ts'

const HELD_RETRY_MS = 2000
const UNAVAILABLE_RETRY_MS = 1000

/** Refused for good; `isTasks` = it is the task's own limit, so that the task is paused or stopped. */
export interface Gone {
  readonly kind: 'gone'
  readonly isTasks: boolean
  readonly error: SwitchyardError
}

/** The tightest book has no room for the request, whatever others hold. */
export function moneyGone(room: Room, bound: Pick<RefusedHold, 'param' | 'needed'>, task: Task | undefined): Gone {
  const book = room.tightestLater as LimitedBook
  const isTasks = book.book === task?.books.usd
  const left = toNanoUsd(room.later ?? 0)
  const whose = isTasks ? 'The task' : book.param.startsWith('tenant') ? 'The tenant' : 'The key'
  const what = `${formatUsd(left)} of ${formatUsd(toNanoUsd(book.limit ?? 0))} USD`
  if (left === 0) {
    const sentence = `${whose} has used up its budget: ${what} are left.`
    const error = isTasks
      ? new SwitchyardError('task_budget_exhausted', sentence)
      : new SwitchyardError('task_limit_reached', sentence, { param: book.param })
    return { kind: 'gone', isTasks, error }
  }
  const needs = bound.needed === undefined ? 'may cost more than that' : `may cost up to ${formatUsd(bound.needed)} USD`
  const param = bound.param ?? (isTasks ? undefined : book.param)
  const error = new SwitchyardError(
    'request_exceeds_remaining',
    `${whose} has ${what} left, and this request ${needs}.`,
    param === undefined ? {} : { param },
  )
  return { kind: 'gone', isTasks, error }
}

/** A refusal of the ledger itself: a limit of tokens or calls, or money that went while a tokeniser was asked. */
export function bookFull(refused: Refused, books: readonly LimitedBook[], task: Task | undefined): Gone {
  const money = books.find((each) => each.book === refused.book)
  if (money !== undefined) {
    const later = refused.limit - refused.balance.settled - refused.balance.unresolved
    const room = { now: 0, later: Math.max(0, later), tightest: money, tightestLater: money }
    return moneyGone(room, { param: undefined, needed: toNanoUsd(refused.amount) }, task)
  }
  if (refused.book === task?.books.tokens) return { kind: 'gone', isTasks: true, error: tokensGone(task) }
  const sentence = `The task has made the ${refused.limit} model calls that it may make.`
  const error = new SwitchyardError('task_limit_reached', sentence, { param: LIMIT_PARAMS.modelCalls })
  return { kind: 'gone', isTasks: true, error }
}

/** Waited for in vain: other calls hold what is missing. */
export function heldByOthers(): SwitchyardError {
  const sentence = 'Other requests hold what is left of the budget for as long as they run. Send the request again.'
  return new SwitchyardError('task_budget_held', sentence, { retryAfterMs: HELD_RETRY_MS })
}

/** Nothing is sent that is not written down. */
export function ledgerUnavailable(reason: string): SwitchyardError {
  return new SwitchyardError(
    'ledger_unavailable',
    'The ledger cannot be written at the moment, and nothing is sent without it.',
    { retryAfterMs: UNAVAILABLE_RETRY_MS, detail: reason },
  )
}

/** No budget can hold what has no price. */
export function unpriced(model: string): SwitchyardError {
  return new SwitchyardError(
    'model_unpriced',
    `The model ${model} has no price, so that no budget can hold its requests. Its operator can set one under models.${model}.price.`,
    { param: 'model' },
  )
}

/** The request does not fit in the tokens that are left. */
export function tokensGone(task: Task): SwitchyardError {
  const sentence = `The task may use ${task.limits.tokens} tokens, and this request does not fit in what is left of them.`
  return new SwitchyardError('task_limit_reached', sentence, { param: LIMIT_PARAMS.tokens })
}
