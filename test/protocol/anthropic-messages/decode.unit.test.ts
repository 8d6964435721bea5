/** What a body of the Messages API means in the internal model. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCountRequest, decodeMessagesRequest } from '../../../src/protocol/anthropic-messages/decode-request.ts'
import { MESSAGES_FIELD_ROWS } from '../../../src/protocol/anthropic-messages/fields.ts'
import { sessionOf } from '../../../src/protocol/anthropic-messages/session-of.ts'
import { anthropicAdapter } from '../../../src/upstream/anthropic/adapter.ts'
import { openAiAdapter } from '../../../src/upstream/openai/adapter.ts'
import { unsaidBy } from '../../../src/upstream/unsaid.ts'
import { encodeChatRequest } from '../../../src/protocol/openai-chat/encode-request.ts'
import { parseJsonBody } from '../../../src/protocol/json.ts'
import type { ChatRequest } from '../../../src/protocol/request.ts'
import { json, text } from '../../support/arbitrary-requests.ts'

const OPTIONS = { bodyBytes: 1000, unknownFields: 'drop' } as const
const MINIMAL = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'x' }] }
const decode = (more: object = {}, options: object = {}): ChatRequest =>
  decodeMessagesRequest({ ...MINIMAL, ...more }, { ...OPTIONS, ...options })
const conversation = (...messages: readonly object[]): ChatRequest['messages'] => decode({ messages }).messages
const user = (...content: readonly object[]): object => ({ role: 'user', content })
const assistant = (...content: readonly object[]): object => ({ role: 'assistant', content })
const CACHE = { cache_control: { type: 'ephemeral' } }
const HOUR = { cache_control: { type: 'ephemeral', ttl: '1h' } }
const call = (id: string, input: object = {}): object => ({ type: 'tool_use', id, name: 'f', input })
const result = (id: string, more: object = {}): object => ({ type: 'tool_result', tool_use_id: id, ...more })

describe('fields', () => {
  test('the smallest body, with nothing made up', () => {
    expect(decode()).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'x' }],
      tools: [],
      maxOutputTokens: 10,
      n: 1,
      sampling: {},
      openai: {},
      passed: {},
      stream: false,
      includeUsage: true,
      legacyFunctions: false,
      dropped: [],
      bodyBytes: 1064,
    })
  })

  test('counting needs no max_tokens, creating does', () => {
    const { max_tokens: _cap, ...body } = MINIMAL
    expect(decodeCountRequest(body, OPTIONS).maxOutputTokens).toBeUndefined()
    expect(() => decodeMessagesRequest(body, OPTIONS)).toThrow("'max_tokens'")
  })

  test('every sampling field', () => {
    expect(
      decode({
        temperature: 1,
        top_p: 0.5,
        top_k: 7,
        stop_sequences: ['a', ''],
        stream: true,
        service_tier: 'standard_only',
      }),
    ).toMatchObject({
      sampling: { temperature: 1, topP: 0.5, topK: 7, stop: ['a'] },
      stream: true,
      openai: { service_tier: 'default' },
    })
  })

  test.each<[object, Partial<ChatRequest>]>([
    [{ thinking: { type: 'enabled', budget_tokens: 2048 } }, { thinking: { type: 'enabled', budgetTokens: 2048 } }],
    [
      { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'xhigh' } },
      { thinking: { type: 'adaptive', display: 'omitted' }, reasoningEffort: 'xhigh' },
    ],
    [{ thinking: { type: 'disabled' } }, { thinking: { type: 'disabled' } }],
    [
      { output_format: { type: 'json_schema', schema: { type: 'object' } } },
      { format: { type: 'json_schema', name: 'output', schema: { type: 'object' }, strict: true } },
    ],
    [
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
      { format: { type: 'json_schema', name: 'output', schema: { type: 'object' }, strict: true } },
    ],
  ])('%j', (given, meant) => expect(decode(given)).toMatchObject(meant))

  test.each<[unknown, object]>([
    [{ type: 'auto' }, { toolChoice: { type: 'auto' } }],
    [{ type: 'none' }, { toolChoice: { type: 'none' } }],
    [
      { type: 'any', disable_parallel_tool_use: true },
      { toolChoice: { type: 'required' }, parallelToolCalls: false },
    ],
    [{ type: 'tool', name: 'f' }, { toolChoice: { type: 'tool', kind: 'function', name: 'f' } }],
  ])('tool_choice %j', (given, meant) => {
    expect(decode({ tools: [{ name: 'f', input_schema: { type: 'object' } }], tool_choice: given })).toMatchObject(
      meant,
    )
  })

  test('each row of the table with fate drop is dropped and named, each with fate refuse is refused by name', () => {
    for (const { field, fate } of MESSAGES_FIELD_ROWS) {
      if (fate === 'drop') expect(decode({ [field]: 'x' }).dropped).toEqual([field])
      if (fate === 'refuse') expect(() => decode({ [field]: 'x' })).toThrow(`'${field}' is not supported`)
      if (fate === 'drop' || fate === 'refuse') expect(decode({ [field]: null }).dropped).toEqual([])
    }
  })

  test('what tunes a tool only at its provider is left out and named', () => {
    const tool = { name: 'f', input_schema: { type: 'object' }, eager_input_streaming: true, defer_loading: true }
    const { tools, dropped } = decode({ tools: [tool] })
    expect(tools).toEqual([{ kind: 'function', name: 'f', parameters: { type: 'object' } }])
    expect(dropped).toEqual(['tools.eager_input_streaming', 'tools.defer_loading'])
  })

  test('the header anthropic-beta as names', () => {
    expect(decode({}, { betas: 'a-1, b.2,a-1' }).betas).toEqual(['a-1', 'b.2'])
    expect(() => decode({}, { betas: 'a b' })).toThrow('anthropic-beta')
  })
})

describe('task', () => {
  const ID = '0f8fad5b-d9cb-469f-a165-70867728950e'
  test.each<[string | undefined, string | undefined]>([
    [`user_${'a'.repeat(64)}_account__session_${ID}`, ID],
    [`user_1_account_${ID}_session_${ID}`, ID],
    [JSON.stringify({ device_id: 'd', session_id: ID }), ID],
    ['{"session_id":1}', undefined],
    ['{', undefined],
    ['somebody_session_x', undefined],
    [ID, undefined],
    [undefined, undefined],
  ])('the session in %j', (userId, session) => expect(sessionOf(userId)).toBe(session))

  test('metadata.task_id counts more than the session, and both go nowhere as metadata', () => {
    const metadata = { user_id: `u_session_${ID}` }
    expect(decode({ metadata })).toMatchObject({ taskId: ID, openai: { user: metadata.user_id } })
    expect(decode({ metadata: { ...metadata, task_id: 't' } }).taskId).toBe('t')
    expect(decode({ metadata: { other: 1 } }).dropped).toEqual(['metadata.other'])
  })
})

describe('cache markers', () => {
  test('everywhere that they may stand', () => {
    const { messages, tools, hints } = decode({
      system: [{ type: 'text', text: 's', ...HOUR }],
      tools: [{ name: 'f', input_schema: { type: 'object' }, ...CACHE }],
      messages: [
        user({ type: 'text', text: 'x', ...CACHE }),
        assistant({ ...call('a'), ...CACHE }),
        user(result('a', HOUR)),
      ],
    })
    expect(tools[0]).toMatchObject({ cache: { ttl: '5m' } })
    expect(messages).toMatchObject([
      { content: [{ cache: { ttl: '1h' } }] },
      { content: [{ cache: { ttl: '5m' } }] },
      { toolCalls: [{ cache: { ttl: '5m' } }] },
      { cache: { ttl: '1h' } },
    ])
    expect(hints).toEqual(['cache_control'])
  })

  test('at the top they mark the last block, whatever it is', () => {
    expect(decode(HOUR).messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'x', cache: { ttl: '1h' } }] },
    ])
    const messages = [user({ type: 'text', text: 'x' }), assistant(call('a')), user(result('a'))]
    expect(decode({ messages, ...HOUR }).messages.at(-1)).toMatchObject({ role: 'tool', cache: { ttl: '1h' } })
    const own = [user({ type: 'text', text: 'x', ...CACHE })]
    expect(decode({ messages: own, ...HOUR }).messages.at(-1)).toMatchObject({ content: [{ cache: { ttl: '5m' } }] })
  })

  test('an upstream without a word for them is told so', () => {
    const request = decode({ ...HOUR, thinking: { type: 'adaptive' } })
    expect(unsaidBy(openAiAdapter, request)).toEqual(['thinking', 'cache_control'])
    expect(unsaidBy(anthropicAdapter, request)).toEqual([])
  })
})

describe('messages', () => {
  test("a system prompt without Claude Code's billing header, which would change every prefix", () => {
    const system = [
      { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1; cch=abc;' },
      { type: 'text', text: 'You are helpful.' },
    ]
    const { messages, dropped } = decode({ system })
    expect(messages[0]).toEqual({ role: 'system', content: [{ type: 'text', text: 'You are helpful.' }] })
    expect(dropped).toEqual(['system.x-anthropic-billing-header'])
  })

  test('results come first, then what the user says beside them', () => {
    expect(
      conversation(
        { role: 'user', content: 'go' },
        assistant({ type: 'text', text: 'ok' }, call('a', { b: 1 }), call('c')),
        user({ type: 'text', text: 'by the way' }, result('c', { content: 'C', is_error: true })),
        user(result('a', { content: [{ type: 'text', text: 'A' }] })),
      ),
    ).toEqual([
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: [{ type: 'text', text: 'ok' }],
        toolCalls: [
          { id: 'a', kind: 'function', name: 'f', arguments: '{"b":1}' },
          { id: 'c', kind: 'function', name: 'f', arguments: '{}' },
        ],
      },
      { role: 'tool', toolCallId: 'c', content: 'C', isError: true },
      { role: 'tool', toolCallId: 'a', content: [{ type: 'text', text: 'A' }] },
      { role: 'user', content: [{ type: 'text', text: 'by the way' }] },
    ])
  })

  test('thinking after text keeps its place by being another message', () => {
    const thinking = (word: string): object => ({ type: 'thinking', thinking: word, signature: '' })
    expect(
      conversation(
        { role: 'user', content: 'x' },
        assistant(thinking('1'), { type: 'text', text: 'a' }, thinking('2')),
      ),
    ).toEqual([
      { role: 'user', content: 'x' },
      { role: 'assistant', content: [{ type: 'text', text: 'a' }], reasoning: [{ type: 'reasoning', text: '1' }] },
      { role: 'assistant', content: null, reasoning: [{ type: 'reasoning', text: '2' }] },
    ])
  })

  test('documents and search results', () => {
    const document = (source: object, more: object = {}): object => ({ type: 'document', source, ...more })
    const [message] = conversation(
      user(
        document({ type: 'text', media_type: 'text/plain', data: 'body' }, { title: 'T', context: 'C', ...CACHE }),
        document({ type: 'base64', media_type: 'application/pdf', data: 'AAAA' }, { title: 'a.pdf' }),
        document({ type: 'url', url: 'https://example.com/a.pdf' }),
        document({ type: 'content', content: [{ type: 'text', text: 'inner' }] }),
        { type: 'search_result', title: 'T', source: 'https://x', content: [{ type: 'text', text: 'found' }] },
      ),
    )
    expect(message?.content).toEqual([
      { type: 'text', text: 'T\n\nC\n\nbody', cache: { ttl: '5m' } },
      { type: 'file', filename: 'a.pdf', data: 'data:application/pdf;base64,AAAA' },
      { type: 'file', url: 'https://example.com/a.pdf' },
      { type: 'text', text: 'inner' },
      { type: 'text', text: 'T\nhttps://x\nfound' },
    ])
  })
})

describe('size', () => {
  // A body with that key is refused.
  const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/).filter((each) => each !== '__proto__')
  const turn = fc.oneof(
    text.map((content) => [{ role: 'user', content }]),
    fc
      .tuple(name, fc.dictionary(name, json, { maxKeys: 3 }), text)
      .map(([id, input, content]) => [
        assistant({ type: 'tool_use', id, name: 'f', input }),
        user({ type: 'tool_result', tool_use_id: id, content }),
      ]),
    fc
      .tuple(text, text, text)
      .map(([title, source, found]) => [
        user(
          { type: 'search_result', title, source, content: [{ type: 'text', text: found }] },
          { type: 'document', title, source: { type: 'text', media_type: 'text/plain', data: found } },
        ),
      ]),
    fc
      .tuple(text, text)
      .map(([thinking, said]) => [
        assistant({ type: 'thinking', thinking, signature: '' }, { type: 'text', text: said }),
      ]),
  )
  const body = fc.record(
    {
      system: text,
      messages: fc.array(turn, { minLength: 1, maxLength: 5 }).map((turns) => turns.flat()),
      tools: fc
        .uniqueArray(name, { maxLength: 3 })
        .map((names) => names.map((each) => ({ name: each, input_schema: { type: 'object', properties: {} } }))),
    },
    { requiredKeys: ['messages'] },
  )

  test('the prompt in the form of an OpenAI body is never longer than what holds are sized by', () => {
    fc.assert(
      fc.property(body, (more) => {
        // Numbers as short as a caller may write them.
        const written = JSON.stringify({ ...MINIMAL, ...more }).replaceAll('100000000000000000000', '1e20')
        const bytes = Buffer.from(written)
        const request = decodeMessagesRequest(parseJsonBody(bytes), { bodyBytes: bytes.length, unknownFields: 'drop' })
        // To vLLM a thought goes under two names, of which its template sees both, whichever came.
        const target = { kind: 'openai', model: 'm', extraBody: {} }
        const sent = encodeChatRequest(request, target, { stream: false, outputCap: undefined }).body
        expect(Buffer.byteLength(sent)).toBeLessThanOrEqual(request.bodyBytes)
      }),
    )
  })
})
