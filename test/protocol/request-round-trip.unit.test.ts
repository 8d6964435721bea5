/**
 * A request that an encoder writes for a provider is, read by our own reader of that provider's API, the request that it was. Each API
 * that callers speak goes through each that providers speak, for all that both can express.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anthropicMessages } from '../../src/protocol/anthropic-messages/dialect.ts'
import type { Dialect } from '../../src/protocol/dialect.ts'
import { openAiChat } from '../../src/protocol/openai-chat/dialect.ts'
import { encodeChatRequest } from '../../src/protocol/openai-chat/encode-request.ts'
import { openAiResponses } from '../../src/protocol/openai-responses/dialect.ts'
import type { ChatRequest, JsonObject, Message, ReasoningPart, ToolCall, UserPart } from '../../src/protocol/request.ts'
import { encodeRequest as encodeAnthropic } from '../../src/upstream/anthropic/encode-request.ts'
import { encodeRequest as encodeResponses } from '../../src/upstream/openai-responses/encode-request.ts'
import { chatRequest } from '../support/fake-steps.ts'

interface Wire {
  readonly dialect: Dialect
  encode(request: ChatRequest): { readonly body: string; readonly dropped: readonly string[] }
}
const sendOf = ({ stream, maxOutputTokens }: ChatRequest): { stream: boolean; outputCap: number | undefined } => ({
  stream,
  outputCap: maxOutputTokens,
})
// Models that take a temperature, so that nothing has to be left out.
const OPENAI = { kind: 'openai', model: 'gpt-4o', extraBody: {} }
const CLAUDE = { kind: 'anthropic', model: 'claude-sonnet-4-5', extraBody: {} }
const WIRES: Readonly<Record<'chat' | 'messages' | 'responses', Wire>> = {
  chat: {
    dialect: openAiChat,
    encode: (request) => encodeChatRequest(request, OPENAI, { ...sendOf(request), isHostedOpenAi: true }),
  },
  messages: { dialect: anthropicMessages, encode: (request) => encodeAnthropic(request, CLAUDE, sendOf(request)) },
  responses: { dialect: openAiResponses, encode: (request) => encodeResponses(request, OPENAI, sendOf(request)) },
}
type Name = keyof typeof WIRES
const NAMES = Object.keys(WIRES) as readonly Name[]

/** The request as it is after one way over the wire. Nothing may be left out. */
function over(wire: Wire, request: ChatRequest): ChatRequest {
  const { body, dropped } = wire.encode(request)
  expect(dropped).toEqual([])
  const decoded = wire.dialect.decode(JSON.parse(body), { bodyBytes: body.length, unknownFields: 'refuse' })
  expect(decoded.dropped).toEqual([])
  return decoded
}

const word = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => `t${text}`)
const name = fc.stringMatching(/^[a-z][a-zA-Z0-9_-]{0,15}$/)
const json = fc.dictionary(name, fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null)), { maxKeys: 3 })
const schema: fc.Arbitrary<JsonObject> = fc
  .dictionary(name, fc.constantFrom('string', 'number', 'boolean'), { minKeys: 1, maxKeys: 3 })
  .map((types) => ({
    type: 'object',
    properties: Object.fromEntries(Object.entries(types).map(([key, type]) => [key, { type }])),
    required: Object.keys(types),
    additionalProperties: false,
  }))
const picture = fc.constantFrom(
  'https://pictures.example/a.png',
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
)
const userContent: fc.Arbitrary<string | readonly UserPart[]> = fc.oneof(
  word,
  fc.array(
    fc.oneof(
      word.map((text): UserPart => ({ type: 'text', text })),
      picture.map((url): UserPart => ({ type: 'image', url })),
    ),
    { minLength: 1, maxLength: 3 },
  ),
)
const call = fc.record({ name, input: json, result: word })
/** The answer to a user's message: text, or calls and their results, and more of it. */
const turn = fc.record({
  user: userContent,
  text: fc.option(word),
  calls: fc.array(call, { maxLength: 3 }),
  after: word,
})

