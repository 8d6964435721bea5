import type { AnswerHead, GuardReport } from '../gateway/steps.ts'
import { formatUsd } from '../shared/money.ts'

const FIELD_NAME = /^[\w.$-]{1,64}$/
const MAX_NAMES = 20

/** The headers that say where an answer came from and why. */
export function answerHeaders(head: AnswerHead): Record<string, string> {
  const headers: Record<string, string> = {
    'x-route': head.tier,
    'x-route-upstream': head.upstream,
    'x-route-reason': head.reason,
    'x-cache': head.cache,
    'x-attempts': String(head.attempts),
  }
  if (head.intent !== undefined) headers['x-route-intent'] = head.intent
  if (head.escalation !== undefined) headers['x-escalation-reason'] = head.escalation
  if (head.taskId !== undefined) headers['x-task-id'] = head.taskId
  if (head.standing !== undefined) {
    const remaining = head.standing.remaining()
    headers['x-task-cost-usd'] = formatUsd(head.standing.spent())
    if (remaining !== undefined) headers['x-task-remaining-usd'] = formatUsd(remaining)
  }
  if (head.simulated) headers['x-simulated'] = 'true'
  if (head.loweredCap !== undefined) headers['x-switchyard-max-tokens'] = String(head.loweredCap)
  if (head.dropped.length > 0) headers['x-switchyard-dropped'] = fieldNames(head.dropped)
  if (head.guard !== undefined) guardHeaders(head.guard, headers)
  if (head.entry !== undefined) {
    headers['x-cache-entry'] = head.entry.id
    headers['x-cost-saved-usd'] = formatUsd(head.entry.savedUsd)
    // RFC 9111 section 5.1: whole seconds.
    headers['age'] = String(Math.floor(head.entry.ageMs / 1000))
  }
  return headers
}

function guardHeaders({ redacted, suspicion }: GuardReport, headers: Record<string, string>): void {
  if (redacted.size > 0) {
    headers['x-switchyard-redacted'] = [...redacted].map(([kind, count]) => `${kind}=${count}`).join(', ')
  }
  if (suspicion !== undefined) headers['x-switchyard-suspicion'] = suspicion.toFixed(2)
}

/** The value of `x-switchyard-dropped`. Field names as a caller wrote them may hold anything; only plain ones are shown. */
export function fieldNames(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).map((name) => (FIELD_NAME.test(name) ? name : '?'))
  if (names.length > MAX_NAMES) shown.push(`and ${names.length - MAX_NAMES} more`)
  return shown.join(', ')
}
