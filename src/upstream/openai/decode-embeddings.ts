import type { AnswerEvent } from '../../protocol/answer.ts'
import type { WholeAnswer } from '../adapter.ts'
import { isRecord } from './decode-stream.ts'
import { failure } from './errors.ts'
import { estimateUsage, readUsage } from './usage.ts'

/** Decodes a whole list of embeddings: the vector of each input as the text of the choice with its number. */
export function decodeEmbeddings(
  body: Record<string, unknown>,
  data: readonly unknown[],
  requestBytes: number,
): WholeAnswer {
  const events: AnswerEvent[] = []
  const { model, usage } = body
  if (typeof model === 'string' && model !== '') events.push({ type: 'start', id: '', model, created: 0 })
  for (const [at, each] of data.entries()) {
    const vector = isRecord(each) ? textOf(each['embedding']) : undefined
    if (vector === undefined) return { error: failure('upstream_garbage', { detail: `embedding ${at} is no vector` }) }
    const index = (each as Record<string, unknown>)['index']
    events.push({ type: 'text', choice: typeof index === 'number' ? index : at, text: vector })
  }
  // What is not told costs as much as the request has bytes; there is no output to count.
  const seen = { requestBytes, contentChunks: 0, contentBytes: 0 }
  const counted = isRecord(usage) ? { ...usage, completion_tokens: 0, total_tokens: 0 } : undefined
  return { events, usage: readUsage(counted, seen) ?? estimateUsage(seen) }
}

function textOf(vector: unknown): string | undefined {
  if (typeof vector === 'string') return /^[A-Za-z0-9+/]+={0,2}$/.test(vector) ? vector : undefined
  const isList = Array.isArray(vector) && vector.length > 0 && vector.every((each) => typeof each === 'number')
  return isList ? JSON.stringify(vector) : undefined
}
