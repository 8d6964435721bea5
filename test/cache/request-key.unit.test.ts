import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canonicalRequest,
  lastUserText,
  OPENAI_FIELDS,
  partitionKey,
  REQUEST_FIELDS,
  requestKey,
  SAMPLING_FIELDS,
} from '../../src/cache/request-key.ts'
import { decodeMessagesRequest } from '../../src/protocol/anthropic-messages/decode-request.ts'
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'
import { decodeResponsesRequest } from '../../src/protocol/openai-responses/decode-request.ts'
import type { ChatRequest, OpenAiOnly, Sampling } from '../../src/protocol/request.ts'
import { requests } from '../support/arbitrary-requests.ts'
import { chatRequest } from '../support/fake-steps.ts'

const DECODING = { bodyBytes: 100, unknownFields: 'drop' } as const
const key = (request: ChatRequest): string => requestKey('t', 'r', request)
const chat = (body: object): ChatRequest => decodeChatRequest({ model: 'm', ...body }, DECODING)
const BASE = chatRequest({ sampling: { temperature: 0 } })

/** Another value for every field of the request; a field without one does not compile. */
const CHANGED: { readonly [Field in keyof Required<ChatRequest>]: ChatRequest[Field] } = {
  model: 'other',
  messages: [{ role: 'user', content: 'pong' }],
  prompt: 'ping',
  embed: { inputs: ['ping'], encoding: 'float' },
  tools: [{ kind: 'function', name: 'f' }],
  toolChoice: { type: 'none' },
  parallelToolCalls: false,
  format: { type: 'json_object' },
  reasoningEffort: 'low',
  thinking: { type: 'disabled' },
  maxOutputTokens: 7,
  n: 2,
  topLogprobs: 0,
  sampling: { temperature: 0, topK: 1 },
  openai: { verbosity: 'low' },
  passed: { guided_regex: 'a' },
  stream: true,
  includeUsage: true,
  legacyFunctions: true,
  betas: ['b'],
  taskId: 'task',
  hints: ['thinking'],
  turn: { settings: {}, items: () => [], previousId: undefined, store: false },
  dropped: ['foo'],
  bodyBytes: 9,
}
const SAMPLING: { readonly [Field in keyof Required<Sampling>]: Sampling[Field] } = {
  temperature: 0.1,
  topP: 0.5,
  frequencyPenalty: 1,
  presencePenalty: 1,
  seed: 1,
  stop: ['x'],
  logitBias: { '1': 1 },
  topK: 1,
  minP: 0.1,
  repetitionPenalty: 1.1,
}
const OPENAI: { readonly [Field in keyof Required<OpenAiOnly>]: OpenAiOnly[Field] } = {
  audio: { voice: 'a' },
  metadata: { a: 'b' },
  modalities: ['text'],
  moderation: { a: 1 },
  prediction: { content: 'a' },
  prompt_cache_key: 'k',
  prompt_cache_options: { a: 1 },
  prompt_cache_retention: '24h',
  safety_identifier: 's',
  service_tier: 'flex',
  store: true,
  user: 'u',
  verbosity: 'low',
  web_search_options: {},
}

describe('each field', () => {
  test.each(Object.entries(CHANGED))('%s', (name, value) => {
    const weight = REQUEST_FIELDS[name as keyof ChatRequest]
    expect(key({ ...BASE, [name]: value }) === key(BASE)).toBe(weight === 'ignored')
  })

  test.each(Object.entries(SAMPLING))('sampling.%s', (name, value) => {
    const weight = SAMPLING_FIELDS[name as keyof Sampling]
    const changed = chatRequest({ sampling: { ...BASE.sampling, [name]: value } })
    expect(key(changed) === key(BASE)).toBe(weight === 'ignored')
  })

  test.each(Object.entries(OPENAI))('openai.%s', (name, value) => {
    const weight = OPENAI_FIELDS[name as keyof OpenAiOnly]
    expect(key({ ...BASE, openai: { [name]: value } }) === key(BASE)).toBe(weight === 'ignored')
  })

  test('who is named in the body is no part of what is asked, and nothing else is left out', () => {
    const ignored = [REQUEST_FIELDS, SAMPLING_FIELDS, OPENAI_FIELDS].flatMap((fields) =>
      Object.entries(fields).flatMap(([name, weight]) => (weight === 'ignored' ? [name] : [])),
    )
    expect(new Set(ignored)).toEqual(
      new Set(
        (
          'stream includeUsage taskId turn dropped bodyBytes metadata prompt_cache_key prompt_cache_options ' +
          'prompt_cache_retention safety_identifier service_tier store user'
        ).split(' '),
      ),
    )
  })
})

test('the key of a request in this version: another one would forget, or mistake, what shared stores keep', () => {
  expect(canonicalRequest(chat({ messages: [{ role: 'user', content: 'Hi' }], temperature: 0 }), false)).toBe(
    '1:muser2:Hi;temperature=1:0',
  )
  expect(key(BASE)).toMatchInlineSnapshot(`"j5SST6HXYJ1rC_vaSYkH6DQJYLeAqGjrkXXENa-WwqQ"`)
})

test('scope, revision and encoder are parts that cannot run together', () => {
  expect(requestKey('a', 'bc', BASE)).not.toBe(requestKey('ab', 'c', BASE))
  expect(requestKey('a', 'b', BASE)).not.toBe(requestKey('b', 'b', BASE))
  expect(partitionKey('a', 'b', 'e1', BASE)).not.toBe(partitionKey('a', 'b', 'e2', BASE))
})