const request: fc.Arbitrary<ChatRequest> = fc
  .record({
    system: fc.option(word),
    turns: fc.array(turn, { maxLength: 3 }),
    last: userContent,
    tools: fc.uniqueArray(fc.record({ name, description: word, parameters: schema }), {
      maxLength: 3,
      selector: (tool) => tool.name,
    }),
    choice: fc.constantFrom('auto', 'none', 'required', 'tool', undefined),
    parallel: fc.constantFrom(true, false, undefined),
    schema: fc.option(schema),
    cap: fc.integer({ min: 16, max: 8000 }),
    temperature: fc.constantFrom(0, 0.3, undefined),
    stream: fc.boolean(),
  })
  .map((given) => {
    const messages: Message[] = given.system === null ? [] : [{ role: 'system', content: given.system }]
    for (const [at, { user, text, calls, after }] of given.turns.entries()) {
      messages.push({ role: 'user', content: user })
      const toolCalls = calls.map(({ name, input }, i): ToolCall => ({
        id: `call_${at}_${i}`,
        kind: 'function',
        name,
        arguments: JSON.stringify(input),
      }))
      if (toolCalls.length > 0) {
        messages.push({ role: 'assistant', content: text, toolCalls })
        for (const [i, { result }] of calls.entries())
          messages.push({ role: 'tool', toolCallId: `call_${at}_${i}`, content: result })
      }
      messages.push({ role: 'assistant', content: after })
    }
    messages.push({ role: 'user', content: given.last })
    const [first] = given.tools
    const choice = given.choice
    return chatRequest({
      messages,
      tools: given.tools.map((tool) => ({ kind: 'function' as const, ...tool })),
      ...(first === undefined || choice === undefined
        ? {}
        : {
            toolChoice:
              choice === 'tool'
                ? { type: 'tool' as const, kind: 'function' as const, name: first.name }
                : { type: choice },
          }),
      // Anthropic says it beside the choice, and not beside 'none'.
      ...(first === undefined || given.parallel === undefined || choice === undefined || choice === 'none'
        ? {}
        : { parallelToolCalls: given.parallel }),
      ...(given.schema === null ? {} : { format: { type: 'json_schema' as const, name: 'out', schema: given.schema } }),
      maxOutputTokens: given.cap,
      sampling: given.temperature === undefined ? {} : { temperature: given.temperature },
      stream: given.stream,
    })
  })

/** What a request says, apart from how its API writes that. */
function said({
  messages,
  tools,
  toolChoice,
  parallelToolCalls,
  format,
  maxOutputTokens,
  sampling,
  stream,
}: ChatRequest): object {
  // The Responses API wants a picture's `detail`; `auto` is what the others mean without one.
  const texts = (content: Message['content']): unknown =>
    typeof content === 'string'
      ? [{ type: 'text', text: content }]
      : (content ?? []).map((part) => (part.type === 'image' ? { type: 'image', url: part.url } : part))
  return {
    messages: messages.map((message) => {
      switch (message.role) {
        case 'system':
        case 'developer':
          return ['system', texts(message.content)]
        case 'user':
          return ['user', texts(message.content)]
        case 'tool':
          return ['tool', message.toolCallId, texts(message.content)]
        case 'assistant': {
          const calls = message.toolCalls?.map(({ id, name, arguments: text }) => [
            id,
            name,
            JSON.parse(text) as unknown,
          ])
          return ['assistant', texts(message.content), calls ?? []]
        }
        default:
          return message satisfies never
      }
    }),
    tools: tools.map((tool) => (tool.kind === 'function' ? [tool.name, tool.description, tool.parameters] : tool)),
    toolChoice: toolChoice ?? null,
    // Parallel calls are what every API does unless told otherwise.
    isParallel: parallelToolCalls ?? true,
    // Only OpenAI gives a format a name.
    format: format?.type === 'json_schema' ? format.schema : null,
    maxOutputTokens,
    temperature: sampling.temperature,
    stream,
  }
}

describe.each(NAMES)('a request of %s', (from) => {
  test.each(NAMES)('is the same request after the way over %s', (to) => {
    fc.assert(
      fc.property(request, (given) => {
        const asked = over(WIRES[from], given)
        expect(said(asked)).toEqual(said(given))
        expect(said(over(WIRES[to], asked))).toEqual(said(given))
      }),
    )
  })
})

