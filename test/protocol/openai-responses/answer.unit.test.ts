import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerEvent, Usage } from '../../../src/protocol/answer.ts'
import type { AnswerShape, KeptResponse, ResponseMemory } from '../../../src/protocol/dialect.ts'
import { decodeItem } from '../../../src/protocol/openai-responses/decode-items.ts'
import { openAiResponses } from '../../../src/protocol/openai-responses/dialect.ts'
import { RESPONSES_FIELDS } from '../../../src/protocol/openai-responses/fields.ts'
import { SwitchyardError } from '../../../src/shared/errors.ts'
import { usdToNano } from '../../../src/shared/money.ts'

interface Event {
  readonly type: string
  readonly sequence_number: number
  readonly [key: string]: unknown
}
type Body = Record<string, unknown> & { output: Record<string, unknown>[] }

const USAGE: Usage = {
  input: 10,
  cachedInput: 4,
  cacheWrite: 0,
  output: 6,
  reasoning: 2,
  audioInput: 0,
  audioOutput: 0,
  estimated: false,
}
const COST = usdToNano(0.00125)

function shapeOf(more: object = {}, memory?: ResponseMemory): AnswerShape {
  const request = openAiResponses.decode(
    { model: 'auto', input: 'Hi', ...more },
    { bodyBytes: 10, unknownFields: 'drop', ...(memory === undefined ? {} : { memory }) },
  )
  return { id: 'x1', created: 1_700_000_000, request, ...(memory === undefined ? {} : { memory }) }
}

function eventsOf(wire: string): Event[] {
  return wire
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const [head, data, ...rest] = frame.split('\n')
      expect(rest).toEqual([])
      const event = JSON.parse((data ?? '').slice('data: '.length)) as Event
      expect(head).toBe(`event: ${event.type}`)
      return event
    })
}

function stream(chunks: readonly (readonly AnswerEvent[])[], shape = shapeOf()): Event[] {
  const writer = openAiResponses.stream(shape)
  const wire = chunks.map((events) => writer.chunk({ events })).join('') + writer.end(USAGE, COST)
  return eventsOf(wire)
}

function whole(chunks: readonly (readonly AnswerEvent[])[], shape = shapeOf()): Body {
  const writer = openAiResponses.whole(shape)
  for (const events of chunks) writer.add({ events })
  return JSON.parse(writer.render(USAGE, COST)) as Body
}

interface GrownPart {
  text: string
  refusal: string
  readonly logprobs: unknown[]
  readonly annotations: unknown[]
}
interface Grown {
  readonly content: GrownPart[]
  readonly summary: GrownPart[]
  arguments: string
  input: string
  status: unknown
  encrypted_content?: unknown
}

/** Builds the output from the stream's small events alone, as a client does that never looks at the last one. */
function accumulate(events: readonly Event[]): readonly Grown[] {
  const items: Grown[] = []
  for (const event of events) {
    const item = items[event['output_index'] as number] as Grown
    const inContent = event['content_index'] as number
    const inSummary = event['summary_index'] as number
    const delta = event['delta'] as string
    switch (event.type.slice('response.'.length)) {
      case 'output_item.added':
        items[event['output_index'] as number] = structuredClone(event['item']) as Grown
        break
      case 'content_part.added':
        item.content[inContent] = structuredClone(event['part']) as GrownPart
        break
      case 'reasoning_summary_part.added':
        item.summary[inSummary] = structuredClone(event['part']) as GrownPart
        break
      case 'output_text.delta': {
        const part = item.content[inContent] as GrownPart
        part.text += delta
        part.logprobs.push(...(event['logprobs'] as unknown[]))
        break
      }
      case 'output_text.annotation.added':
        ;(item.content[inContent] as GrownPart).annotations.push(event['annotation'])
        break
      case 'refusal.delta':
        ;(item.content[inContent] as GrownPart).refusal += delta
        break
      case 'reasoning_text.delta':
        ;(item.content[inContent] as GrownPart).text += delta
        break
      case 'reasoning_summary_text.delta':
        ;(item.summary[inSummary] as GrownPart).text += delta
        break
      case 'function_call_arguments.delta':
        item.arguments += delta
        break
      case 'custom_tool_call_input.delta':
        item.input += delta
        break
      case 'output_item.done': {
        const done = event['item'] as Record<string, unknown>
        // What only the end can tell.
        item.status = done['status']
        if (done['encrypted_content'] !== undefined) item.encrypted_content = done['encrypted_content']
        break
      }
    }
  }
  return items
}

