import type { ChatRequest, Json } from '../../protocol/request.ts'
import type { AnswerView } from './answer-view.ts'
import { extractAnswer } from './extract-answer.ts'

/**
 * What an answer comes to, in a form in which the answers of two models can be compared: the calls with their arguments, the JSON by its
 * values, or the result that a text ends with. Undefined = there is nothing to compare.
 */
export function resultOf(request: ChatRequest, answer: AnswerView): string | undefined {
  if (answer.calls.length > 0) {
    return answer.calls.map((call) => `${call.name}(${canonicalJson(call.arguments) ?? call.arguments})`).join(' ')
  }
  if (request.format !== undefined && request.format.type !== 'text') {
    return extractField(answer.text) ?? canonicalJson(answer.text)
  }
  return extractAnswer(answer.text)
}

/** Reasons are worded differently by every model, so that of an object with an answer only that counts. */
function extractField(text: string): string | undefined {
  return /"(?:final_)?answer"\s*:/iu.test(text) ? extractAnswer(text) : undefined
}

/** The same text for the same value: keys in order, no spaces. Undefined for what is not JSON. */
function canonicalJson(text: string): string | undefined {
  try {
    return JSON.stringify(sorted(JSON.parse(text === '' ? '{}' : text) as Json))
  } catch {
    return undefined
  }
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]))
}
