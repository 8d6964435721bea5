import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compatibilityPage } from '../../scripts/compatibility/page.ts'
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'
import { PRICED_FIELDS } from '../../src/protocol/openai-chat/known-fields.ts'
import { encodeChatRequest } from '../../src/protocol/openai-chat/encode-request.ts'
import { FIELD_ROWS, type ChatKind } from '../../src/protocol/openai-chat/fields.ts'
import { BODY_FIELDS, ENGINE_FIELDS } from '../../src/protocol/openai-chat/known-fields.ts'

/** A valid value of every field, beside the minimal body. */
const VALUES: Readonly<Record<string, unknown>> = {
  audio: { voice: 'alloy', format: 'wav' },
  frequency_penalty: 0.5,
  function_call: 'auto',
  functions: [{ name: 'f' }],
  logit_bias: { '1': 1 },
  logprobs: true,
  max_completion_tokens: 9,
  max_tokens: 9,
  metadata: { a: 'b' },
  modalities: ['text'],
  moderation: {},
  n: 2,
  parallel_tool_calls: true,
  prediction: { type: 'content', content: 'x' },
  presence_penalty: 0.5,
  prompt_cache_key: 'k',
  prompt_cache_options: { mode: 'implicit' },
  prompt_cache_retention: '24h',
  reasoning_effort: 'low',
  response_format: { type: 'json_object' },
  safety_identifier: 's',
  seed: 1,
  service_tier: 'default',
  stop: ['x'],
  store: true,
  temperature: 0.5,
  tool_choice: 'auto',
  tools: [{ type: 'function', function: { name: 'f' } }],
  top_logprobs: 2,
  top_p: 0.5,
  user: 'u',
  verbosity: 'low',
  web_search_options: {},
  top_k: 5,
  min_p: 0.1,
  repetition_penalty: 1.1,
}
/** Fields that need another one to be valid. */
const WITH: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  function_call: { functions: VALUES['functions'] },
  parallel_tool_calls: { tools: VALUES['tools'] },
  tool_choice: { tools: VALUES['tools'] },
  top_logprobs: { logprobs: true },
}

test('the table has a row for each of the 37 fields and each engine field, and no other', () => {
  expect(BODY_FIELDS).toHaveLength(37)
  expect(FIELD_ROWS.map((row) => row.field).toSorted()).toEqual([...BODY_FIELDS, ...ENGINE_FIELDS].toSorted())
})

test('docs/compatibility.md is the page that the table prints', () => {
  expect(readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8')).toBe(compatibilityPage())
})

const KINDS: readonly ChatKind[] = ['openai', 'vllm', 'simulated']
const cases = FIELD_ROWS.filter((row) => row.field in VALUES).flatMap((row) =>
  KINDS.map((kind) => [row.field, kind, row.fate[kind]] as const),
)

test.each(cases)('%s at %s is what the table says: %s', (field, kind, fate) => {
  const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], ...WITH[field], [field]: VALUES[field] }
  const request = decodeChatRequest(body, { bodyBytes: 100, unknownFields: 'refuse' })
  const encode = (): { body: string; dropped: readonly string[] } =>
    encodeChatRequest(
      request,
      { kind, model: 'up', extraBody: {} },
      { stream: false, outputCap: request.maxOutputTokens },
    )

  if (fate === 'refuse') {
    expect(encode).toThrow(expect.objectContaining({ code: 'unsupported_parameter', param: field }))
    return
  }
  const encoded = encode()
  const sent = JSON.parse(encoded.body) as Record<string, unknown>
  expect(encoded.dropped.includes(field)).toBe(fate === 'drop')
  if (fate === 'forward') expect(sent[field]).toEqual(VALUES[field])
  if (fate === 'drop') expect(sent).not.toHaveProperty(field)
})

test('a field that the operator lets through reaches that upstream and no other', () => {
  const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], min_tokens: 3, top_k: 5 }
  const options = { bodyBytes: 100, unknownFields: 'refuse', passFields: new Set(['min_tokens']) } as const
  const request = decodeChatRequest(body, options)
  const target = { kind: 'openai', model: 'up', extraBody: {} }
  const here = encodeChatRequest(request, target, {
    stream: false,
    outputCap: undefined,
    passFields: ['min_tokens', 'top_k'],
  })
  expect(JSON.parse(here.body)).toMatchObject({ min_tokens: 3, top_k: 5 })
  const there = encodeChatRequest(request, target, { stream: false, outputCap: undefined })
  expect(there.dropped).toEqual(['top_k', 'min_tokens'])
  expect(() => decodeChatRequest(body, { bodyBytes: 100, unknownFields: 'drop' })).toThrow(/min_tokens/)
})

test('hosted OpenAI gets the cap under the name that its reasoning models accept', () => {
  const request = decodeChatRequest(
    { model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: 9 },
    { bodyBytes: 100, unknownFields: 'refuse' },
  )
  const target = { kind: 'openai', model: 'up', extraBody: {} }
  const hosted = encodeChatRequest(request, target, { stream: false, outputCap: 9, isHostedOpenAi: true })
  expect(JSON.parse(hosted.body)).toMatchObject({ max_completion_tokens: 9 })
  expect(JSON.parse(hosted.body)).not.toHaveProperty('max_tokens')
})

test("the operator's fixed fields are sent with every request and win", () => {
  const request = decodeChatRequest(
    { model: 'm', messages: [{ role: 'user', content: 'x' }], temperature: 1 },
    { bodyBytes: 100, unknownFields: 'refuse' },
  )
  const target = {
    kind: 'vllm',
    model: 'up',
    extraBody: { temperature: 0, chat_template_kwargs: { enable_thinking: false } },
  }
  expect(JSON.parse(encodeChatRequest(request, target, { stream: false, outputCap: undefined }).body)).toMatchObject({
    temperature: 0,
    chat_template_kwargs: { enable_thinking: false },
  })
})

test.each([...PRICED_FIELDS])('what is priced is what is sent: neither a fixed nor a passed field is %s', (field) => {
  const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: 5 }
  const request = {
    ...decodeChatRequest(body, { bodyBytes: 100, unknownFields: 'refuse' }),
    passed: { [field]: 'mark' },
  }
  const target = { kind: 'vllm', model: 'up', extraBody: { [field]: 'mark' } }
  const sent = encodeChatRequest(request, target, { stream: true, outputCap: 5, passFields: [field] })
  expect(sent.body).not.toContain('mark')
  expect(JSON.parse(sent.body)).toMatchObject({ model: 'up', max_tokens: 5, stream: true })
})