const signer = fc.constantFrom('anthropic' as const, 'google' as const, 'openai' as const)
const base64 = fc.base64String({ minLength: 4, maxLength: 16 })
const piece: fc.Arbitrary<AnswerEvent> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), choice: fc.constantFrom(0, 0, 0, 1), text: fc.string() }),
  fc.record({ type: fc.constant('refusal' as const), choice: fc.constant(0), text: fc.string() }),
  fc.record({
    type: fc.constantFrom('text' as const, 'refusal' as const),
    choice: fc.constant(0),
    text: fc.string({ minLength: 1 }),
    phase: fc.constantFrom('commentary' as const, 'final_answer' as const),
  }),
  fc.record(
    {
      type: fc.constant('reasoning' as const),
      choice: fc.constant(0),
      text: fc.string(),
      id: fc.constantFrom('rs_a', 'rs_b'),
      signature: base64,
      signedBy: signer,
    },
    { requiredKeys: ['type', 'choice', 'text'] },
  ),
  fc.record({
    type: fc.constant('annotations' as const),
    choice: fc.constant(0),
    annotations: fc.constant([{ type: 'url_citation', url_citation: { url: 'https://a.example', title: 'A' } }]),
  }),
  fc.record({
    type: fc.constant('logprobs' as const),
    choice: fc.constant(0),
    content: fc.constant([{ token: 'a', logprob: -1, bytes: null, top_logprobs: [] }]),
    refusal: fc.constant(null),
  }),
  fc.record(
    {
      type: fc.constant('tool-call' as const),
      choice: fc.constant(0),
      index: fc.integer({ min: 0, max: 2 }),
      id: fc.constantFrom('call_a', 'call_b'),
      kind: fc.constantFrom('function' as const, 'custom' as const),
      name: fc.constantFrom('f', 'g'),
      arguments: fc.string(),
      signature: base64,
      signedBy: signer,
    },
    { requiredKeys: ['type', 'choice', 'index', 'arguments'] },
  ),
)
const start: AnswerEvent = { type: 'start', id: 'chatcmpl-1', model: 'real-model', created: 5 }
const reason = fc.constantFrom('stop' as const, 'length' as const, 'tool_calls' as const, 'content_filter' as const)
const answer = fc
  .tuple(fc.array(fc.array(piece, { maxLength: 4 }), { maxLength: 8 }), reason)
  .map(([chunks, finish]): AnswerEvent[][] => [[start], ...chunks, [{ type: 'finish', choice: 0, reason: finish }]])

describe('an answer', () => {
  test('is the same response, streamed and whole, however its chunks are cut', () => {
    fc.assert(
      fc.property(answer, (chunks) => {
        const last = stream(chunks).at(-1)
        const body = whole(chunks)
        expect(last?.['response']).toEqual(body)
        expect(whole([chunks.flat()])).toEqual(body)
        expect(last?.type).toBe(`response.${body['status'] as string}`)
      }),
    )
  })

  test('can be put together from the events alone', () => {
    fc.assert(
      fc.property(answer, (chunks) => {
        expect(accumulate(stream(chunks))).toEqual(whole(chunks).output)
      }),
    )
  })

  test('has numbers without gaps, and every item and part that is added is done exactly once, after all of its deltas', () => {
    fc.assert(
      fc.property(answer, (chunks) => {
        const events = stream(chunks)
        expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index))
        const open = new Set<string>()
        const ended = new Set<string>()
        const begin = (key: string): void => {
          expect(open.has(key) || ended.has(key)).toBe(false)
          open.add(key)
        }
        const end = (key: string): void => {
          expect(open.delete(key)).toBe(true)
          ended.add(key)
        }
        for (const event of events) {
          const item = `item ${String(event['output_index'])}`
          const part = `${item} part ${String(event['content_index'] ?? event['summary_index'])}`
          if (event.type === 'response.output_item.added') begin(item)
          else if (event.type === 'response.output_item.done') end(item)
          else if (event.type.endsWith('_part.added')) begin(part)
          else if (event.type.endsWith('_part.done')) end(part)
          else if (event.type.endsWith('.delta')) expect(open.has(item)).toBe(true)
        }
        expect([...open]).toEqual([])
      }),
    )
  })

  test('comes back from its items as the same conversation', () => {
    fc.assert(
      fc.property(answer, (chunks) => {
        const meter = { chars: 0 }
        for (const item of whole(chunks).output)
          expect(() => decodeItem(item, 'input[0]', meter, () => undefined)).not.toThrow()
      }),
    )
  })

  test('that breaks ends with response.failed and error, and nothing that says success', () => {
    fc.assert(
      fc.property(answer, (chunks) => {
        const writer = openAiResponses.stream(shapeOf())
        const wire = chunks.map((events) => writer.chunk({ events })).join('')
        const events = eventsOf(wire + writer.fail(new SwitchyardError('upstream_stream_truncated', 'It was cut.')))
        expect(events.slice(-2)).toMatchObject([
          {
            type: 'response.failed',
            response: { status: 'failed', error: { code: 'server_error' }, usage: null, store: false },
          },
          { type: 'error', code: 'upstream_stream_truncated', message: 'It was cut.', param: null },
        ])
        expect(wire).not.toMatch(/event: response\.(?:completed|incomplete)\n/)
        expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index))
      }),
    )
  })

  test('of OpenAI shows its thinking as a summary, of others as it is, and signatures survive under their own name', () => {
    const thinking = (more: object): AnswerEvent => ({ type: 'reasoning', choice: 0, text: 'Hm.', ...more })
    expect(whole([[thinking({ id: 'rs_1', signature: 'AAA=', signedBy: 'openai' })]]).output).toEqual([
      {
        id: 'rs_1',
        type: 'reasoning',
        status: 'completed',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: 'AAA=',
      },
    ])
    expect(whole([[thinking({ signature: 'BBB=', signedBy: 'anthropic' })]]).output).toMatchObject([
      { summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }], encrypted_content: 'anthropic#BBB=' },
    ])
  })

  test('has a message of its own for each phase', () => {
    const text = (words: string, more: object = {}): AnswerEvent => ({ type: 'text', choice: 0, text: words, ...more })
    const { output } = whole([
      [text('Look', { phase: 'commentary' }), text('ing.')],
      [text('Done', { phase: 'final_answer' }), text('.')],
    ])
    expect(output).toMatchObject([
      { type: 'message', phase: 'commentary', content: [{ text: 'Looking.' }] },
      { type: 'message', phase: 'final_answer', content: [{ text: 'Done.' }] },
    ])
    expect(whole([[text('Hi')]]).output[0]).not.toHaveProperty('phase')
  })

  test("carries the signature of a call in an item before it, and the next turn's request has it again", () => {
    const call: AnswerEvent = {
      type: 'tool-call',
      choice: 0,
      index: 0,
      id: 'call@1',
      name: 'f',
      arguments: '{}',
      signature: 'CCC=',
      signedBy: 'google',
    }
    const { output } = whole([[call]])
    expect(output.map((item) => item['type'])).toEqual(['reasoning', 'function_call'])
    const input = [...output, { type: 'function_call_output', call_id: 'call@1', output: 'ok' }]
    expect(shapeOf({ input }).request.messages[0]).toMatchObject({
      role: 'assistant',
      toolCalls: [{ id: 'call@1', signature: 'CCC=', signedBy: 'google' }],
    })
  })
})

