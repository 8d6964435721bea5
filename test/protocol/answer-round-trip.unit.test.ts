/** What a dialect writes is what our own decoder of the same wire reads, streamed and whole, however events and bytes are cut. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerEvent, FinishReason, Usage } from '../../src/protocol/answer.ts'
import { anthropicMessages } from '../../src/protocol/anthropic-messages/dialect.ts'
import type { Dialect } from '../../src/protocol/dialect.ts'
import { openAiChat } from '../../src/protocol/openai-chat/dialect.ts'
import { openAiResponses } from '../../src/protocol/openai-responses/dialect.ts'
import type { AnswerDecoder, WholeAnswer } from '../../src/upstream/adapter.ts'
import * as anthropicStream from '../../src/upstream/anthropic/decode-stream.ts'
import * as anthropicWhole from '../../src/upstream/anthropic/decode-whole.ts'
import * as responsesStream from '../../src/upstream/openai-responses/decode-stream.ts'
import * as responsesWhole from '../../src/upstream/openai-responses/decode-whole.ts'
import * as chatStream from '../../src/upstream/openai/decode-stream.ts'
import * as chatWhole from '../../src/upstream/openai/decode-whole.ts'

interface Wire {
  readonly dialect: Dialect
  readonly body: object
  readonly stream: () => AnswerDecoder
  readonly whole: (text: string) => WholeAnswer
}

const REQUEST_BYTES = 1000
const CREATED = 1_700_000_000
const MESSAGES = [{ role: 'user', content: 'Hi' }]
const WIRES: Readonly<Record<string, Wire>> = {
  chat: {
    dialect: openAiChat,
    body: { model: 'm', messages: MESSAGES, stream_options: { include_usage: true }, stream: true },
    stream: () => new chatStream.StreamDecoder(REQUEST_BYTES, 1),
    whole: (text) => chatWhole.decodeWhole(text, REQUEST_BYTES),
  },
  responses: {
    dialect: openAiResponses,
    body: { model: 'm', input: 'Hi' },
    stream: () => new responsesStream.StreamDecoder(REQUEST_BYTES),
    whole: (text) => responsesWhole.decodeWhole(text, REQUEST_BYTES),
  },
  messages: {
    dialect: anthropicMessages,
    body: { model: 'm', max_tokens: 9000, messages: MESSAGES },
    stream: () => new anthropicStream.StreamDecoder(REQUEST_BYTES, CREATED),
    whole: (text) => anthropicWhole.decodeWhole(text, REQUEST_BYTES, CREATED),
  },
}

interface Told {
  readonly thinking: string
  readonly text: string
  readonly calls: readonly { readonly id: string; readonly name: string; readonly input: object }[]
  readonly reason: FinishReason
  readonly usage: Usage
  /** Where texts and arguments are cut, and where one group of events ends. */
  readonly cuts: readonly number[]
  readonly groups: readonly number[]
  readonly isMixed: boolean
}

const words = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('\n\n', ' ', '\u2028', '\r\n', 'data: [DONE]\n\n', '\uD83D', '\uFEFF', '"\\'),
)
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/)
const input = fc.dictionary(
  name.filter((key) => key !== '__proto__'),
  fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null), fc.array(words, { maxLength: 3 })),
  { maxKeys: 4 },
)
const told: fc.Arbitrary<Told> = fc
  .record({
    thinking: words,
    text: words,
    calls: fc.uniqueArray(fc.record({ id: name, name, input }), { maxLength: 3, selector: ({ id }) => id }),
    isCut: fc.boolean(),
    isFiltered: fc.boolean(),
    // More than was streamed, so that nothing is corrected by a count of our own.
    tokens: fc.record({
      input: fc.integer({ min: 500, max: 900 }),
      cached: fc.nat(400),
      output: fc.integer({ min: 2000, max: 4000 }),
    }),
    cuts: fc.array(fc.nat(30), { maxLength: 4 }),
    groups: fc.array(fc.nat(5), { maxLength: 6 }),
    isMixed: fc.boolean(),
  })
  // An answer without content has nothing to read back.
  .filter(({ text, thinking, calls }) => text !== '' || thinking !== '' || calls.length > 0)
  .map(({ isCut, isFiltered, tokens, ...rest }) => ({
    ...rest,
    reason: isCut ? 'length' : rest.calls.length > 0 ? 'tool_calls' : isFiltered ? 'content_filter' : 'stop',
    usage: {
      input: tokens.input,
      cachedInput: tokens.cached,
      cacheWrite: 0,
      output: tokens.output,
      reasoning: 0,
      audioInput: 0,
      audioOutput: 0,
      estimated: false,
    },
  }))

