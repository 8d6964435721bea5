import type { Feedback, FeedbackSubject, KeptFeedback } from '../gateway/feedback.ts'
import { SwitchyardError } from '../shared/errors.ts'

const NAMES = ['request_id', 'task_id', 'success', 'quality', 'corrected'] as const
/** 1 to 256 printable ASCII characters, as in the headers that give these ids. */
const ID = /^[\x21-\x7e][\x20-\x7e]{0,255}$/

/** `{request_id | task_id, success?, quality?, corrected?}`; null is the same as nothing. */
export function readFeedback(body: unknown): Feedback {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new SwitchyardError('invalid_type', 'The body must be a JSON object.')
  for (const name of Object.keys(body)) {
    if ((NAMES as readonly string[]).includes(name)) continue
    const shown = name.replace(/[^\w.-]/g, '?').slice(0, 64)
    const sentence = `There is no field "${shown}" here. There are: ${NAMES.join(', ')}.`
    throw new SwitchyardError('unknown_parameter', sentence, { param: shown })
  }
  const fields = body as Readonly<Partial<Record<(typeof NAMES)[number], unknown>>>
  const success = fields.success ?? undefined
  const quality = fields.quality ?? undefined
  const corrected = fields.corrected ?? undefined
  if (success !== undefined && typeof success !== 'boolean') throw refuse('success', 'it must be true or false')
  if (quality !== undefined && !(typeof quality === 'number' && quality >= 0 && quality <= 1))
    throw refuse('quality', 'it must be a number from 0 to 1')
  if (corrected !== undefined && typeof corrected !== 'string')
    throw refuse('corrected', 'it must be the text that the answer should have been')
  if (success === undefined && quality === undefined && corrected === undefined) {
    const sentence = 'Say how the answer was: one of "success", "quality" and "corrected" is needed.'
    throw new SwitchyardError('missing_required_parameter', sentence, { param: 'success' })
  }
  if (success === true && corrected !== undefined && quality === undefined)
    throw refuse(
      'corrected',
      'with "success": true an answer needs no correction; give "quality" if it was partly right',
    )
  return {
    subject: subjectOf(fields.request_id ?? undefined, fields.task_id ?? undefined),
    quality: quality ?? (success === true ? 1 : 0),
    success,
    isCorrected: corrected !== undefined,
  }
}

/** Feedback as it is answered. */
export function showFeedback(kept: KeptFeedback): Record<string, unknown> {
  return {
    object: 'feedback',
    id: kept.id,
    [`${kept.subject.kind}_id`]: kept.subject.id,
    success: kept.success ?? null,
    quality: kept.quality,
    corrected: kept.isCorrected,
    requests: kept.requests,
    revision: kept.revision,
    created_at: Math.floor(kept.createdMs / 1000),
    updated_at: Math.floor(kept.updatedMs / 1000),
  }
}

function subjectOf(request: unknown, task: unknown): FeedbackSubject {
  if ((request === undefined) === (task === undefined)) {
    const sentence = 'Either "request_id" (the header x-request-id of the answer) or "task_id" is needed, not both.'
    throw new SwitchyardError('missing_required_parameter', sentence, { param: 'request_id' })
  }
  const [kind, id] = request === undefined ? (['task', task] as const) : (['request', request] as const)
  if (typeof id !== 'string' || !ID.test(id))
    throw refuse(`${kind}_id`, 'it must be 1 to 256 printable ASCII characters')
  return { kind, id }
}

function refuse(param: string, sentence: string): SwitchyardError {
  return new SwitchyardError('invalid_value', `"${param}": ${sentence}.`, { param })
}
