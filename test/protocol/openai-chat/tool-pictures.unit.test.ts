/** OpenAI takes no picture in a tool's message and vLLM loses it there: it follows the results, and nothing else moves. */
import { expect, test } from 'vitest'
import { decodeChatRequest } from '../../../src/protocol/openai-chat/decode-request.ts'
import { encodeChatRequest } from '../../../src/protocol/openai-chat/encode-request.ts'

const url =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const picture = { type: 'image_url', image_url: { url } }
const call = (id: string): object => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } })
const called = { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] }

function sent(messages: readonly object[], kind = 'openai'): readonly Record<string, unknown>[] {
  const request = decodeChatRequest({ model: 'm', messages }, { bodyBytes: 1, unknownFields: 'refuse' })
  const { body } = encodeChatRequest(
    request,
    { kind, model: 'up', extraBody: {} },
    { stream: false, outputCap: undefined },
  )
  return (JSON.parse(body) as { messages: Record<string, unknown>[] }).messages
}

test.each(['openai', 'vllm'])(
  '%s: pictures of several results stand after the last of them, before the next message',
  (kind) => {
    const messages = sent(
      [
        { role: 'user', content: 'Look.' },
        called,
        { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'seen' }, picture] },
        { role: 'tool', tool_call_id: 'b', content: [picture] },
        { role: 'user', content: 'And?' },
      ],
      kind,
    )
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'user', 'user'])
    expect(messages[2]).toEqual({ role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'seen' }] })
    expect(messages[3]).toEqual({ role: 'tool', tool_call_id: 'b', content: '' })
    expect(messages[4]).toEqual({ role: 'user', content: [{ type: 'text', text: 'From the tool:' }, picture, picture] })
  },
)

test('pictures of the last result end the conversation', () => {
  const messages = sent([
    { role: 'user', content: 'Look.' },
    { ...called, tool_calls: [call('a')] },
    { role: 'tool', tool_call_id: 'a', content: [picture] },
  ])
  expect(messages.at(-1)).toMatchObject({ role: 'user', content: [{ type: 'text' }, picture] })
})

test('a result without a picture, and a picture of the user, stay where they are', () => {
  const messages = [
    { role: 'user', content: [picture] },
    { ...called, tool_calls: [call('a')] },
    { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'seen' }] },
  ]
  expect(sent(messages)).toEqual(messages)
})
