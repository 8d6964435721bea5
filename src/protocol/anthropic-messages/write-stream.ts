import type { SwitchyardError } from '../../shared/errors.ts'
import type { NanoUsd } from '../../shared/money.ts'
import type { AnswerChunk, AnswerEvent, Usage } from '../answer.ts'
import type { AnswerShape, StreamWriter } from '../dialect.ts'
import { AnswerBlocks, type BlockSink, type DeltaKind, type OpenBlock } from './answer-blocks.ts'
import { errorBody } from './error-body.ts'
import { messageId } from './message-id.ts'
import { stopFields } from './stop-reason.ts'
import { USAGE_AT_START, usageBody } from './usage-body.ts'

const PING = 'event: ping\ndata: {"type":"ping"}\n\n'

/**
 * Writes the events of a streamed message (API reference, "Streaming messages"). `message_start` goes out with the first chunk, which
 * is handed on only when something has been answered: a fault before it is an ordinary error, and it names the model that answered
 * in the end. It does so also where the chunk has nothing to show here: what breaks from then on has been paid for, and an
 * ordinary error would make clients ask again.
 */
export class MessageStreamWriter implements StreamWriter {
  readonly keepAlive: string = PING
  readonly #shape: AnswerShape
  readonly #frames: FrameText
  readonly #blocks: AnswerBlocks

  constructor(shape: AnswerShape) {
    this.#shape = shape
    this.#frames = new FrameText(shape)
    this.#blocks = new AnswerBlocks(this.#frames, shape.id, shape.request)
  }

  chunk({ events }: AnswerChunk): string {
    this.#frames.begin(events)
    for (const event of events) this.#blocks.take(event)
    return this.#frames.take()
  }

  end(usage: Usage, cost: NanoUsd | undefined): string {
    this.#blocks.finish()
    this.#frames.begin([])
    return (
      this.#frames.take() +
      `event: message_delta\ndata: {"type":"message_delta","delta":{${stopFields(this.#blocks.ending)}},"usage":${usageBody(usage, cost)}}\n\n` +
      'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )
  }

  /** No block is closed and no `message_stop` comes: nothing that could be taken for a whole answer. */
  fail(error: SwitchyardError): string {
    // The request's id ends in the letters that the answer's id has.
    return `event: error\ndata: ${errorBody(error, `req_${this.#shape.id}`)}\n\n`
  }
}

class FrameText implements BlockSink {
  readonly #shape: AnswerShape
  #text = ''
  #index = -1
  #hasBegun = false
  #id: string | undefined
  #model: string
  #usage: Usage = USAGE_AT_START

  constructor(shape: AnswerShape) {
    this.#shape = shape
    this.#model = shape.request.model
  }

  #note(event: AnswerEvent): void {
    if (event.type === 'start') {
      this.#id = event.id
      this.#model = event.model
    } else if (event.type === 'usage') {
      // Some clients add the output of both events up, so that only the last one counts any.
      this.#usage = { ...event.usage, output: 0, reasoning: 0 }
    }
  }

  /** Writes `message_start` with what the first events tell of it. */
  begin(events: readonly AnswerEvent[]): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    for (const event of events) this.#note(event)
    this.#text +=
      `event: message_start\ndata: {"type":"message_start","message":{"id":${JSON.stringify(messageId(this.#shape, this.#id))}` +
      `,"type":"message","role":"assistant","model":${JSON.stringify(this.#model)},"content":[]` +
      `,"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":${usageBody(this.#usage, undefined)}}}\n\n${PING}`
  }

  open(block: OpenBlock): void {
    this.#index += 1
    this.#text += `event: content_block_start\ndata: {"type":"content_block_start","index":${this.#index},"content_block":${emptyBlock(block)}}\n\n`
  }

  delta(kind: DeltaKind, text: string): void {
    this.#text += `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.#index},"delta":{${deltaFields(kind)}${JSON.stringify(text)}}}\n\n`
  }

  close(): void {
    this.#text += `event: content_block_stop\ndata: {"type":"content_block_stop","index":${this.#index}}\n\n`
  }

  /** What has been written since the last time. */
  take(): string {
    const text = this.#text
    this.#text = ''
    return text
  }
}

function emptyBlock(block: OpenBlock): string {
  switch (block.type) {
    case 'text':
      return '{"type":"text","text":""}'
    case 'thinking':
      return '{"type":"thinking","thinking":"","signature":""}'
    case 'redacted_thinking':
      return `{"type":"redacted_thinking","data":${JSON.stringify(block.data)}}`
    case 'tool_use':
      return `{"type":"tool_use","id":${JSON.stringify(block.id)},"name":${JSON.stringify(block.name)},"input":{}}`
    default:
      return block satisfies never
  }
}

function deltaFields(kind: DeltaKind): string {
  switch (kind) {
    case 'text':
      return '"type":"text_delta","text":'
    case 'thinking':
      return '"type":"thinking_delta","thinking":'
    case 'signature':
      return '"type":"signature_delta","signature":'
    case 'input':
      return '"type":"input_json_delta","partial_json":'
    default:
      return kind satisfies never
  }
}
