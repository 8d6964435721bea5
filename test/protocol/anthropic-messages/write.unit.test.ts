/** An answer in the Messages API: whole and streamed are the same, blocks never overlap, and the next turn gets back what it said. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessagesRequest } from '../../../src/protocol/anthropic-messages/decode-request.ts'
import { anthropicMessages } from '../../../src/protocol/anthropic-messages/dialect.ts'
import { usageBody } from '../../../src/protocol/anthropic-messages/usage-body.ts'
import type { AnswerEvent, Usage } from '../../../src/protocol/answer.ts'
import type { Message } from '../../../src/protocol/request.ts'
import { ERRORS, SwitchyardError, type ErrorCode } from '../../../src/shared/errors.ts'
import { toNanoUsd } from '../../../src/shared/money.ts'
import { accumulate, framesOf, type Accumulated } from '../../support/messages-stream.ts'

const USAGE: Usage = {
  input: 100,
  cachedInput: 60,
  cacheWrite: 30,
  cacheWrite1h: 10,
  output: 9,
  reasoning: 4,
  audioInput: 0,
  audioOutput: 0,
  estimated: false,
}
const COST = toNanoUsd(1234)
const start: AnswerEvent = { type: 'start', id: 'chatcmpl-1', model: 'real-model', created: 1 }
const shapeOf = (more: object = {}): Parameters<typeof anthropicMessages.whole>[0] => ({
  id: 'abc',
  created: 1,
  request: decodeMessagesRequest(
    { model: 'auto', max_tokens: 1, messages: [{ role: 'user', content: 'x' }], ...more },
    { bodyBytes: 1, unknownFields: 'drop' },
  ),
})

function whole(events: readonly AnswerEvent[], more: object = {}): Accumulated {
  const writer = anthropicMessages.whole(shapeOf(more))
  for (const event of events) writer.add({ events: [event] })
  return JSON.parse(writer.render(USAGE, COST)) as Accumulated
}

function streamed(events: readonly AnswerEvent[], more: object = {}): string {
  const writer = anthropicMessages.stream(shapeOf(more))
  return events.map((event) => writer.chunk({ events: [event] })).join('') + writer.end(USAGE, COST)
}

const call = (index: number, args: string, id?: string): AnswerEvent => ({
  type: 'tool-call',
  choice: 0,
  index,
  ...(id === undefined ? {} : { id, name: `f${index}` }),
  arguments: args,
})
const say = (text: string): AnswerEvent => ({ type: 'text', choice: 0, text })
const think = (text: string, more: object = {}): AnswerEvent => ({ type: 'reasoning', choice: 0, text, ...more })
const finish: Extract<AnswerEvent, { type: 'finish' }> = { type: 'finish', choice: 0, reason: 'stop' }

describe('stream', () => {
  test('events of thinking, text and a call, one after the other', () => {
    const text = streamed([
      start,
      think('hm', { signature: 'c2ln' }),
      say('Hi'),
      call(0, '{"a":', 'c'),
      call(0, '1}'),
      finish,
    ])
    expect(
      framesOf(text).map(({ event, data }) => [event, data['index'], (data['delta'] as { type?: string })?.type]),
    ).toEqual([
      ['message_start', undefined, undefined],
      ['ping', undefined, undefined],
      ['content_block_start', 0, undefined],
      ['content_block_delta', 0, 'thinking_delta'],
      ['content_block_delta', 0, 'signature_delta'],
      ['content_block_stop', 0, undefined],
      ['content_block_start', 1, undefined],
      ['content_block_delta', 1, 'text_delta'],
      ['content_block_stop', 1, undefined],
      ['content_block_start', 2, undefined],
      ['content_block_delta', 2, 'input_json_delta'],
      ['content_block_delta', 2, 'input_json_delta'],
      ['content_block_stop', 2, undefined],
      ['message_delta', undefined, undefined],
      ['message_stop', undefined, undefined],
    ])
  })

  test('the first chunk begins the message and names the model that answers, also where nothing of it can be shown', () => {
    const writer = anthropicMessages.stream(shapeOf({ thinking: { type: 'disabled' } }))
    const begun = writer.chunk({ events: [start, think('hidden')] })
    expect(framesOf(begun).map(({ event }) => event)).toEqual(['message_start', 'ping'])
    expect(begun).toContain('"model":"real-model"')
    expect(writer.chunk({ events: [{ ...start, model: 'another' }, say('x')] })).not.toContain('message_start')
  })

  test('tokens of the prompt are in message_start where they are known by then', () => {
    const writer = anthropicMessages.stream(shapeOf())
    const [first] = framesOf(writer.chunk({ events: [start, { type: 'usage', usage: USAGE }, say('x')] }))
    expect(first?.data['message']).toMatchObject({
      usage: { input_tokens: 10, cache_read_input_tokens: 60, output_tokens: 0 },
    })
  })

  test('an empty answer is still a whole message', () => {
    expect(accumulate(streamed([finish]))).toMatchObject({ content: [], stop_reason: 'end_turn' })
  })

  test('a broken one ends with an error, with no block closed and no message_stop', () => {
    const writer = anthropicMessages.stream(shapeOf())
    const text =
      writer.chunk({ events: [start, say('x')] }) + writer.fail(new SwitchyardError('upstream_overloaded', 'Full.'))
    const frames = framesOf(text)
    expect(frames.map(({ event }) => event)).not.toContain('message_stop')
    expect(frames.map(({ event }) => event)).not.toContain('content_block_stop')
    expect(frames.at(-1)).toEqual({
      event: 'error',
      data: {
        type: 'error',
        error: {
          type: 'overloaded_error',
          message: 'Full.',
          details: { error_code: 'upstream_overloaded', param: null },
        },
        request_id: 'req_abc',
      },
    })
  })

  test('more of a call after its end is a fault of the upstream', () => {
    const writer = anthropicMessages.stream(shapeOf())
    writer.chunk({ events: [call(0, '{}', 'a'), call(1, '{}', 'b'), call(0, '\n')] })
    expect(() => writer.chunk({ events: [call(0, '{}')] })).toThrow('after its end')
  })
})

describe('thinking', () => {
  test.each<[object, AnswerEvent, unknown[]]>([
    [{}, think('hm'), [{ type: 'thinking', thinking: 'hm', signature: '' }]],
    [
      {},
      think('hm', { signature: 'x', signedBy: 'google' }),
      [{ type: 'thinking', thinking: 'hm', signature: 'google#x' }],
    ],
    [
      {},
      think('', { signature: 'x', signedBy: 'openai', id: 'rs_1' }),
      [{ type: 'thinking', thinking: '', signature: 'openai#rs_1:x' }],
    ],
    [{}, think('', { redacted: 'x' }), [{ type: 'redacted_thinking', data: 'x' }]],
    [{ type: 'disabled' }, think('hm'), []],
    [
      { type: 'adaptive', display: 'omitted' },
      think('hm', { signature: 'x' }),
      [{ type: 'thinking', thinking: '', signature: 'x' }],
    ],
    [{ type: 'adaptive', display: 'omitted' }, think('hm'), []],
  ])('%j: %j', (thinking, event, content) => {
    const more = 'type' in thinking ? { thinking } : {}
    expect(whole([start, event, finish], more).content).toEqual(content)
    expect(accumulate(streamed([start, event, finish], more)).content).toEqual(content)
  })
})

test.each<[AnswerEvent, string, string | null]>([
  [finish, 'end_turn', null],
  [{ ...finish, stopSequence: 'END' }, 'stop_sequence', 'END'],
  [{ ...finish, stopSequence: 'eos' }, 'end_turn', null],
  [{ ...finish, reason: 'length' }, 'max_tokens', null],
  [{ ...finish, reason: 'tool_calls' }, 'tool_use', null],
  [{ ...finish, reason: 'function_call' }, 'tool_use', null],
  [{ ...finish, reason: 'content_filter' }, 'refusal', null],
])('the end %j is %s', (event, reason, sequence) => {
  const more = { stop_sequences: ['END'] }
  expect(whole([start, say('x'), event], more)).toMatchObject({ stop_reason: reason, stop_sequence: sequence })
})

test("usage in Anthropic's convention, with the cost", () => {
  expect(JSON.parse(usageBody(USAGE, COST))).toEqual({
    input_tokens: 10,
    cache_creation_input_tokens: 30,
    cache_read_input_tokens: 60,
    cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 10 },
    output_tokens: 9,
    output_tokens_details: { thinking_tokens: 4 },
    service_tier: 'standard',
    cost: 0.000001234,
    cost_nano_usd: 1234,
  })
})

test("every error of the table has a type of Anthropic's that fits its status", () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const body = JSON.parse(anthropicMessages.errorBody(new SwitchyardError(code, 'x'), 'req_1')) as {
      error: { type: string; details: object }
    }
    expect(body.error.details).toEqual({ error_code: code, param: null })
    const [status] = ERRORS[code]
    expect(/^(?:api|overloaded|timeout)_error$/.test(body.error.type), code).toBe(status >= 500)
    if (status === 402) expect(body.error.type).toBe('billing_error')
  }
})

/** One answer as a list of pieces, each cut into fragments. */
const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const input = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.oneof(word, fc.integer(), fc.constant(null)))
const fragments = (text: string, cuts: readonly number[]): readonly string[] => {
  const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => text.slice(from, at[index] ?? text.length))
}
const cuts = fc.array(fc.nat(100), { maxLength: 3 })
const answer = fc.record({
  thinking: fc.option(
    fc.tuple(word, fc.base64String({ minLength: 4 }), fc.constantFrom('anthropic', 'google', 'openai')),
    {
      nil: undefined,
    },
  ),
  said: fc.option(word, { nil: undefined }),
  calls: fc.array(fc.tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }), input, cuts), { maxLength: 3 }),
  order: fc.array(fc.nat(2), { maxLength: 12 }),
  cuts,
})

