import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerEvent } from '../../../src/protocol/answer.ts'
import { StreamDecoder } from '../../../src/upstream/openai-responses/decode-stream.ts'
import { decodeWhole } from '../../../src/upstream/openai-responses/decode-whole.ts'
import { CALLS, eventsOf, MESSAGE, REASONING, REFUSAL, response, sse, USAGE } from '../../support/responses-answers.ts'

const RESPONSES = {
  'reasoning, text and calls': response([REASONING, MESSAGE, ...CALLS]),
  'a refusal': response([REFUSAL]),
  'a comment and a refusal': response([
    { ...MESSAGE, phase: 'commentary' },
    { ...REFUSAL, phase: 'final_answer' },
  ]),
  'a cap': response([MESSAGE], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
  'a filter': response([], { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }),
}

interface Read {
  readonly events: readonly AnswerEvent[]
  readonly decoder: StreamDecoder
}

function read(bytes: Buffer, cuts: readonly number[] = []): Read {
  const decoder = new StreamDecoder(1000)
  const events: AnswerEvent[] = []
  const places = [0, ...[...cuts].toSorted((a, b) => a - b), bytes.length]
  for (let i = 1; i < places.length; i++)
    events.push(...(decoder.feed(bytes.subarray(places[i - 1], places[i]))?.events ?? []))
  events.push(...(decoder.end()?.events ?? []))
  return { events, decoder }
}

/** Fragments of one text, call or thought put together. */
function joined(events: readonly AnswerEvent[]): readonly unknown[] {
  const made: Record<string, unknown>[] = []
  for (const event of events) {
    const { text, arguments: args, ...key } = event as unknown as Record<string, unknown>
    const last = made.at(-1)
    const isSame =
      last !== undefined &&
      last['type'] === key['type'] &&
      last['index'] === key['index'] &&
      last['id'] === (key['id'] ?? last['id']) &&
      ['text', 'reasoning', 'refusal', 'tool-call'].includes(String(key['type']))
    if (isSame) {
      if (text !== undefined) last['text'] = `${String(last['text'])}${String(text)}`
      if (args !== undefined) last['arguments'] = `${String(last['arguments'])}${String(args)}`
      Object.assign(last, key)
    } else made.push({ ...event })
  }
  return made
}

test('a whole response is read into events', () => {
  const whole = decodeWhole(JSON.stringify(RESPONSES['reasoning, text and calls']), 1000)
  if ('error' in whole) throw whole.error
  expect(joined(whole.events)).toEqual([
    { type: 'start', id: 'resp_1', model: 'gpt-5-codex', created: 1_760_000_000 },
    {
      type: 'reasoning',
      choice: 0,
      id: 'rs_1',
      text: 'Look it up.\n\nThen answer — 完.',
      signature: 'gAAAAAB-secret==',
      signedBy: 'openai',
    },
    { type: 'text', choice: 0, text: 'Grüße 🏳️‍🌈 from Paris' },
    {
      type: 'annotations',
      choice: 0,
      annotations: [
        {
          type: 'url_citation',
          url_citation: { url: 'https://example.com/a', title: 'A', start_index: 0, end_index: 5 },
        },
      ],
    },
    {
      type: 'tool-call',
      choice: 0,
      index: 0,
      kind: 'function',
      id: 'call_a',
      name: 'weather',
      arguments: '{"city":"Köln"}',
    },
    { type: 'tool-call', choice: 0, index: 1, kind: 'custom', id: 'call_b', name: 'shell', arguments: 'ls -l\n' },
    { type: 'finish', choice: 0, reason: 'tool_calls' },
  ])
  expect(whole.usage).toMatchObject({ input: 40, cachedInput: 10, output: 30, reasoning: 20, estimated: false })
})

describe.each(Object.entries(RESPONSES))('%s', (_, whole) => {
  test('a stream, cut at any bytes, says what the whole response says', () => {
    const expected = decodeWhole(JSON.stringify(whole), 1000)
    if ('error' in expected) throw expected.error
    const bytes = Buffer.from(sse(eventsOf(whole)))
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 }), (cuts) => {
        const { events, decoder } = read(bytes, cuts)
        expect(joined(events)).toEqual(joined(expected.events))
        expect([decoder.isDone, decoder.hasFinish, decoder.error]).toEqual([true, true, undefined])
        expect(decoder.usage()).toEqual(expected.usage)
      }),
      { numRuns: 60 },
    )
  })

  test('a stream that ends before its last event is not whole', () => {
    const events = eventsOf(whole)
    const { decoder } = read(Buffer.from(sse(events.slice(0, -1))))
    expect([decoder.isDone, decoder.hasFinish]).toEqual([false, false])
    expect(decoder.usage().estimated).toBe(true)
  })
})

