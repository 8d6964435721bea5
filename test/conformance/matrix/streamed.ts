/** Streams of the three APIs put together to the whole answers that they stand for, as their SDKs do. */
import { fields, list, text, type Fields } from './at.ts'

export interface Streamed {
  /** The whole answer, as far as it came. */
  readonly body: Fields
  /** The stream said that it is over and well. */
  readonly isWhole: boolean
  readonly error: Fields | undefined
  /** Events that brought a piece of text. */
  readonly pieces: number
}

export function eventsOf(stream: string): readonly Fields[] {
  return [...stream.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => fields(JSON.parse(json ?? '')))
}

export function chatOf(stream: string): Streamed {
  const events = eventsOf(stream)
  const choices = new Map<number, { message: Record<string, unknown>; finish: unknown; logprobs: Fields[] }>()
  let pieces = 0
  let usage: unknown
  for (const event of events) {
    usage = event['usage'] ?? usage
    for (const choice of list(event['choices'])) {
      const index = Number(choice['index'])
      const known = choices.get(index) ?? { message: {}, finish: null, logprobs: [] }
      choices.set(index, known)
      known.finish = choice['finish_reason'] ?? known.finish
      known.logprobs.push(...list(fields(choice['logprobs'])['content']))
      const { tool_calls: calls, ...delta } = fields(choice['delta'])
      for (const name of ['content', 'reasoning_content', 'refusal'])
        if (typeof delta[name] === 'string') known.message[name] = text(known.message[name]) + delta[name]
      if (text(delta['content']) !== '') pieces += 1
      // SDKs keep the last value of a field that they do not know.
      if (delta['extra_content'] !== undefined) known.message['extra_content'] = delta['extra_content']
      for (const call of list(calls)) addCall(known.message, call)
    }
  }
  return {
    body: {
      usage,
      choices: [...choices]
        .toSorted(([a], [b]) => a - b)
        .map(([index, { message, finish, logprobs }]) => ({
          index,
          message: { role: 'assistant', ...message },
          finish_reason: finish,
          logprobs: { content: logprobs },
        })),
    },
    isWhole: stream.endsWith('data: [DONE]\n\n'),
    error: events.find((event) => event['error'] !== undefined)?.['error'] as Fields | undefined,
    pieces,
  }
}

function addCall(message: Record<string, unknown>, call: Fields): void {
  const calls = (message['tool_calls'] ??= []) as Record<string, unknown>[]
  const at = Number(call['index'])
  const { index: _, function: part, ...head } = call
  const { name, arguments: args } = fields(part)
  const known = fields(calls[at]?.['function'])
  calls[at] = {
    ...calls[at],
    ...head,
    function: { name: name ?? known['name'], arguments: text(known['arguments']) + text(args) },
  }
}

/** The last event holds the response; what came before says the same in pieces. */
export function responseOf(stream: string): Streamed {
  const events = eventsOf(stream)
  const last = events.findLast(({ type }) => /^response\.(?:completed|incomplete|failed)$/.test(text(type)))
  return {
    body: fields(last?.['response']),
    isWhole: last !== undefined && last['type'] !== 'response.failed',
    error: events.find(({ type }) => type === 'error'),
    pieces: events.filter(({ type }) => type === 'response.output_text.delta').length,
  }
}

export function messageOf(stream: string): Streamed {
  const events = eventsOf(stream)
  const blocks: Record<string, unknown>[] = []
  let body: Fields = {}
  let pieces = 0
  for (const event of events) {
    const at = Number(event['index'])
    switch (event['type']) {
      case 'message_start':
        body = fields(event['message'])
        break
      case 'content_block_start':
        blocks[at] = { ...fields(event['content_block']) }
        break
      case 'content_block_delta': {
        const delta = fields(event['delta'])
        if (delta['type'] === 'text_delta') pieces += 1
        grow(blocks[at] as Record<string, unknown>, delta)
        break
      }
      case 'content_block_stop': {
        const block = blocks[at] as Record<string, unknown>
        if ('json' in block) block['input'] = JSON.parse(text(block['json']))
        delete block['json']
        break
      }
      case 'message_delta':
        body = { ...body, ...fields(event['delta']), usage: event['usage'] }
        break
      default:
    }
  }
  return {
    body: { ...body, content: blocks },
    isWhole: events.at(-1)?.['type'] === 'message_stop',
    error: events.find(({ type }) => type === 'error')?.['error'] as Fields | undefined,
    pieces,
  }
}

function grow(block: Record<string, unknown>, delta: Fields): void {
  for (const [name, piece] of Object.entries(delta)) {
    if (name === 'type') continue
    const into = name === 'partial_json' ? 'json' : name
    block[into] = text(block[into]) + text(piece)
  }
}
