import type { TokenLogprob } from '../answer.ts'
import type { Json, JsonObject, Phase } from '../request.ts'
import type { GrowingItem, ItemStatus, Say } from './answer-items.ts'

interface Part {
  readonly type: 'output_text' | 'refusal'
  text: string
  readonly annotations: JsonObject[]
  readonly logprobs: TokenLogprob[]
}

/** A message of the output: parts of text and refusal, one open at a time. */
export class MessageItem implements GrowingItem {
  readonly index: number
  readonly #id: string
  readonly #say: Say
  readonly #phase: { readonly phase?: Phase }
  readonly #parts: Part[] = []

  constructor(id: string, index: number, say: Say, phase?: Phase) {
    this.#id = id
    this.index = index
    this.#say = say
    this.#phase = phase === undefined ? {} : { phase }
  }

  text(delta: string, logprobs: readonly TokenLogprob[]): void {
    const part = this.#part('output_text')
    part.text += delta
    part.logprobs.push(...logprobs)
    this.#say('output_text.delta', { ...this.#place(), delta, logprobs })
  }

  refusal(delta: string): void {
    this.#part('refusal').text += delta
    this.#say('refusal.delta', { ...this.#place(), delta })
  }

  annotations(list: readonly JsonObject[]): void {
    const part = this.#part('output_text')
    for (const each of list) {
      const annotation = flat(each)
      this.#say('output_text.annotation.added', {
        ...this.#place(),
        annotation_index: part.annotations.length,
        annotation,
      })
      part.annotations.push(annotation)
    }
  }

  close(): void {
    this.#endPart()
  }

  body(status: ItemStatus | 'in_progress'): JsonObject {
    const content = this.#parts.map(partBody)
    return { id: this.#id, type: 'message', status, role: 'assistant', content, ...this.#phase }
  }

  #part(type: Part['type']): Part {
    const last = this.#parts.at(-1)
    if (last?.type === type) return last
    this.#endPart()
    const part: Part = { type, text: '', annotations: [], logprobs: [] }
    this.#parts.push(part)
    this.#say('content_part.added', { ...this.#place(), part: partBody(part) })
    return part
  }

  #endPart(): void {
    const last = this.#parts.at(-1)
    if (last === undefined) return
    if (last.type === 'refusal') this.#say('refusal.done', { ...this.#place(), refusal: last.text })
    else this.#say('output_text.done', { ...this.#place(), text: last.text, logprobs: [...last.logprobs] })
    this.#say('content_part.done', { ...this.#place(), part: partBody(last) })
  }

  /** Where the part under way is. */
  #place(): { readonly item_id: string; readonly output_index: number; readonly content_index: number } {
    return { item_id: this.#id, output_index: this.index, content_index: this.#parts.length - 1 }
  }
}

function partBody(part: Part): JsonObject {
  return part.type === 'refusal'
    ? { type: 'refusal', refusal: part.text }
    : { type: 'output_text', text: part.text, annotations: [...part.annotations], logprobs: [...part.logprobs] }
}

/** Chat completions put a citation's fields into an object that is named after its type. */
function flat(annotation: JsonObject): JsonObject {
  const { type } = annotation
  if (typeof type !== 'string') return annotation
  const inner = annotation[type]
  return isJsonObject(inner) ? { type, ...inner } : annotation
}

function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
