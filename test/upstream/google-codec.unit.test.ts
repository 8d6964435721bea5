/** The pure parts of kind `google`: what is written, what is read, and that a cut of the bytes changes nothing. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerEvent } from '../../src/protocol/answer.ts'
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'
import { FIELD_ROWS } from '../../src/protocol/openai-chat/fields.ts'
import type { ChatRequest, Message } from '../../src/protocol/request.ts'
import { encodeContents } from '../../src/upstream/google/encode-contents.ts'
import { encodeGoogleRequest } from '../../src/upstream/google/encode-request.ts'
import { encodeThinking } from '../../src/upstream/google/encode-thinking.ts'
import { decodeGoogleWhole } from '../../src/upstream/google/decode-whole.ts'
import { GoogleStreamDecoder } from '../../src/upstream/google/decode-stream.ts'
import { GOOGLE_FIELDS } from '../../src/upstream/google/fields.ts'
import { familyOf } from '../../src/upstream/google/model-family.ts'
import { readGoogleUsage } from '../../src/upstream/google/usage.ts'
import { AnswerCollector } from '../../src/protocol/openai-chat/collect-answer.ts'
import { joined } from '../support/fake-google.ts'

const NEW = familyOf('gemini-3-pro-preview')
const OLDER = familyOf('gemini-2.5-flash')

function decode(body: object): ChatRequest {
  return decodeChatRequest(
    { model: 'm', messages: [{ role: 'user', content: 'x' }], ...body },
    { bodyBytes: 100, unknownFields: 'refuse' },
  )
}
function encode(
  body: object,
  model = 'gemini-3-flash-preview',
): { sent: Record<string, unknown>; dropped: readonly string[] } {
  const target = { kind: 'google', model, extraBody: {} }
  const { body: text, dropped } = encodeGoogleRequest(decode(body), target, { stream: false, outputCap: 50 })
  return { sent: JSON.parse(text) as Record<string, unknown>, dropped }
}

describe('the table of fields', () => {
  test('has a row for every field of the chat API', () => {
    expect(GOOGLE_FIELDS.map((row) => row.field).toSorted()).toEqual(FIELD_ROWS.map((row) => row.field).toSorted())
  })

  const VALUES: Readonly<Record<string, object>> = {
    audio: { audio: { voice: 'alloy', format: 'wav' } },
    logit_bias: { logit_bias: { '1': 1 } },
    metadata: { metadata: { a: 'b' } },
    moderation: { moderation: {} },
    prediction: { prediction: { type: 'content', content: 'x' } },
    prompt_cache_key: { prompt_cache_key: 'k' },
    prompt_cache_options: { prompt_cache_options: { mode: 'implicit' } },
    prompt_cache_retention: { prompt_cache_retention: '24h' },
    safety_identifier: { safety_identifier: 's' },
    service_tier: { service_tier: 'flex' },
    store: { store: true },
    user: { user: 'u' },
    verbosity: { verbosity: 'low' },
    web_search_options: { web_search_options: {} },
    min_p: { min_p: 0.1 },
    repetition_penalty: { repetition_penalty: 1.1 },
  }
  test.each(GOOGLE_FIELDS.filter((row) => row.fate === 'drop' || row.fate === 'refuse'))(
    '$field: $fate',
    ({ field, fate }) => {
      const body = VALUES[field] ?? {}
      expect(Object.keys(body)).toEqual([field])
      if (fate === 'refuse')
        expect(() => encode(body)).toThrow(expect.objectContaining({ code: 'unsupported_parameter', param: field }))
      else {
        const { sent, dropped } = encode(body)
        expect(dropped).toEqual([field])
        expect(JSON.stringify(sent)).not.toContain(`"${field}":`)
      }
    },
  )
})

describe('contents', () => {
  const contents = (messages: readonly Message[], family = NEW) => {
    const dropped = new Set<string>()
    return { ...encodeContents(messages, family, dropped), dropped: [...dropped] }
  }

  test('system messages of any place become the instruction, in their order', () => {
    expect(
      contents([
        { role: 'system', content: 'a' },
        { role: 'user', content: 'Hi' },
        { role: 'developer', content: [{ type: 'text', text: 'b' }] },
      ]),
    ).toMatchObject({
      systemInstruction: { parts: [{ text: 'a' }, { text: 'b' }] },
      contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
    })
  })

  test('instructions alone are the turn, and an empty turn says a blank', () => {
    expect(contents([{ role: 'system', content: 'a' }]).contents).toEqual([{ role: 'user', parts: [{ text: 'a' }] }])
    expect(contents([{ role: 'user', content: '' }]).contents).toEqual([{ role: 'user', parts: [{ text: ' ' }] }])
  })

  test("another provider's signed thinking is left out and named; its calls carry the mark that Google has for that", () => {
    const messages: Message[] = [
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: null,
        reasoning: [
          { type: 'reasoning', text: 'secret', signature: 'ant', signedBy: 'anthropic' },
          { type: 'reasoning', text: 'plain' },
        ],
        toolCalls: [
          { id: '1', kind: 'function', name: 'f', arguments: '' },
          { id: '2', kind: 'function', name: 'f', arguments: '{}' },
        ],
      },
    ]
    const {
      contents: [, model],
      dropped,
    } = contents(messages)
    expect(model).toEqual({
      role: 'model',
      parts: [
        { text: 'plain', thought: true },
        { functionCall: { id: '1', name: 'f', args: {} }, thoughtSignature: 'skip_thought_signature_validator' },
        { functionCall: { id: '2', name: 'f', args: {} } },
      ],
    })
    expect(dropped).toEqual(['messages.reasoning'])
    expect(JSON.stringify(contents(messages, OLDER).contents)).not.toContain('skip_thought')
  })

  test('a picture in a result stands inside of it since Gemini 3, beside it before', () => {
    const messages: Message[] = [
      { role: 'assistant', content: null, toolCalls: [{ id: '1', kind: 'function', name: 'shot', arguments: '{}' }] },
      {
        role: 'tool',
        toolCallId: '1',
        isError: true,
        content: [
          { type: 'text', text: 'a' },
          { type: 'image', url: 'data:image/png;base64,AAAA' },
        ],
      },
    ]
    const media = { inlineData: { mimeType: 'image/png', data: 'AAAA' } }
    const result = { id: '1', name: 'shot', response: { error: 'a' } }
    expect(contents(messages).contents[1]?.['parts']).toEqual([{ functionResponse: { ...result, parts: [media] } }])
    expect(contents(messages, OLDER).contents[1]?.['parts']).toEqual([{ functionResponse: result }, media])
  })

  test.each([
    ['a GIF', { type: 'image', url: 'data:image/gif;base64,AAAA' }, 'messages[0].content[0].image_url.url'],
    ['a file of no known type', { type: 'file', data: 'AAAA' }, 'messages[0].content[0].file'],
    ["another provider's file", { type: 'file', fileId: 'file-abc' }, 'messages[0].content[0].file'],
  ] as const)('%s is refused with its place', (_what, part, param) => {
    expect(() => contents([{ role: 'user', content: [part] }])).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', param }),
    )
  })

  test('files and sound go as bytes, what lies at the Files API by its address', () => {
    expect(
      contents([
        {
          role: 'user',
          content: [
            { type: 'file', data: 'JVBERi0x' },
            { type: 'file', fileId: 'files/abc-1' },
            { type: 'audio', data: 'UklG', format: 'wav' },
          ],
        },
      ]).contents[0]?.['parts'],
    ).toEqual([
      { inlineData: { mimeType: 'application/pdf', data: 'JVBERi0x' } },
      { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc-1' } },
      { inlineData: { mimeType: 'audio/wav', data: 'UklG' } },
    ])
  })
})

describe('tools', () => {
  const tools = ['a', 'b'].map((name) => ({ type: 'function', function: { name } }))
  test.each([
    ['auto', { mode: 'AUTO' }],
    ['none', { mode: 'NONE' }],
    ['required', { mode: 'ANY' }],
    [
      { type: 'function', function: { name: 'b' } },
      { mode: 'ANY', allowedFunctionNames: ['b'] },
    ],
    [
      {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'b' } }] },
      },
      { mode: 'ANY', allowedFunctionNames: ['b'] },
    ],
  ])('choice %j', (tool_choice, functionCallingConfig) => {
    expect(encode({ tools, tool_choice }).sent['toolConfig']).toEqual({ functionCallingConfig })
  })

  test.each([
    [tools, { type: 'function', function: { name: 'b' } }],
    [tools.slice(0, 1), 'required'],
  ])('parallel_tool_calls: false beside one forced function is left out by name (%#)', (offered, tool_choice) => {
    expect(encode({ tools: offered, tool_choice, parallel_tool_calls: false }).dropped).toContain('parallel_tool_calls')
  })

  test.each(['auto', 'required', undefined])(
    'parallel_tool_calls: false beside choice %s is refused',
    (tool_choice) => {
      expect(() => encode({ tools, tool_choice, parallel_tool_calls: false })).toThrow('parallel_tool_calls')
    },
  )

  test('where a call is free, what may not be called is not offered', () => {
    const tool_choice = {
      type: 'allowed_tools',
      allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'b' } }] },
    }
    expect(encode({ tools, tool_choice }).sent['tools']).toEqual([{ functionDeclarations: [{ name: 'b' }] }])
  })

  test('a strict schema asks for calls that obey it', () => {
    const strict = [
      {
        type: 'function',
        function: {
          name: 'a',
          strict: true,
          parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
        },
      },
    ]
    expect(encode({ tools: strict }).sent['toolConfig']).toEqual({ functionCallingConfig: { mode: 'VALIDATED' } })
  })
})

test.each([
  ['gemini-2.5-flash', 'none', { thinkingBudget: 0 }, false],
  ['gemini-2.5-pro', 'none', { thinkingBudget: 128 }, true],
  ['gemini-3-pro-preview', 'none', { thinkingLevel: 'low' }, true],
  ['gemini-2.5-flash', 'max', { includeThoughts: true, thinkingBudget: 24_576 }, false],
  ['gemini-2.5-pro', 'max', { includeThoughts: true, thinkingBudget: 32_768 }, false],
  ['gemini-3-pro-preview', 'medium', { includeThoughts: true, thinkingLevel: 'high' }, false],
  ['gemini-3.5-flash', 'medium', { includeThoughts: true, thinkingLevel: 'medium' }, false],
  ['gemini-2.0-flash', 'none', undefined, false],
] as const)('%s thinks %s as %j', (model, reasoningEffort, config, isNamed) => {
  const dropped = new Set<string>()
  expect(encodeThinking({ ...decode({}), reasoningEffort }, model, familyOf(model), dropped)).toEqual(config)
  expect(dropped.has('reasoning_effort')).toBe(isNamed)
})

test("an operator's fixed configuration never stands over what is priced", () => {
  const extraBody = {
    generationConfig: { maxOutputTokens: 9_999_999, candidateCount: 8, topK: 3 },
    contents: [],
    safetySettings: [],
  }
  const { body } = encodeGoogleRequest(
    decode({}),
    { kind: 'google', model: 'm', extraBody },
    { stream: false, outputCap: 50 },
  )
  expect(JSON.parse(body)).toEqual({
    contents: [{ role: 'user', parts: [{ text: 'x' }] }],
    generationConfig: { maxOutputTokens: 50, topK: 3 },
    safetySettings: [],
  })
})

test.each([
  [
    'cached tokens are part of the prompt, thoughts are not of the candidates',
    {
      promptTokenCount: 10,
      cachedContentTokenCount: 4,
      candidatesTokenCount: 2,
      thoughtsTokenCount: 3,
      totalTokenCount: 15,
    },
    { input: 10, cachedInput: 4, output: 5, reasoning: 3 },
  ],
  [
    "the prompt of Google's own tools counts besides",
    { promptTokenCount: 10, toolUsePromptTokenCount: 6, candidatesTokenCount: 2, totalTokenCount: 18 },
    { input: 16, output: 2 },
  ],
  [
    'what only the total has is output',
    { promptTokenCount: 10, candidatesTokenCount: 2, totalTokenCount: 20 },
    { input: 10, output: 10 },
  ],
  [
    'sound and pictures by their lists',
    {
      promptTokenCount: 10,
      candidatesTokenCount: 1,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 2 },
        { modality: 'AUDIO', tokenCount: 5 },
        { modality: 'IMAGE', tokenCount: 3 },
      ],
    },
    { audioInput: 5, imageInput: 3 },
  ],
])('usage: %s', (_what, raw, expected) => {
  const seen = { requestBytes: 1000, contentChunks: 1, contentBytes: 1 }
  expect(readGoogleUsage(raw, seen)).toMatchObject({ ...expected, estimated: false })
})

const part = fc.oneof(
  fc.record({ text: fc.string({ unit: 'grapheme', maxLength: 20 }) }),
  fc.record({ text: fc.string({ unit: 'grapheme', maxLength: 20 }), thought: fc.constant(true) }),
  fc.record({ text: fc.string({ maxLength: 5 }), thoughtSignature: fc.constantFrom('c2ln', 'b3RoZXI=') }),
  fc.record(
    {
      functionCall: fc.record(
        {
          id: fc.constantFrom('x', 'y', ''),
          name: fc.constantFrom('f', 'g'),
          args: fc.dictionary(fc.string({ maxLength: 4 }), fc.json({ depthSize: 'small' })),
        },
        { requiredKeys: ['name'] },
      ),
      thoughtSignature: fc.constant('c2ln'),
    },
    { requiredKeys: ['functionCall'] },
  ),
)
const answers = fc.array(fc.array(part, { maxLength: 3 }), { minLength: 1, maxLength: 6 }).map((chunks) =>
  chunks.map((parts, at) => ({
    candidates: [{ index: 0, content: { parts }, ...(at === chunks.length - 1 ? { finishReason: 'STOP' } : {}) }],
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 100, totalTokenCount: 109 },
    responseId: 'r',
    modelVersion: 'gemini',
  })),
)

/** All events of a stream whose bytes are cut at these places. */
function stream(bytes: Buffer, cuts: readonly number[]): readonly AnswerEvent[] {
  const decoder = new GoogleStreamDecoder(100)
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  const events: AnswerEvent[] = []
  for (let i = 1; i < edges.length; i++) {
    const piece = bytes.subarray(edges[i - 1], edges[i])
    if (piece.length > 0) events.push(...(decoder.feed(piece)?.events ?? []))
  }
  events.push(...(decoder.end()?.events ?? []))
  expect(decoder.error).toBeUndefined()
  expect(decoder.hasFinish).toBe(true)
  return events.map((event) => (event.type === 'start' ? { ...event, created: 1 } : event))
}
function collected(events: readonly AnswerEvent[]): unknown {
  const collector = new AnswerCollector({ id: 'c', model: 'm', created: 1, legacyFunctions: false })
  collector.add({ events: events.map((event) => (event.type === 'start' ? { ...event, created: 1 } : event)) })
  const usage = {
    input: 0,
    cachedInput: 0,
    cacheWrite: 0,
    output: 0,
    reasoning: 0,
    audioInput: 0,
    audioOutput: 0,
    estimated: false,
  }
  return JSON.parse(collector.render(usage, undefined))
}

test('any cut of the bytes gives the same events, and the whole answer says the same as the stream', () => {
  fc.assert(
    fc.property(
      answers,
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.constantFrom('\n\n', '\r\n\r\n'),
      (chunks, cuts, end) => {
        const bytes = Buffer.from(chunks.map((each) => `data: ${JSON.stringify(each)}${end}`).join(''))
        const events = stream(bytes, [])
        expect(stream(bytes, cuts)).toEqual(events)
        const whole = decodeGoogleWhole(JSON.stringify(joined(chunks)), 100)
        if ('error' in whole) throw whole.error
        expect(collected(whole.events)).toEqual(collected(events))
      },
    ),
    { numRuns: 200 },
  )
})