/** The events of it; fragments of the calls come in any mixture in which each call's own are in order. */
function eventsOf({
  thinking,
  said,
  calls,
  order,
  cuts: at,
}: typeof answer extends fc.Arbitrary<infer Value> ? Value : never): AnswerEvent[] {
  const events: AnswerEvent[] = [start]
  if (thinking !== undefined) {
    const [text, signature, signedBy] = thinking
    for (const piece of fragments(text, at)) events.push(think(piece))
    events.push(think('', { signature, signedBy }))
  }
  if (said !== undefined) for (const piece of fragments(said, at)) events.push(say(piece))
  const queues = calls.map(([id, given, where], index) =>
    fragments(JSON.stringify(given), where).map((piece, nth) =>
      call(index, piece, nth === 0 ? `${index}${id}` : undefined),
    ),
  )
  for (const next of [...order, ...queues.flatMap((queue, index) => queue.map(() => index))]) {
    const event = queues[next]?.shift()
    if (event !== undefined) events.push(event)
  }
  return [...events, { ...finish, reason: calls.length > 0 ? 'tool_calls' : 'stop' }]
}

test('a stream put together as clients do is the whole answer, however the fragments are cut and mixed', () => {
  fc.assert(
    fc.property(answer, (given) => {
      const events = eventsOf(given)
      const one = whole(events)
      const other = accumulate(streamed(events))
      expect({ ...other, usage: undefined }).toEqual({ ...one, usage: undefined })
    }),
  )
})

