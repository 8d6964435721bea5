import type { AnswerEvent, Usage } from '../../protocol/answer.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import { failure } from '../openai/errors.ts'
import { AnswerReader } from './answer-reader.ts'
import { fromError } from './errors.ts'

type WholeAnswer =
  { readonly events: readonly AnswerEvent[]; readonly usage: Usage } | { readonly error: SwitchyardError }
type Fields = Readonly<Record<string, unknown>>

/** Decodes a whole message into the same events as a stream. `created` is in Unix seconds. */
export function decodeWhole(body: string, requestBytes: number, created: number): WholeAnswer {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return { error: failure('upstream_garbage', { detail: `a 200 whose body is not JSON: ${body.slice(0, 200)}` }) }
  }
  if (!isFields(parsed)) return { error: failure('upstream_garbage', { detail: 'a 200 whose body is not an object' }) }
  if (parsed['type'] === 'error') return { error: fromError(parsed['error']) }
  const { content } = parsed
  if (!Array.isArray(content) || typeof parsed['stop_reason'] !== 'string')
    return { error: failure('upstream_garbage', { detail: 'a 200 without content or stop_reason' }) }
  const reader = new AnswerReader(requestBytes, created)
  reader.start(parsed)
  for (const [index, block] of content.entries()) {
    if (!isFields(block)) continue
    reader.open(index, block)
    reader.close(index)
  }
  reader.end(parsed, undefined)
  return { events: reader.take(), usage: reader.usage() }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
