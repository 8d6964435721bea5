/** What an upstream cannot be told is named or refused, whichever kind it is: no part of a request is left out without a word. */
import { describe, expect, test } from 'vitest'
import type { Target, UpstreamKind } from '../../src/gateway/steps.ts'
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'
import { decodeResponsesRequest } from '../../src/protocol/openai-responses/decode-request.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'
import { adapterOf } from '../../src/upstream/adapter-of.ts'
import { unsaidBy } from '../../src/upstream/unsaid.ts'

interface Wire {
  readonly kind: UpstreamKind
  readonly model: string
  readonly api?: 'generate' | 'responses'
}
const WIRES: readonly Wire[] = [
  { kind: 'openai', model: 'gpt-4o' },
  { kind: 'openai', model: 'gpt-5-pro', api: 'responses' },
  { kind: 'vllm', model: 'qwen' },
  { kind: 'anthropic', model: 'claude-sonnet-4-5' },
  { kind: 'google', model: 'gemini-2.5-flash' },
  { kind: 'tgi', model: 'tgi' },
  { kind: 'tgi', model: 'tgi', api: 'generate' },
]

const plain = decodeChatRequest(
  { model: 'm', messages: [{ role: 'user', content: 'Hi' }] },
  { bodyBytes: 60, unknownFields: 'refuse' },
)
const call = { kind: 'function', id: 'c1', name: 'look', arguments: '{}' } as const
const tool = { kind: 'function', name: 'look', parameters: { type: 'object', properties: {} } } as const
const PNG =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const called = (more: object): ChatRequest['messages'] => [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: null, toolCalls: [{ ...call, ...more }] },
  { role: 'tool', toolCallId: 'c1', content: 'result' },
]

/** What only a body of the Responses API says. */
function asked(body: object): Partial<ChatRequest> {
  const request = decodeResponsesRequest(
    { model: 'm', input: 'Hi', ...body },
    { bodyBytes: 60, unknownFields: 'refuse' },
  )
  expect(request.dropped).toEqual([])
  return request
}

/** Parts of a request that some wire has no word for, with a word that its body holds where it has one. */
const PARTS: readonly (readonly [name: string, more: Partial<ChatRequest>, said: RegExp])[] = [
  [
    'an hour of prompt cache',
    {
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache: { ttl: '1h' } }] }],
      hints: ['cache_control'],
    },
    /"ttl":"1h"/,
  ],
  ['a beta of Anthropic', { betas: ['context-1m-2025-08-07'] }, /never/],
  ['the name of who speaks', { messages: [{ role: 'user', content: 'Hi', name: 'bob' }] }, /"name":"bob"/],
  ['the signature of a call', { messages: called({ signature: 'c2ln', signedBy: 'google' }), tools: [tool] }, /c2ln/],
  ['a strict tool', { tools: [{ ...tool, strict: true }] }, /"strict":true|VALIDATED/],
  [
    'the detail of a picture',
    { messages: [{ role: 'user', content: [{ type: 'image', url: PNG, detail: 'low' }] }] },
    /"detail":"low"|RESOLUTION_LOW/,
  ],
  [
    'thinking that another provider signed',
    {
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: 'a',
          reasoning: [{ type: 'reasoning', text: '', redacted: 'UkVE', signedBy: 'anthropic' }],
        },
        { role: 'user', content: 'go on' },
      ],
    },
    /UkVE/,
  ],
  [
    'what a format is for',
    {
      format: {
        type: 'json_schema',
        name: 's',
        description: 'A bill in words',
        schema: { type: 'object', properties: { a: { type: 'string' } } },
      },
    },
    /A bill in words/,
  ],
  [
    'what a format is for, beside what its schema says of itself',
    {
      format: {
        type: 'json_schema',
        name: 's',
        description: 'A bill in words',
        schema: { type: 'object', description: 'Own', properties: { a: { type: 'string' } } },
      },
    },
    /A bill in words/,
  ],
  ['a summary of thinking', asked({ reasoning: { summary: 'concise' } }), /"summary":"concise"/],
  ['a summary, by its older name', asked({ reasoning: { generate_summary: 'auto' } }), /"summary":"auto"/],
  [
    'blanks at the end of a prefill',
    {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'So ' },
      ],
    },
    /So "/,
  ],
  [
    'the name of a file',
    {
      messages: [
        {
          role: 'user',
          content: [{ type: 'file', filename: 'bill.pdf', data: 'data:application/pdf;base64,JVBERi0=' }],
        },
      ],
    },
    /bill\.pdf/,
  ],
  [
    'a refusal of the history',
    {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: null, refusal: 'I cannot.' },
        { role: 'user', content: 'Why?' },
      ],
    },
    /I cannot\./,
  ],
  ['what OpenAI caches', { openai: { prompt_cache_options: { mode: 'explicit', ttl: '30m' } } }, /"ttl":"30m"/],
  ['what OpenAI watches', { openai: { moderation: { model: 'omni' } } }, /"model":"omni"/],
  [
    'the phase of a message',
    asked({
      input: [
        { role: 'assistant', content: 'a', phase: 'commentary' },
        { role: 'user', content: 'Hi' },
      ],
    }),
    /"phase":"commentary"/,
  ],
]

/** What is left out, or why the request is refused. */
function leftOut(
  wire: Wire,
  request: ChatRequest,
): { readonly dropped: readonly string[]; readonly body: string } | 'refused' {
  const adapter = adapterOf(wire.kind, wire.api)
  const target = { ...wire, name: 'm', upstream: 'u', extraBody: {}, contextTokens: 8192 } as unknown as Target
  try {
    const unsaid = unsaidBy(adapter, request)
    const { dropped, body } = adapter.encode(request, target, { stream: false, outputCap: 1000 })
    return { dropped: [...unsaid, ...dropped], body }
  } catch (error) {
    expect(error).toMatchObject({ code: 'unsupported_parameter', param: expect.any(String) as string })
    return 'refused'
  }
}

describe.each(WIRES)('$kind $api', (wire) => {
  test.each(PARTS)('%s is said, named or refused', (_name, more, said) => {
    const before = leftOut(wire, plain)
    expect(before).toMatchObject({ dropped: [] })
    const out = leftOut(wire, { ...plain, ...more })
    if (out === 'refused' || said.test(out.body)) return
    expect(out.dropped.length).toBeGreaterThan(0)
  })

  test('raw prompts and embeddings go where there is a route for them, and are refused elsewhere', () => {
    const has = wire.api === undefined && (wire.kind === 'openai' || wire.kind === 'vllm')
    const inputs = { inputs: ['Hi'], encoding: 'float' } as const
    expect(leftOut(wire, { ...plain, prompt: 'Hi' }) === 'refused').toBe(!has && wire.api !== 'generate')
    expect(leftOut(wire, { ...plain, embed: inputs }) === 'refused').toBe(!has)
  })
})