test('as history, an answer is what the model said: text, calls with their ids, thinking with its signer', () => {
  fc.assert(
    fc.property(answer, (given) => {
      const { content } = whole(eventsOf(given))
      const results = given.calls.map(([id], index) => ({ index, id: `${index}${id}` }))
      const shown = content.filter((block) => block.type === 'tool_use').map((block) => String(block['id']))
      const [, said] = decodeMessagesRequest(
        {
          model: 'm',
          max_tokens: 1,
          messages: [
            { role: 'user', content: 'x' },
            { role: 'assistant', content },
            {
              role: 'user',
              content: [...shown.map((id) => ({ type: 'tool_result', tool_use_id: id })), { type: 'text', text: 'y' }],
            },
          ],
        },
        { bodyBytes: 1, unknownFields: 'drop' },
      ).messages as Extract<Message, { role: 'assistant' }>[]
      expect(said?.toolCalls?.map((each) => each.id).toSorted() ?? []).toEqual(results.map(({ id }) => id).toSorted())
      expect(said?.toolCalls?.map((each) => JSON.parse(each.arguments) as unknown) ?? []).toHaveLength(
        given.calls.length,
      )
      if (given.said !== undefined) expect(said?.content).toEqual([{ type: 'text', text: given.said }])
      if (given.thinking !== undefined) {
        const [text, signature, signedBy] = given.thinking
        expect(said?.reasoning).toEqual([{ type: 'reasoning', text, signature, signedBy }])
      }
    }),
  )
})

test("a tool call's own signature goes through the client and back to its call", () => {
  const { content } = whole([
    start,
    { ...call(0, '{}', 'a'), signature: 'c2ln', signedBy: 'google' } as AnswerEvent,
    finish,
  ])
  expect(content[0]).toEqual({ type: 'redacted_thinking', data: 'google#call:c2ln' })
  const { messages } = decodeMessagesRequest(
    {
      model: 'm',
      max_tokens: 1,
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', content },
      ],
    },
    { bodyBytes: 1, unknownFields: 'drop' },
  )
  expect(messages[1]).toMatchObject({ toolCalls: [{ id: 'a', signature: 'c2ln', signedBy: 'google' }] })
})
