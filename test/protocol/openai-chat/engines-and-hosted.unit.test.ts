/** Where OpenAI's own chat completions and the engines that speak them differ. */
import { expect, test } from 'vitest'
import { encodeChatRequest } from '../../../src/protocol/openai-chat/encode-request.ts'
import type { ChatRequest } from '../../../src/protocol/request.ts'
import { chatRequest } from '../../support/fake-steps.ts'

function encode(request: Partial<ChatRequest>, kind: string, isHostedOpenAi: boolean): Record<string, unknown> {
  const target = { kind, model: 'm', extraBody: {} }
  const { body } = encodeChatRequest(chatRequest(request), target, { stream: false, outputCap: 10, isHostedOpenAi })
  return JSON.parse(body) as Record<string, unknown>
}
const refused = (message: object): Partial<ChatRequest> => ({
  messages: [{ role: 'assistant', content: null, ...message }],
})

test.each([
  ['beside no content', { refusal: 'I cannot.' }, { content: 'I cannot.' }],
  ['that is empty', { refusal: '' }, { content: null }],
  ['beside content', { content: 'No. ', refusal: 'I cannot.' }, { content: 'No. I cannot.' }],
  [
    'among and beside parts',
    {
      content: [
        { type: 'text', text: 'No.' },
        { type: 'refusal', text: 'I cannot.' },
      ],
      refusal: 'Never.',
    },
    {
      content: [
        { type: 'text', text: 'No.' },
        { type: 'text', text: 'I cannot.' },
        { type: 'text', text: 'Never.' },
      ],
    },
  ],
])('a refusal %s is content for an engine, whose template shows no other', (_name, message, sent) => {
  for (const kind of ['vllm', 'openai'])
    expect(encode(refused(message), kind, false)['messages']).toEqual([{ role: 'assistant', ...sent }])
})

test('at OpenAI a refusal stays one', () => {
  expect(encode(refused({ refusal: 'I cannot.' }), 'openai', true)['messages']).toEqual([
    { role: 'assistant', content: null, refusal: 'I cannot.' },
  ])
  const content = [{ type: 'refusal', text: 'I cannot.' }]
  expect(encode(refused({ content }), 'openai', true)['messages']).toEqual([
    { role: 'assistant', content: [{ type: 'refusal', refusal: 'I cannot.' }] },
  ])
})

test('names of tools that OpenAI finds too long are refused there, and sent elsewhere', () => {
  const tools = (letters: number): Partial<ChatRequest> => ({
    tools: [
      { kind: 'function', name: 'a' },
      { kind: 'function', name: 'b'.repeat(letters) },
    ],
  })
  expect(encode(tools(64), 'openai', true)['tools']).toHaveLength(2)
  expect(() => encode(tools(65), 'openai', true)).toThrow(
    expect.objectContaining({
      code: 'unsupported_parameter',
      param: 'tools[1].name',
      message: expect.stringContaining('at most 64 letters') as string,
    }),
  )
  expect(encode(tools(65), 'openai', false)['tools']).toHaveLength(2)
})