const REASONER = { kind: 'openai', model: 'gpt-5-codex', extraBody: {} }
const base64 = fc.base64String({ minLength: 4, maxLength: 24 })
/** A turn with thinking that its own provider must get back unchanged, text, a call and its result. */
const thought = (reasoning: ReasoningPart, text: string, result: string): Message[] => [
  { role: 'user', content: 'Hi' },
  {
    role: 'assistant',
    content: text,
    reasoning: [reasoning],
    toolCalls: [{ id: 'call_a', kind: 'function', name: 'get', arguments: '{}' }],
  },
  { role: 'tool', toolCallId: 'call_a', content: result },
]
const reasoningOf = ({ messages }: ChatRequest): unknown =>
  messages.flatMap((message) => (message.role === 'assistant' ? (message.reasoning ?? []) : []))

describe('what one API alone can say goes over it unchanged', () => {
  test('messages: signed and redacted thinking, failed results, stop sequences, top_k', () => {
    const part = fc.oneof(
      fc.record({ text: word, signature: base64 }),
      base64.map((redacted) => ({ text: '', redacted })),
    )
    fc.assert(
      fc.property(part, word, word, fc.boolean(), (signed, text, result, isError) => {
        const reasoning: ReasoningPart = { type: 'reasoning', ...signed, signedBy: 'anthropic' }
        const [first, second, third] = thought(reasoning, text, result) as [Message, Message, Message]
        const given = chatRequest({
          messages: [first, second, { ...third, ...(isError ? { isError } : {}) }],
          sampling: { stop: ['###', 'END'], topK: 40 },
          maxOutputTokens: 100,
        })
        const back = over(WIRES.messages, given)
        expect(said(back)).toEqual(said(given))
        expect(reasoningOf(back)).toEqual([reasoning])
        expect(back.sampling).toEqual(given.sampling)
        expect(back.messages.some((message) => message.role === 'tool' && message.isError === true)).toBe(isError)
      }),
    )
  })

  test('responses: encrypted reasoning with its id', () => {
    const wire: Wire = {
      dialect: openAiResponses,
      encode: (request) => encodeResponses(request, REASONER, sendOf(request)),
    }
    fc.assert(
      fc.property(word, base64, word, word, (summary, signature, text, result) => {
        const reasoning: ReasoningPart = { type: 'reasoning', text: summary, id: 'rs_1', signature, signedBy: 'openai' }
        const given = chatRequest({
          messages: thought(reasoning, text, result),
          reasoningEffort: 'high',
          maxOutputTokens: 100,
        })
        const back = over(wire, given)
        expect(said(back)).toEqual(said(given))
        expect(reasoningOf(back)).toEqual([reasoning])
        expect(back.reasoningEffort).toBe('high')
      }),
    )
  })

  test('chat: seeds, penalties, biases, several answers, log probabilities, detail of pictures', () => {
    const sampling = fc.record(
      {
        topP: fc.constantFrom(0.1, 0.9),
        frequencyPenalty: fc.constantFrom(-2, 0.5),
        presencePenalty: fc.constantFrom(-1, 2),
        seed: fc.integer(),
        stop: fc.array(word, { minLength: 1, maxLength: 4 }),
        logitBias: fc.dictionary(fc.constantFrom('1', '50256'), fc.integer({ min: -100, max: 100 }), { minKeys: 1 }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(sampling, fc.integer({ min: 1, max: 8 }), fc.option(fc.nat(20)), (sampling, n, top) => {
        const content: UserPart[] = [{ type: 'image', url: 'https://pictures.example/a.png', detail: 'low' }]
        const given = chatRequest({
          messages: [{ role: 'user', content }],
          sampling,
          n,
          ...(top === null ? {} : { topLogprobs: top }),
          maxOutputTokens: 100,
        })
        const back = over(WIRES.chat, given)
        expect(back).toMatchObject({ messages: given.messages, sampling, n })
        expect(back.topLogprobs).toBe(given.topLogprobs)
      }),
    )
  })
})