const pieces = (text: string, cuts: readonly number[]): readonly string[] => {
  const edges = [0, ...cuts.map((cut) => Math.min(cut, text.length)).toSorted((a, b) => a - b), text.length]
  return edges.slice(1).map((end, i) => text.slice(edges[i], end))
}

function eventsOf({ thinking, text, calls, reason, cuts, isMixed }: Told): readonly AnswerEvent[] {
  const fragments = calls.map(({ id, name, input }, index) =>
    pieces(JSON.stringify(input), cuts).map((part, i): AnswerEvent => ({
      type: 'tool-call',
      choice: 0,
      index,
      arguments: part,
      ...(i === 0 ? { id, name, kind: 'function' as const } : {}),
    })),
  )
  const rounds = Math.max(0, ...fragments.map((list) => list.length))
  const mixed = Array.from({ length: rounds }, (_, round) => fragments.flatMap((list) => list.slice(round, round + 1)))
  return [
    { type: 'start', id: 'upstream-id', model: 'served', created: CREATED },
    ...pieces(thinking, cuts).map((part): AnswerEvent => ({ type: 'reasoning', choice: 0, text: part })),
    ...pieces(text, cuts).map((part): AnswerEvent => ({ type: 'text', choice: 0, text: part })),
    ...(isMixed ? mixed : fragments).flat(),
    { type: 'finish', choice: 0, reason },
  ]
}

function groupsOf(events: readonly AnswerEvent[], sizes: readonly number[]): readonly (readonly AnswerEvent[])[] {
  const groups: (readonly AnswerEvent[])[] = []
  let from = 0
  for (const size of sizes) {
    groups.push(events.slice(from, from + size))
    from += size
  }
  return [...groups, events.slice(from)]
}

/** What an answer says, however it was cut. */
function said(events: readonly AnswerEvent[]): object {
  const out = { thinking: '', text: '', refusal: '', reasons: [] as FinishReason[] }
  const calls: { id: string | undefined; name: string | undefined; text: string }[] = []
  for (const event of events) {
    if (event.type === 'reasoning') out.thinking += event.text
    else if (event.type === 'text') out.text += event.text
    else if (event.type === 'refusal') out.refusal += event.text
    else if (event.type === 'finish') out.reasons.push(event.reason)
    else if (event.type === 'tool-call') {
      const call = (calls[event.index] ??= { id: event.id, name: event.name, text: '' })
      call.text += event.arguments
    }
  }
  return { ...out, calls: calls.map(({ text, ...rest }) => ({ ...rest, input: JSON.parse(text) as unknown })) }
}

function streamed(
  { dialect, body, stream }: Wire,
  answer: Told,
  byteCuts: readonly number[],
): readonly [object, Usage] {
  const request = dialect.decode(body, { bodyBytes: 100, unknownFields: 'drop' })
  const writer = dialect.stream({ id: 'x1', created: CREATED, request })
  const chunks = groupsOf(eventsOf(answer), answer.groups).map((events) => writer.chunk({ events }))
  const bytes = Buffer.from(chunks.join('') + writer.end(answer.usage, undefined))
  const edges = [0, ...byteCuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length]
  const decoder = stream()
  const events = edges.slice(1).flatMap((end, i) => decoder.feed(bytes.subarray(edges[i], end))?.events ?? [])
  events.push(...(decoder.end()?.events ?? []))
  expect([decoder.isDone, decoder.hasFinish, decoder.error]).toEqual([true, true, undefined])
  return [said(events), decoder.usage()]
}

function wholly({ dialect, body, whole }: Wire, answer: Told): readonly [object, Usage] {
  const request = dialect.decode(
    { ...body, stream: false, stream_options: undefined },
    { bodyBytes: 100, unknownFields: 'drop' },
  )
  const writer = dialect.whole({ id: 'x1', created: CREATED, request })
  for (const events of groupsOf(eventsOf(answer), answer.groups)) writer.add({ events })
  const read = whole(writer.render(answer.usage, undefined))
  if ('error' in read) throw read.error
  return [said(read.events), read.usage]
}

describe.each(Object.entries(WIRES))('%s', (_, wire) => {
  test('a stream, its bytes cut anywhere, and a whole answer say what the model said', () => {
    fc.assert(
      fc.property(told, fc.array(fc.nat(), { maxLength: 10 }), (answer, byteCuts) => {
        const { thinking, text, reason, usage } = answer
        const calls = answer.calls.map(({ id, name, input }) => ({ id, name, input }))
        const expected = [{ thinking, text, refusal: '', reasons: [reason], calls }, usage]
        expect(wholly(wire, answer)).toMatchObject(expected)
        expect(streamed(wire, answer, byteCuts)).toMatchObject(expected)
      }),
    )
  })
})