test.each([
  ['completed', null, 'stop'],
  ['incomplete', { reason: 'max_output_tokens' }, 'length'],
  ['incomplete', { reason: 'content_filter' }, 'content_filter'],
])('the status %s with %j is the reason %s', (status, details, reason) => {
  const whole = decodeWhole(JSON.stringify(response([MESSAGE], { status, incomplete_details: details })), 1)
  expect('events' in whole && whole.events.at(-1)).toEqual({ type: 'finish', choice: 0, reason })
})

test('the phase of a message comes with its first words, and only one that could be sent back', () => {
  const said = (phase: unknown): readonly unknown[] =>
    read(Buffer.from(sse(eventsOf(response([{ ...MESSAGE, phase }])))))
      .events.filter(({ type }) => type === 'text')
      .map((event) => ('phase' in event ? event.phase : undefined))
  const [first, ...others] = said('commentary')
  expect(first).toBe('commentary')
  expect(new Set(others)).toEqual(new Set([undefined]))
  expect(new Set(said('of a later time'))).toEqual(new Set([undefined]))
})

test('items whose events were lost are taken from the last event', () => {
  const whole = response([MESSAGE, ...CALLS])
  const events = eventsOf(whole)
  const { events: said } = read(Buffer.from(sse([events[0], events.at(-1)] as Record<string, unknown>[])))
  expect(joined(said).map((event) => (event as AnswerEvent).type)).toEqual([
    'start',
    'text',
    'annotations',
    'tool-call',
    'tool-call',
    'finish',
  ])
})

test('log-probabilities of a stream get the bytes that it leaves out', () => {
  const logprobs = [{ token: 'é', logprob: -0.5, top_logprobs: [{ token: 'e', logprob: -1 }] }]
  const { events } = read(
    Buffer.from(
      sse([
        { type: 'response.output_item.added', output_index: 0, item: { type: 'message', id: 'm', content: [] } },
        { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'é', logprobs },
      ]),
    ),
  )
  expect(events[1]).toMatchObject({
    content: [{ token: 'é', bytes: [0xc3, 0xa9], top_logprobs: [{ token: 'e', logprob: -1, bytes: [0x65] }] }],
  })
})

test.each([
  [{ code: 'rate_limit_exceeded', message: 'm' }, 'upstream_rate_limited'],
  [{ code: 'server_error', message: 'm' }, 'upstream_error'],
  [{ code: 'insufficient_quota', message: 'm' }, 'upstream_payment_required'],
  [{ code: 'context_length_exceeded', message: 'exceeds the context window' }, 'context_length_exceeded'],
  [{ code: 'of_a_later_time', message: 'm' }, 'upstream_error'],
])('a failure with %j is %s, whole and in a stream', (error, code) => {
  const failed = response([], { status: 'failed', error })
  const whole = decodeWhole(JSON.stringify(failed), 1)
  expect('error' in whole && [whole.error.code, whole.usage?.input]).toEqual([code, USAGE.input_tokens])
  const stream = read(Buffer.from(sse(eventsOf(failed)))).decoder
  expect([stream.error?.code, stream.hasFinish, stream.usage().input]).toEqual([code, false, USAGE.input_tokens])
  expect(read(Buffer.from(sse([{ type: 'error', ...error }]))).decoder.error?.code).toBe(code)
})

test.each(['', 'no', '[]', '{}', '{"status":"completed"}', '{"status":"queued","output":[]}'])(
  'a 200 with the body %j is garbage',
  (body) => {
    const whole = decodeWhole(body, 1)
    expect('error' in whole && whole.error.code).toBe('upstream_garbage')
  },
)
