import type { TokenLogprob } from '../../protocol/answer.ts'
import type { JsonObject } from '../../protocol/request.ts'
import { isFields, record } from '../frame-fields.ts'

/** Log-probabilities as chat completions write them; deltas of a stream leave the bytes out. */
export function logprobsOf(value: unknown): readonly TokenLogprob[] {
  if (!Array.isArray(value)) return []
  return value.filter(isFields).map((each) => ({
    ...tokenOf(each),
    top_logprobs: Array.isArray(each['top_logprobs']) ? each['top_logprobs'].map((one) => tokenOf(record(one))) : [],
  }))
}

function tokenOf({ token, logprob, bytes }: Readonly<Record<string, unknown>>): JsonObject {
  const text = typeof token === 'string' ? token : ''
  return {
    token: text,
    logprob: typeof logprob === 'number' ? logprob : 0,
    bytes: Array.isArray(bytes) ? (bytes as readonly number[]) : [...Buffer.from(text)],
  }
}

/** A source on the web as chat completions cite it; files of OpenAI's own store have no counterpart there. */
export function annotationOf(raw: unknown): readonly JsonObject[] {
  const { type, url, title, start_index: start, end_index: end } = record(raw)
  if (type !== 'url_citation' || typeof url !== 'string') return []
  const place = { start_index: typeof start === 'number' ? start : 0, end_index: typeof end === 'number' ? end : 0 }
  return [{ type, url_citation: { url, title: typeof title === 'string' ? title : '', ...place } }]
}
