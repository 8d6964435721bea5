import { ANSWER } from './capabilities.ts'
import { event, halves, type Fields } from './fields.ts'
import type { Speaker } from './speaker.ts'
import type { Told } from './told.ts'

const HEAD = { id: 'msg_up', type: 'message', role: 'assistant', model: 'served' }
const STOP = { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use', refusal: 'refusal' } as const
const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_up' }

/** Anthropic's Messages API. */
export const anthropicSpeaker: Speaker = {
  whole: (told) => ({ ...HEAD, content: blocksOf(told), ...endOf(told), usage: usageOf(told) }),
  stream: (told) =>
    start(told) +
    blocksOf(told)
      .map((block, index) => blockEvents(block, index))
      .join('') +
    event({ type: 'message_delta', delta: endOf(told), usage: { output_tokens: told.usage.output } }) +
    event({ type: 'message_stop' }),
  overloaded: { status: 529, body: overloaded },
  broken:
    start({ usage: { input: 1000, cached: 0, output: 50 } }) +
    event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) +
    delta(0, { type: 'text_delta', text: halves(ANSWER)[0] }) +
    event(overloaded),
}

function start(told: Pick<Told, 'usage'>): string {
  const message = { ...HEAD, content: [], stop_reason: null, stop_sequence: null, usage: usageOf(told) }
  return event({ type: 'message_start', message })
}

function blocksOf({ texts, calls, thought }: Told): readonly Fields[] {
  const [text = ''] = texts
  return [
    ...(thought === undefined ? [] : [{ type: 'thinking', thinking: thought.text, signature: thought.signature }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...calls.map(({ id, name, arguments: args }) => ({
      type: 'tool_use',
      id,
      name,
      input: JSON.parse(args) as Fields,
    })),
  ]
}

function endOf({ finish, refusal }: Told): Fields {
  const stop_details = refusal === undefined ? null : { type: 'refusal', category: 'fraud', explanation: refusal }
  return { stop_reason: STOP[finish], stop_sequence: null, stop_details }
}

function usageOf({ usage: { input, cached, output } }: Pick<Told, 'usage'>): Fields {
  return {
    input_tokens: input - cached,
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: 0,
    output_tokens: output,
  }
}

function blockEvents(block: Fields, index: number): string {
  return (
    event({ type: 'content_block_start', index, content_block: emptied(block) }) +
    deltasOf(block)
      .map((each) => delta(index, each))
      .join('') +
    event({ type: 'content_block_stop', index })
  )
}

function emptied(block: Fields): Fields {
  switch (block['type']) {
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' }
    case 'text':
      return { type: 'text', text: '' }
    default:
      return { ...block, input: {} }
  }
}

function deltasOf(block: Fields): readonly Fields[] {
  switch (block['type']) {
    case 'thinking':
      return [
        ...halves(String(block['thinking'])).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: block['signature'] },
      ]
    case 'text':
      return halves(String(block['text'])).map((text) => ({ type: 'text_delta', text }))
    default:
      return halves(JSON.stringify(block['input'])).map((partial_json) => ({ type: 'input_json_delta', partial_json }))
  }
}

function delta(index: number, fields: Fields): string {
  return event({ type: 'content_block_delta', index, delta: fields })
}