test('what is written differently and means the same has one key', () => {
  const messages = [{ role: 'user', content: 'Hi' }]
  const plain = key(chat({ messages, temperature: 0 }))
  const same: readonly object[] = [
    { temperature: 0, messages },
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }], temperature: 0 },
    { messages, temperature: 0, n: 1, top_p: 1 },
    { messages, temperature: 0, response_format: { type: 'text' } },
    { messages, temperature: 0, stream: true, stream_options: { include_usage: true } },
    { messages, temperature: 0, user: 'u-77', metadata: { trace: 'abc' } },
  ]
  for (const body of same) expect(key(chat(body)), JSON.stringify(body)).toBe(plain)
})

test('a server may have another default than the whole distribution where it is asked to choose', () => {
  const messages = [{ role: 'user', content: 'Hi' }]
  expect(key(chat({ messages, temperature: 1 }))).not.toBe(key(chat({ messages, temperature: 1, top_p: 1 })))
})

test('one question through three APIs has one key, since each can be answered with what another one got', () => {
  const fromChat = chat({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ],
    temperature: 0,
    max_tokens: 64,
  })
  const fromMessages = decodeMessagesRequest(
    { model: 'm', max_tokens: 64, temperature: 0, system: 'Be brief.', messages: [{ role: 'user', content: 'Hi' }] },
    DECODING,
  )
  const fromResponses = decodeResponsesRequest(
    { model: 'm', max_output_tokens: 64, temperature: 0, instructions: 'Be brief.', input: 'Hi', store: false },
    DECODING,
  )
  expect(key(fromMessages)).toBe(key(fromChat))
  expect(key(fromResponses)).toBe(key(fromChat))
})

test('the order of names in a schema changes nothing, that of a list does', () => {
  const tool = (parameters: object): ChatRequest =>
    chat({
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [{ type: 'function', function: { name: 'f', parameters } }],
    })
  const a = { type: 'object', properties: { x: { type: 'string' }, y: { type: 'number' } }, required: ['x', 'y'] }
  const b = { required: ['x', 'y'], properties: { y: { type: 'number' }, x: { type: 'string' } }, type: 'object' }
  expect(key(tool(a))).toBe(key(tool(b)))
  expect(key(tool({ ...a, required: ['y', 'x'] }))).not.toBe(key(tool(a)))
})

test('names in any order, and objects built anew, have the key that they had', () => {
  fc.assert(
    fc.property(requests, (request) => {
      expect(key(reversed(request) as ChatRequest)).toBe(key(request))
    }),
    { numRuns: 100 },
  )
})

test('two requests have one key only where they differ in nothing that counts', () => {
  fc.assert(
    fc.property(requests, requests, (a, b) => {
      if (JSON.stringify(reduced(a)) !== JSON.stringify(reduced(b))) expect(key(a)).not.toBe(key(b))
    }),
    { numRuns: 100 },
  )
})

test('a letter more or less anywhere in a conversation is another request', () => {
  const texts = fc.array(fc.string(), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(texts, texts, (a, b) => {
      const of = (all: readonly string[]): string =>
        key(chatRequest({ messages: all.map((content) => ({ role: 'user', content })) }))
      expect(of(a) === of(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
  )
})

describe('the semantic partition', () => {
  const of = (changes: Partial<ChatRequest>): string | undefined => partitionKey('t', 'r', 'e', chatRequest(changes))

  test('is that of the same request with other words at its end, and of nothing else', () => {
    const before = { role: 'system', content: 'S' } as const
    const one = of({ messages: [before, { role: 'user', content: 'How do I enable 2FA?' }] })
    expect(of({ messages: [before, { role: 'user', content: 'Turn 2FA on?' }] })).toBe(one)
    expect(
      of({
        messages: [
          { role: 'system', content: 'T' },
          { role: 'user', content: 'Turn 2FA on?' },
        ],
      }),
    ).not.toBe(one)
    expect(of({ messages: [before, { role: 'user', content: 'x' }], sampling: { seed: 1 } })).not.toBe(one)
    expect(of({ messages: [{ role: 'user', content: 'Turn 2FA on?' }] })).not.toBe(one)
  })

  test('there is none where the last word is not a plain text of a user', () => {
    expect(
      of({
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'b' },
        ],
      }),
    ).toBeUndefined()
    const image = { type: 'image', url: 'data:image/png;base64,AA==' } as const
    expect(of({ messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }, image] }] })).toBeUndefined()
    expect(lastUserText(chatRequest())).toBe('ping')
  })
})

/** The same value with the names of every object in the other order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  )
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

/** What is left of a request without what changes nothing, for a comparison by another way than the key's. */
function reduced(request: ChatRequest): unknown {
  const { stream: _s, includeUsage: _i, taskId: _t, turn: _u, dropped: _d, bodyBytes: _b, ...rest } = request
  const openai = Object.entries(rest.openai).filter(([name]) => OPENAI_FIELDS[name as keyof OpenAiOnly] === 'counts')
  const { topP, ...sampling } = rest.sampling
  const messages = rest.messages.map((message) => {
    const { content } = message
    const only = typeof content === 'string' || content?.length !== 1 ? undefined : content[0]
    return only?.type === 'text' && only.cache === undefined ? { ...message, content: only.text } : message
  })
  return {
    ...rest,
    messages: messages.map((message) => Object.fromEntries(Object.entries(message).sort(byName))),
    openai: Object.fromEntries(openai.sort(byName)),
    sampling: topP === 1 && sampling.temperature === 0 ? sampling : rest.sampling,
    format: rest.format?.type === 'text' ? undefined : rest.format,
    parallelToolCalls: rest.parallelToolCalls,
  }
}
