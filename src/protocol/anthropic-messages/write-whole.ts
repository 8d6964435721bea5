import type { NanoUsd } from '../../shared/money.ts'
import type { AnswerChunk, Usage } from '../answer.ts'
import type { AnswerShape, WholeWriter } from '../dialect.ts'
import { AnswerBlocks, type BlockSink, type DeltaKind, type OpenBlock } from './answer-blocks.ts'
import { messageId } from './message-id.ts'
import { stopFields } from './stop-reason.ts'
import { usageBody } from './usage-body.ts'

/** Writes a whole `message` body. */
export class MessageWriter implements WholeWriter {
  readonly #shape: AnswerShape
  readonly #content = new ContentList()
  readonly #blocks: AnswerBlocks
  #id: string
  #model: string

  constructor(shape: AnswerShape) {
    this.#shape = shape
    this.#id = messageId(shape, undefined)
    this.#model = shape.request.model
    this.#blocks = new AnswerBlocks(this.#content, shape.id, shape.request)
  }

  add({ events }: AnswerChunk): void {
    for (const event of events) {
      if (event.type === 'start') {
        this.#id = messageId(this.#shape, event.id)
        this.#model = event.model
      } else this.#blocks.take(event)
    }
  }

  render(usage: Usage, cost: NanoUsd | undefined): string {
    this.#blocks.finish()
    return (
      `{"id":${JSON.stringify(this.#id)},"type":"message","role":"assistant","model":${JSON.stringify(this.#model)}` +
      `,"content":[${this.#content.blocks.join(',')}],${stopFields(this.#blocks.ending)}` +
      `,"usage":${usageBody(usage, cost)}}`
    )
  }
}

class ContentList implements BlockSink {
  /** JSON texts. */
  readonly blocks: string[] = []
  #open: OpenBlock | undefined
  #text = ''
  #signature = ''

  open(block: OpenBlock): void {
    this.#open = block
    this.#text = ''
    this.#signature = ''
  }

  delta(kind: DeltaKind, text: string): void {
    if (kind === 'signature') this.#signature = text
    else this.#text += text
  }

  close(): void {
    if (this.#open !== undefined) this.blocks.push(render(this.#open, this.#text, this.#signature))
    this.#open = undefined
  }
}

function render(block: OpenBlock, text: string, signature: string): string {
  switch (block.type) {
    case 'text':
      return `{"type":"text","text":${JSON.stringify(text)}}`
    case 'thinking':
      return `{"type":"thinking","thinking":${JSON.stringify(text)},"signature":${JSON.stringify(signature)}}`
    case 'redacted_thinking':
      return `{"type":"redacted_thinking","data":${JSON.stringify(block.data)}}`
    case 'tool_use':
      return `{"type":"tool_use","id":${JSON.stringify(block.id)},"name":${JSON.stringify(block.name)},"input":${inputOf(text)}}`
    default:
      return block satisfies never
  }
}

/**
 * A call's input is an object in this API. Arguments that are none, or no JSON at all, are wrapped as Anthropic's guide to
 * fine-grained tool streaming says, so that a caller sees what the model wrote; none at all are an empty object.
 */
function inputOf(text: string): string {
  if (text.trim() === '') return '{}'
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      // Half a surrogate pair has no UTF-8; escaped it survives.
      return text.isWellFormed() ? text : JSON.stringify(value)
  } catch {
    // Wrapped below.
  }
  return JSON.stringify({ INVALID_JSON: text })
}