describe('what is kept', () => {
  const memory = (keep: (response: KeptResponse) => boolean): ResponseMemory => ({
    mayStore: true,
    conversation: () => undefined,
    item: () => undefined,
    keep,
  })
  const chunks: AnswerEvent[][] = [
    [start],
    [{ type: 'text', choice: 0, text: 'Hello' }],
    [{ type: 'finish', choice: 0, reason: 'stop' }],
  ]

  test('is the body that goes out, with items that all have ids of their own', () => {
    const kept: KeptResponse[] = []
    const body = whole(
      chunks,
      shapeOf(
        {},
        memory((response) => kept.push(response) > 0),
      ),
    )
    expect(body['store']).toBe(true)
    expect(JSON.parse(kept[0]?.body ?? '')).toEqual(body)
    const ids = [...(kept[0]?.input ?? []), ...(kept[0]?.output ?? [])].map((item) => item['id'])
    expect(new Set(ids).size).toBe(2)
    expect(ids.every((id) => typeof id === 'string' && id.includes('x1'))).toBe(true)
  })

  test('that could not be kept goes out all the same, and does not say that it is stored', () => {
    const shape = (): AnswerShape =>
      shapeOf(
        {},
        memory(() => false),
      )
    expect(whole(chunks, shape())).toMatchObject({ store: false, status: 'completed' })
    expect(stream(chunks, shape()).at(-1)).toMatchObject({ type: 'response.completed', response: { store: false } })
  })

  test('is nothing where the caller says store: false, or the stream breaks', () => {
    const refuse = memory(() => expect.unreachable())
    whole(chunks, shapeOf({ store: false }, refuse))
    const writer = openAiResponses.stream(shapeOf({}, refuse))
    writer.chunk({ events: chunks[1] ?? [] })
    writer.fail(new SwitchyardError('upstream_error', 'x'))
  })
})

test('the table of fields has every field that the official client knows', () => {
  const types = readFileSync(
    new URL('../../../node_modules/openai/resources/responses/responses.d.ts', import.meta.url),
    'utf8',
  )
  const params = /export interface ResponseCreateParamsBase \{([^]*?)\n\}/.exec(types)?.[1] ?? ''
  const names = [...params.matchAll(/^ {4}([a-z_]+)\??:/gm)].map(([, name]) => String(name))
  expect(names.length).toBeGreaterThan(25)
  expect(RESPONSES_FIELDS.map((row) => row.field).toSorted()).toEqual(names.toSorted())
})
