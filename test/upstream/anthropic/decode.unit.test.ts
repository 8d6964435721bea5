import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerEvent, Usage } from '../../../src/protocol/answer.ts'
import { StreamDecoder } from '../../../src/upstream/anthropic/decode-stream.ts'
import { decodeWhole } from '../../../src/upstream/anthropic/decode-whole.ts'
import { ANSWERS, eventsOf, messageOf, sse } from '../../support/anthropic-answers.ts'

const CREATED = 1_700_000_000

function decode(bytes: Buffer, cuts: readonly number[] = []): { decoder: StreamDecoder; events: AnswerEvent[] } {
  const decoder = new StreamDecoder(1000, CREATED)
  const events: AnswerEvent[] = []
  let from = 0
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    events.push(...(decoder.feed(bytes.subarray(from, cut))?.events ?? []))
    from = cut
  }
  events.push(...(decoder.end()?.events ?? []))
  return { decoder, events }
}

/** Fragments joined: what a caller has in the end. */
function joined(events: readonly AnswerEvent[]): unknown {
  const out = { start: {}, text: '', reasoning: [{ text: '' }] as object[], calls: [] as object[], finish: {} }
  for (const event of events) {
    if (event.type === 'start') out.start = event
    else if (event.type === 'text') out.text += event.text
    else if (event.type === 'finish') out.finish = event
    else if (event.type === 'reasoning') {
      const { text, signature, redacted } = event
      const last = out.reasoning.at(-1) as { text: string }
      last.text += text
      if (signature !== undefined || redacted !== undefined) {
        Object.assign(last, { signature, redacted })
        out.reasoning.push({ text: '' })
      }
    } else if (event.type === 'tool-call') {
      const call = (out.calls[event.index] ??= { id: event.id, name: event.name, text: '' }) as { text: string }
      call.text += event.arguments
    }
  }
  return {
    ...out,
    calls: out.calls.map((call) => ({ ...call, text: JSON.parse((call as { text: string }).text) as unknown })),
  }
}

describe.each(ANSWERS)('answer %s', (name) => {
  const bytes = Buffer.from(sse(eventsOf(name)))

  test('any split of the bytes gives the same events', () => {
    const whole = decode(bytes)
    expect(whole.decoder).toMatchObject({ isDone: true, hasFinish: true, error: undefined })
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 40 }), (cuts) => {
        const split = decode(bytes, cuts)
        expect(split.events).toEqual(whole.events)
        expect(split.decoder.usage()).toEqual(whole.decoder.usage())
      }),
    )
  })

  test('stream and whole say the same', () => {
    const stream = decode(bytes)
    const whole = decodeWhole(messageOf(name), 1000, CREATED) as { events: AnswerEvent[]; usage: Usage }
    expect(joined(stream.events)).toEqual(joined(whole.events))
    expect(stream.decoder.usage()).toEqual(whole.usage)
  })

  test('a stream that ends before message_stop is broken', () => {
    const events = eventsOf(name)
    for (let length = 1; length < events.length; length++) {
      const { decoder } = decode(Buffer.from(sse(events.slice(0, length))))
      expect(decoder).toMatchObject({ isDone: false, hasFinish: false, hasChoices: true })
    }
  })
})

test('the tokens of the prompt are told with the start, where they can be right', () => {
  const [start, usage] = decode(Buffer.from(sse(eventsOf('text').slice(0, 1)))).events
  expect([start?.type, usage]).toMatchObject(['start', { type: 'usage', usage: { input: 1325, estimated: false } }])
  const silent = { type: 'message_start', message: { id: 'msg_1', model: 'm', usage: {} } }
  expect(decode(Buffer.from(sse([silent]))).events.map(({ type }) => type)).toEqual(['start'])
})

test('usage counts cached and written tokens as input, and a later report replaces the earlier', () => {
  expect(decode(Buffer.from(sse(eventsOf('text')))).decoder.usage()).toMatchObject({
    input: 1325,
    cachedInput: 1000,
    cacheWrite: 300,
    cacheWrite1h: 100,
    output: 15,
    estimated: false,
  })
})

test('a stream that was cut is counted, since the first report says next to nothing of the output', () => {
  const long = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'x'.repeat(400) } }
  const { decoder } = decode(Buffer.from(sse([...eventsOf('text').slice(0, 2), long])))
  expect(decoder.usage()).toMatchObject({ input: 1325, output: 100, estimated: true })
})

test('tool calls count from 0, carry their arguments byte for byte, and an empty call says {}', () => {
  const { events } = decode(Buffer.from(sse(eventsOf('thinking-tools'))))
  const calls = events.filter((event) => event.type === 'tool-call')
  const text = (index: number): string =>
    calls
      .filter((call) => call.index === index)
      .map((call) => call.arguments)
      .join('')
  expect(text(0)).toBe('{"city":"S\\u00e3o Paulo"}')
  expect(text(1)).toBe('{}')
  expect(calls.filter(({ id }) => id !== undefined).map(({ id, name }) => [id, name])).toEqual([
    ['toolu_01', 'get_weather'],
    ['toolu_02', 'get_time'],
  ])
  expect(events.at(-1)).toEqual({ type: 'finish', choice: 0, reason: 'tool_calls' })
})

test.each([
  ['end_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['pause_turn', 'length'],
  ['refusal', 'content_filter'],
  ['reason_of_tomorrow', 'stop'],
])('stop reason %s is %s', (reason, expected) => {
  const events = eventsOf('text').map((event) =>
    event['type'] === 'message_delta' ? { ...event, delta: { stop_reason: reason, stop_sequence: null } } : event,
  )
  expect(decode(Buffer.from(sse(events))).events.at(-1)).toEqual({ type: 'finish', choice: 0, reason: expected })
})

test('the stop sequence is told', () => {
  expect(decode(Buffer.from(sse(eventsOf('text')))).events.at(-1)).toMatchObject({
    reason: 'stop',
    stopSequence: 'END',
  })
})

test('an error event ends the answer, at its beginning and in its middle', () => {
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
  const first = decode(Buffer.from(sse([error])))
  expect(first.decoder).toMatchObject({ hasChoices: false, error: { code: 'upstream_overloaded' } })
  const middle = decode(Buffer.from(sse([...eventsOf('text').slice(0, 4), error])))
  expect(middle.decoder).toMatchObject({ hasChoices: true, hasFinish: false, error: { code: 'upstream_overloaded' } })
})

test('a frame that is no JSON is garbage; one that was cut by the end is a cut', () => {
  expect(decode(Buffer.from('data: {oops}\n\n')).decoder.error).toMatchObject({ code: 'upstream_garbage' })
  expect(decode(Buffer.from('data: {"type":"mess')).decoder.error).toMatchObject({ code: 'upstream_stream_truncated' })
  expect(decodeWhole('nope', 0, CREATED)).toMatchObject({ error: { code: 'upstream_garbage' } })
  expect(decodeWhole('{"type":"message","content":[]}', 0, CREATED)).toMatchObject({
    error: { code: 'upstream_garbage' },
  })
})

test('citations of the web become annotations over their text', () => {
  const citation = { type: 'web_search_result_location', url: 'https://a.example/', title: 'A', cited_text: 'x' }
  const start = eventsOf('text').slice(0, 4)
  const cited = { type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation } }
  const { events } = decode(Buffer.from(sse([...start, cited, { type: 'content_block_stop', index: 0 }])))
  expect(events.at(-1)).toEqual({
    type: 'annotations',
    choice: 0,
    annotations: [
      { type: 'url_citation', url_citation: { url: 'https://a.example/', title: 'A', start_index: 0, end_index: 7 } },
    ],
  })
})
