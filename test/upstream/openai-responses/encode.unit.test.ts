import { expect, test } from 'vitest'
import { decodeChatRequest } from '../../../src/protocol/openai-chat/decode-request.ts'
import { FIELD_ROWS } from '../../../src/protocol/openai-chat/fields.ts'
import type { ChatRequest } from '../../../src/protocol/request.ts'
import { encodeRequest } from '../../../src/upstream/openai-responses/encode-request.ts'
import { RESPONSES_FIELDS } from '../../../src/upstream/openai-responses/fields.ts'
import { fakeImage } from '../../support/fake-image.ts'

const MESSAGES = [{ role: 'user', content: 'Hi' }]

function requestOf(body: object): ChatRequest {
  return decodeChatRequest({ model: 'm', messages: MESSAGES, ...body }, { bodyBytes: 100, unknownFields: 'drop' })
}

function encoded(
  request: ChatRequest,
  send: { model?: string; stream?: boolean; outputCap?: number; apiVersion?: string; extraBody?: object } = {},
): { body: Record<string, unknown>; dropped: readonly string[]; path: string } {
  const { model = 'gpt-5-codex', stream = false, outputCap, extraBody = {}, ...rest } = send
  const target = { kind: 'openai', model, extraBody: extraBody as Record<string, unknown> }
  const { body, dropped, path } = encodeRequest(request, target, { stream, outputCap, ...rest })
  return { body: JSON.parse(body) as Record<string, unknown>, dropped, path }
}
const bodyOf = (body: object, send?: Parameters<typeof encoded>[1]): Record<string, unknown> =>
  encoded(requestOf(body), send).body

test('the table has every field of the chat table, once', () => {
  expect(RESPONSES_FIELDS.map(({ field }) => field).toSorted()).toEqual(FIELD_ROWS.map(({ field }) => field).toSorted())
})

test('nothing is stored, and reasoning comes back encrypted', () => {
  expect(bodyOf({}, { stream: true, outputCap: 100 })).toEqual({
    model: 'gpt-5-codex',
    input: [{ role: 'user', content: 'Hi' }],
    store: false,
    include: ['reasoning.encrypted_content'],
    max_output_tokens: 100,
    stream: true,
  })
  expect(bodyOf({ store: true }, { extraBody: { store: true, instructions: 'x', max_output_tokens: 9 } })).toEqual(
    bodyOf({}),
  )
})

test('a conversation with pictures, files, calls of both kinds and their results becomes items', () => {
  const picture = fakeImage(64)
  const { body, dropped } = encoded(
    requestOf({
      messages: [
        { role: 'developer', content: 'Be short.' },
        {
          role: 'user',
          name: 'ann',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: picture, detail: 'low' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } },
          ],
        },
        {
          role: 'assistant',
          content: 'So',
          tool_calls: [
            { id: 'call_a', type: 'function', function: { name: 'f', arguments: '{ "a":1}' } },
            { id: 'call_b', type: 'custom', custom: { name: 'sh', input: 'ls' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_a', content: '1' },
        { role: 'tool', tool_call_id: 'call_b', content: [{ type: 'text', text: 'x' }] },
      ],
      tools: [
        { type: 'function', function: { name: 'f' } },
        { type: 'custom', custom: { name: 'sh' } },
      ],
    }),
  )
  expect(body['input']).toEqual([
    { role: 'developer', content: 'Be short.' },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'Look' },
        { type: 'input_image', image_url: picture, detail: 'low' },
        { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' },
      ],
    },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'So' }] },
    { type: 'function_call', call_id: 'call_a', name: 'f', arguments: '{ "a":1}' },
    { type: 'custom_tool_call', call_id: 'call_b', name: 'sh', input: 'ls' },
    { type: 'function_call_output', call_id: 'call_a', output: '1' },
    { type: 'custom_tool_call_output', call_id: 'call_b', output: [{ type: 'input_text', text: 'x' }] },
  ])
  expect(dropped).toEqual(['messages.name'])
})

test("OpenAI's reasoning goes back as it came, and no other", () => {
  const request: ChatRequest = {
    ...requestOf({}),
    messages: [
      {
        role: 'assistant',
        content: 'So',
        reasoning: [
          { type: 'reasoning', text: 'Hm', id: 'rs_1', signature: 'enc', signedBy: 'openai' },
          { type: 'reasoning', text: '', signature: 'enc2', signedBy: 'openai' },
          { type: 'reasoning', text: 'Claude', signature: 's', signedBy: 'anthropic' },
          { type: 'reasoning', text: 'unsigned' },
        ],
      },
      { role: 'user', content: 'On' },
    ],
  }
  const { body, dropped } = encoded(request)
  expect((body['input'] as readonly unknown[]).slice(0, 2)).toEqual([
    { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'enc' },
    { type: 'reasoning', summary: [], encrypted_content: 'enc2' },
  ])
  expect(dropped).toEqual(['messages.reasoning'])
})

