/** Reads a stream of the Messages API the way its official client does. */

export interface Frame {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}
export interface Block {
  readonly type: string
  readonly [name: string]: unknown
}
export interface Accumulated {
  content: Block[]
  stop_reason: string | null
  stop_sequence: string | null
  [name: string]: unknown
}

export function framesOf(text: string): readonly Frame[] {
  return text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/s.exec(frame) ?? []
      return { event, data: JSON.parse(data) as Frame['data'] }
    })
}

const TARGETS: Readonly<Record<string, string>> = { text: 'text', thinking: 'thinking', partial_json: 'json' }

/** Throws where a block is not opened, filled and closed in its turn. */
export function accumulate(text: string): Accumulated {
  let message: Accumulated | undefined
  let open: (Block & Record<string, unknown>) | undefined
  for (const { event, data } of framesOf(text)) {
    switch (event) {
      case 'message_start':
        message = structuredClone(data['message']) as Accumulated
        break
      case 'content_block_start':
        if (open !== undefined || data['index'] !== message?.content.length)
          throw new Error('A block begins out of turn.')
        open = { ...(data['content_block'] as Block), json: '' }
        break
      case 'content_block_delta': {
        if (open === undefined || data['index'] !== message?.content.length) throw new Error('A delta out of turn.')
        const delta = data['delta'] as Readonly<Record<string, string>>
        for (const [name, target] of Object.entries(TARGETS))
          if (delta[name] !== undefined) open[target] = String(open[target]) + delta[name]
        if (delta['signature'] !== undefined) open['signature'] = delta['signature']
        break
      }
      case 'content_block_stop': {
        if (open === undefined) throw new Error('A block ends that is not open.')
        const { json, ...block } = open
        if (block.type === 'tool_use' && json !== '') block['input'] = JSON.parse(String(json)) as unknown
        message?.content.push(block)
        open = undefined
        break
      }
      case 'message_delta':
        message = { ...message, ...(data['delta'] as Accumulated) }
        break
      case 'message_stop':
        if (open !== undefined || message === undefined) throw new Error('The message ends too early.')
        return message
      case 'ping':
        break
      default:
        throw new Error(`Unexpected event ${event}.`)
    }
  }
  throw new Error('The stream has no end.')
}
