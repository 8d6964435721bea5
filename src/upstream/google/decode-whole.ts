import type { AnswerEvent } from '../../protocol/answer.ts'
import type { WholeAnswer } from '../adapter.ts'
import { failure } from '../openai/errors.ts'
import { GoogleAnswerReader } from './answer-reader.ts'

/** Decodes the answer of `:generateContent`, or the list of them that a stream without `alt=sse` is. */
export function decodeGoogleWhole(body: string, requestBytes: number): WholeAnswer {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return { error: failure('upstream_garbage', { detail: `a 200 whose body is not JSON: ${body.slice(0, 200)}` }) }
  }
  const reader = new GoogleAnswerReader(requestBytes)
  const events: AnswerEvent[] = []
  for (const response of Array.isArray(parsed) ? (parsed as readonly unknown[]) : [parsed])
    reader.take(response, events)
  if (reader.error !== undefined)
    return reader.hasStarted ? { error: reader.error, usage: reader.usage() } : { error: reader.error }
  if (!reader.hasStarted) return { error: failure('upstream_empty', { detail: 'a 200 without candidates' }) }
  if (!reader.hasFinish) return { error: failure('upstream_garbage', { detail: 'a candidate without finishReason' }) }
  return { events, usage: reader.usage() }
}
