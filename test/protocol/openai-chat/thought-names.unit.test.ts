/** What a model thought goes back under the names that its server reads, and is named as dropped where there is no place for it. */
import { expect, test } from 'vitest'
import { decodeChatRequest } from '../../../src/protocol/openai-chat/decode-request.ts'
import { encodeChatRequest } from '../../../src/protocol/openai-chat/encode-request.ts'

const request = decodeChatRequest(
  {
    model: 'm',
    messages: [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: 'y', reasoning_content: 'Hm.' },
    ],
  },
  { bodyBytes: 100, unknownFields: 'refuse' },
)
const target = (kind: string): { kind: string; model: string; extraBody: object } => ({
  kind,
  model: 'up',
  extraBody: {},
})
const message = (body: string): unknown => (JSON.parse(body) as { messages: unknown[] }).messages[1]

test('vLLM gets both names, others that speak the dialect the older one', () => {
  const send = { stream: false, outputCap: undefined }
  const vllm = encodeChatRequest(request, { ...target('vllm'), extraBody: {} }, send)
  expect(message(vllm.body)).toEqual({ role: 'assistant', content: 'y', reasoning_content: 'Hm.', reasoning: 'Hm.' })
  const other = encodeChatRequest(request, { ...target('openai'), extraBody: {} }, send)
  expect(message(other.body)).toEqual({ role: 'assistant', content: 'y', reasoning_content: 'Hm.' })
  expect([...vllm.dropped, ...other.dropped]).toEqual([])
})

test("OpenAI's own chat gets none, and that is named", () => {
  const send = { stream: false, outputCap: undefined, isHostedOpenAi: true }
  const { body, dropped } = encodeChatRequest(request, { ...target('openai'), extraBody: {} }, send)
  expect(message(body)).toEqual({ role: 'assistant', content: 'y' })
  expect(dropped).toEqual(['messages.reasoning'])
})