test('the phase of a message of the history goes back with it', () => {
  const messages: ChatRequest['messages'] = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Looking.', phase: 'commentary' },
  ]
  expect(encoded({ ...requestOf({}), messages }).body['input']).toEqual([
    { role: 'user', content: 'Hi' },
    {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Looking.' }],
      phase: 'commentary',
    },
  ])
})

test('tools are flat, say whether they are strict, and are chosen by name', () => {
  const tools = [
    { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } },
    { type: 'function', function: { name: 'g' } },
    {
      type: 'custom',
      custom: { name: 'c', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "a"' } } },
    },
  ]
  const body = bodyOf({
    tools,
    tool_choice: { type: 'function', function: { name: 'g' } },
    parallel_tool_calls: false,
  })
  expect(body).toMatchObject({
    tools: [
      { type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: true },
      { type: 'function', name: 'g', parameters: { type: 'object', properties: {} }, strict: false },
      { type: 'custom', name: 'c', format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' } },
    ],
    tool_choice: { type: 'function', name: 'g' },
    parallel_tool_calls: false,
  })
  const allowed = { type: 'allowed', mode: 'required', names: ['c', 'f'] } as const
  expect(encoded({ ...requestOf({ tools }), toolChoice: allowed }).body['tool_choice']).toEqual({
    type: 'allowed_tools',
    mode: 'required',
    tools: [
      { type: 'function', name: 'f' },
      { type: 'custom', name: 'c' },
    ],
  })
})

test('format, verbosity, effort and what OpenAI alone knows are said in the words of the API', () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } } }
  expect(
    bodyOf({
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } },
      verbosity: 'low',
      reasoning_effort: 'high',
      service_tier: 'flex',
      metadata: { a: 'b' },
      prompt_cache_key: 'k',
      prompt_cache_options: { mode: 'explicit', ttl: '30m' },
      moderation: { model: 'omni' },
      safety_identifier: 's',
      user: 'u',
    }),
  ).toMatchObject({
    text: { format: { type: 'json_schema', name: 'n', schema, strict: true }, verbosity: 'low' },
    reasoning: { effort: 'high' },
    service_tier: 'flex',
    metadata: { a: 'b' },
    prompt_cache_key: 'k',
    prompt_cache_options: { mode: 'explicit', ttl: '30m' },
    moderation: { model: 'omni' },
    safety_identifier: 's',
    user: 'u',
  })
})

test('models that reason get no temperature and those that do not no wish for reasoning', () => {
  const asked = requestOf({ temperature: 0.3, top_p: 0.5, logprobs: true, top_logprobs: 3 })
  const reasoning = encoded(asked)
  expect(reasoning.dropped).toEqual(['temperature', 'top_p'])
  expect(reasoning.body).not.toHaveProperty('temperature')
  const plain = encoded(asked, { model: 'gpt-4.1' })
  expect(plain.body).toMatchObject({
    temperature: 0.3,
    top_p: 0.5,
    top_logprobs: 3,
    include: ['message.output_text.logprobs'],
  })
  expect(plain.dropped).toEqual([])
})

test.each([
  ['n', { n: 2 }],
  ['stop', { stop: ['x'] }],
  ['frequency_penalty', { frequency_penalty: 1 }],
  ['presence_penalty', { presence_penalty: 1 }],
  ['logit_bias', { logit_bias: { '1': 5 } }],
  ['web_search_options', { web_search_options: {} }],
  [
    'messages[0].content[0]',
    {
      messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }] }],
    },
  ],
])('%s is refused by name', (param, body) => {
  expect(() => bodyOf(body)).toThrow(expect.objectContaining({ code: 'unsupported_parameter', param }))
})

test('a lower cap than the API takes is refused and not raised, since more would be billed than is held', () => {
  expect(() => bodyOf({}, { outputCap: 15 })).toThrow(expect.objectContaining({ param: 'max_completion_tokens' }))
})

test('what is lost without changing an answer is named', () => {
  expect(encoded(requestOf({ seed: 1, prediction: { type: 'content', content: 'x' } })).dropped.toSorted()).toEqual([
    'prediction',
    'seed',
  ])
})

test("Azure's version stands in the address", () => {
  expect(encoded(requestOf({}), { apiVersion: '2025-04-01-preview' }).path).toBe(
    '/responses?api-version=2025-04-01-preview',
  )
})
