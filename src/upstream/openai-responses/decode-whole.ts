import type { AnswerEvent, Usage } from '../../protocol/answer.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { failure } from '../openai/errors.ts'
import { AnswerReader } from './answer-reader.ts'
import { endingOf, fromFailure } from './ending.ts'
import { isFields } from '../frame-fields.ts'

type WholeAnswer =
  | { readonly events: readonly AnswerEvent[]; readonly usage: Usage }
  | { readonly error: SwitchyardError; readonly usage?: Usage }

/** Decodes a whole response into the same events as a stream. */
export function decodeWhole(body: string, requestBytes: number): WholeAnswer {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return { error: failure('upstream_garbage', { detail: `a 200 whose body is not JSON: ${body.slice(0, 200)}` }) }
  }
  if (!isFields(parsed)) return { error: failure('upstream_garbage', { detail: 'a 200 whose body is not an object' }) }
  if (parsed['status'] === undefined && isFields(parsed['error'])) return { error: fromFailure(parsed['error']) }
  const ending = endingOf(parsed)
  const reader = new AnswerReader(requestBytes)
  if (ending instanceof SwitchyardError) {
    // A failed response is billed for what it says it used, and for nothing where it says nothing.
    if (!isFields(parsed['usage'])) return { error: ending }
    reader.count(parsed)
    return { error: ending, usage: reader.usage() }
  }
  if (!Array.isArray(parsed['output']))
    return { error: failure('upstream_garbage', { detail: 'a 200 without output' }) }
  reader.finish(parsed, ending)
  return { events: reader.take(), usage: reader.usage() }
}
