/** An answer of `/v1/messages`, read as a careful client reads it. */
import type { Reply } from './reply.ts'
import { holds, same } from './row.ts'

interface MessageUsage {
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly cache_read_input_tokens?: number | null
}
export interface Block {
  readonly type?: string
  readonly text?: string
  readonly thinking?: string
  readonly signature?: string
  readonly id?: string
  readonly name?: string
  readonly input?: unknown
}
export interface MessageObject {
  readonly id?: string
  readonly type?: string
  readonly role?: string
  readonly model?: string
  readonly content?: readonly Block[]
  readonly stop_reason?: string | null
  readonly usage?: MessageUsage
}
export interface MessageEvent {
  readonly type: string
  readonly index?: number
  readonly message?: MessageObject
  readonly content_block?: Block
  readonly delta?: {
    readonly type?: string
    readonly text?: string
    readonly thinking?: string
    readonly signature?: string
    readonly partial_json?: string
    readonly stop_reason?: string | null
  }
  readonly usage?: MessageUsage
  readonly error?: { readonly type?: string; readonly message?: string }
}

/** Every event, pings among them. */
export function messageEvents(reply: Reply): readonly MessageEvent[] {
  return reply.frames.map((frame) => {
    const event = frame as Partial<MessageEvent>
    holds(typeof event.type === 'string', `an event without a type: ${JSON.stringify(frame).slice(0, 60)}`)
    return event as MessageEvent
  })
}

/** The events, without pings, of a stream that ends well. */
export function stops(reply: Reply): readonly MessageEvent[] {
  same(reply.status, 200, 'status')
  holds(reply.isWhole, 'the connection broke before the end')
  const events = messageEvents(reply).filter(({ type }) => type !== 'ping')
  same(events.at(-1)?.type, 'message_stop', 'last event')
  holds(
    events.every(({ type }) => type !== 'error'),
    'an error event',
  )
  return events
}

/** A failure that nobody can take for a good end: an `error` event and no `message_stop`, or an HTTP error. */
export function failsAsMessage(reply: Reply): readonly MessageEvent[] {
  if (reply.status >= 400) return []
  const events = messageEvents(reply)
  const types = events.map(({ type }) => type)
  holds(!types.includes('message_stop'), 'ended with message_stop as if all were well')
  holds(types.includes('error'), 'ended without a word')
  return events
}

/** Content blocks put together as the official client does it; `Broken` where it would throw. */
export function blocksOf(events: readonly MessageEvent[]): readonly Block[] {
  const blocks: { type?: string; text: string; thinking: string; json: string; start: Block }[] = []
  for (const { type, index, content_block, delta } of events) {
    if (type === 'content_block_start') {
      same(index, blocks.length, 'place of a new block')
      blocks.push({
        ...(content_block?.type === undefined ? {} : { type: content_block.type }),
        text: '',
        thinking: '',
        json: '',
        start: content_block ?? {},
      })
    } else if (type === 'content_block_delta') {
      const block = blocks[Number(index)]
      holds(block !== undefined, `a delta for block ${index}, which was not started`)
      block.text += delta?.text ?? ''
      block.thinking += delta?.thinking ?? ''
      block.json += delta?.partial_json ?? ''
    }
  }
  return blocks.map(({ start, text, thinking, json }) => {
    switch (start.type) {
      case 'text':
        return { type: 'text', text }
      case 'thinking':
        return { type: 'thinking', thinking }
      case 'tool_use':
        return { ...start, input: json === '' ? {} : parsed(json) }
      default:
        return start
    }
  })
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return holds(false, `arguments are not JSON: ${json.slice(0, 60)}`)
  }
}

export function stopReason(events: readonly MessageEvent[]): unknown {
  return events.find(({ type }) => type === 'message_delta')?.delta?.stop_reason
}
