/**
 * Every recorded chat answer of real engines, byte by byte as it came: streamed ones also cut anywhere. Then the surprises that an
 * adapter has to survive, by their number in the recordings' list.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerEvent, Usage } from '../../src/protocol/answer.ts'
import { StreamDecoder } from '../../src/upstream/openai/decode-stream.ts'
import { decodeWhole } from '../../src/upstream/openai/decode-whole.ts'
import { fromStatus } from '../../src/upstream/openai/errors.ts'
import { readFixture } from '../support/vectors.ts'

interface Row {
  readonly name: string
  readonly request?: { readonly method: string; readonly path: string; readonly body?: unknown }
  readonly response: {
    readonly status?: number
    readonly body?: string | null
    readonly chunks?: readonly { readonly data: string }[]
    readonly ended_by?: string
    readonly chunked_end?: boolean
  }
}

const ENGINES = ['vllm-0.32.0', 'llamacpp-b11549', 'transformers-serve-5.19.0'] as const
const rowsOf = (engine: (typeof ENGINES)[number]): readonly Row[] =>
  readFixture<Row>(`recorded/${engine}.jsonl`).filter(
    (row) => row.request?.method === 'POST' && row.request.path === '/v1/chat/completions',
  )
const find = (engine: (typeof ENGINES)[number], name: string): Row => {
  const row = rowsOf(engine).find((each) => each.name === name)
  if (row === undefined) throw new Error(`There is no recording ${name} of ${engine}.`)
  return row
}

interface Decoded {
  readonly events: readonly AnswerEvent[]
  readonly decoder: StreamDecoder
  readonly usage: Usage
}

function decodeStream(row: Row, cutAt: readonly number[] = []): Decoded {
  const n = (row.request?.body as { n?: number } | undefined)?.n ?? 1
  const decoder = new StreamDecoder(500, n)
  const bytes = Buffer.from((row.response.chunks ?? []).map((chunk) => chunk.data).join(''))
  const edges = [0, ...cutAt.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  const pieces =
    cutAt.length === 0
      ? (row.response.chunks ?? []).map((chunk) => Buffer.from(chunk.data))
      : edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
  const events: AnswerEvent[] = []
  for (const piece of pieces) events.push(...(decoder.feed(piece)?.events ?? []))
  events.push(...(decoder.end()?.events ?? []))
  return { events, decoder, usage: decoder.usage() }
}

const textOf = (events: readonly AnswerEvent[], choice = 0): string =>
  events.map((event) => (event.type === 'text' && event.choice === choice ? event.text : '')).join('')

describe.each(ENGINES)('%s', (engine) => {
  const rows = rowsOf(engine)
  const streams = rows.filter(
    (row) =>
      row.response.status === 200 &&
      row.response.chunks !== undefined &&
      row.response.chunks.some((chunk) => chunk.data.includes('data:')),
  )
  const wholes = rows.filter((row) => row.response.status === 200 && typeof row.response.body === 'string')
  const refusals = rows.filter((row) => (row.response.status ?? 0) >= 400)

  test.each(streams.map((row) => [row.name, row] as const))(
    'stream %s ends whole or is known to be cut',
    (_name, row) => {
      const { decoder, usage } = decodeStream(row)
      const wasEnded = row.response.ended_by === undefined && row.response.chunked_end !== false
      if (wasEnded && decoder.error === undefined) expect(decoder.hasFinish).toBe(true)
      expect(Number.isSafeInteger(usage.input) && Number.isSafeInteger(usage.output)).toBe(true)
    },
  )

  test('any cut of the bytes gives the same text, calls and usage', () => {
    fc.assert(
      fc.property(fc.constantFrom(...streams), fc.array(fc.nat(), { minLength: 1, maxLength: 20 }), (row, cuts) => {
        const whole = decodeStream(row)
        const cut = decodeStream(row, cuts)
        expect(textOf(cut.events)).toBe(textOf(whole.events))
        expect(cut.events.filter((event) => event.type === 'finish')).toEqual(
          whole.events.filter((event) => event.type === 'finish'),
        )
        expect(cut.usage).toEqual(whole.usage)
      }),
      { numRuns: 60 },
    )
  })

  test.each(wholes.map((row) => [row.name, row] as const))('whole %s decodes', (_name, row) => {
    const answer = decodeWhole(row.response.body ?? '', 500)
    if ('error' in answer) throw answer.error
    expect(answer.events.some((event) => event.type === 'finish')).toBe(true)
    expect(answer.usage.output).toBeGreaterThan(0)
  })

  test.each(refusals.map((row) => [row.name, row] as const))(
    'refusal %s becomes ours, without its text',
    (_name, row) => {
      const body = row.response.body ?? (row.response.chunks ?? []).map((chunk) => chunk.data).join('')
      const error = fromStatus(row.response.status ?? 0, {}, body)
      expect(error.message).toMatch(/^The (?:model server|prompt)/)
      expect(error.status).toBeGreaterThanOrEqual(400)
    },
  )
})

describe('surprise', () => {
  test('1: llama.cpp reports the usage of each choice apart; they are added up', () => {
    const { usage, events } = decodeStream(find('llamacpp-b11549', 'chat_stream_n2'))
    const finishes = events.filter((event) => event.type === 'finish')
    expect(finishes).toHaveLength(2)
    expect(usage.output).toBe(4 + 4)
  })

  test('3: usage that is missing or smaller than what was streamed is counted', () => {
    const decoder = new StreamDecoder(80, 1)
    const chunk = (delta: object, more: object = {}): Buffer =>
      Buffer.from(
        `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`,
      )
    for (let i = 0; i < 5; i++) decoder.feed(chunk({ content: 'word ' }))
    decoder.feed(chunk({}, { usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 } }))
    expect(decoder.usage()).toMatchObject({ estimated: true, input: 80, output: 7 })
  })

  test('6: [DONE] after an error event is not success', () => {
    const { decoder } = decodeStream(find('vllm-0.32.0', 'sigkill_worker_stream'))
    expect(decoder.error?.code).toBe('upstream_error')
  })

  test('8 and 9: finish and role wherever an engine puts them', () => {
    for (const engine of ENGINES) {
      const row = rowsOf(engine).find(
        (each) => each.name === 'chat_stream_include_usage' || each.name === 'chat_stream',
      )
      const { events } = decodeStream(row as Row)
      expect(events.filter((event) => event.type === 'finish')).toHaveLength(1)
      expect(textOf(events).length).toBeGreaterThan(0)
    }
  })

  test('10: comments while prefilling are no content, and unknown fields never come through', () => {
    for (const engine of ENGINES) {
      for (const row of rowsOf(engine).filter((each) => each.response.chunks !== undefined)) {
        const decoder = new StreamDecoder(1, 1)
        for (const { data } of row.response.chunks ?? []) {
          const chunk = decoder.feed(Buffer.from(data))
          expect(chunk?.wire ?? '').not.toMatch(/timings|token_ids|routed_experts|kv_transfer_params|"metrics"/)
        }
      }
    }
  })

  test.each([
    ['14 vLLM', 'vllm-0.32.0'],
    ['14 llama.cpp', 'llamacpp-b11549'],
    ['14 transformers', 'transformers-serve-5.19.0'],
  ] as const)(
    '%s: codes that are integers, `detail` instead of an envelope and plain text are all understood',
    (_name, engine) => {
      const codes = rowsOf(engine)
        .filter((row) => (row.response.status ?? 0) >= 400)
        .map((row) => fromStatus(row.response.status ?? 0, {}, String(row.response.body)).code)
      expect(codes.length).toBeGreaterThan(0)
      expect(codes).not.toContain('internal_error')
    },
  )

  test('16: a prompt that is too long is told as such for both engines that say so', () => {
    for (const engine of ['vllm-0.32.0', 'llamacpp-b11549'] as const) {
      const row = rowsOf(engine).find(
        (each) => /too_long|context|exceed/.test(each.name) && each.response.status === 400,
      )
      expect(row, engine).toBeDefined()
      expect(fromStatus(400, {}, String(row?.response.body)).code).toBe('context_length_exceeded')
    }
  })

  test('20: the first fragment of a call carries id and name, the rest only arguments', () => {
    for (const engine of ['vllm-0.32.0', 'llamacpp-b11549'] as const) {
      const row = rowsOf(engine).find(
        (each) =>
          /tool/.test(each.name) && each.response.chunks?.some((chunk) => chunk.data.includes('tool_calls')) === true,
      )
      expect(row, engine).toBeDefined()
      const calls = decodeStream(row as Row).events.filter((event) => event.type === 'tool-call')
      expect(calls[0]).toMatchObject({ index: 0, id: expect.any(String) as string, name: expect.any(String) as string })
      expect(
        calls
          .slice(1)
          .filter((call) => call.index === 0)
          .every((call) => call.id === undefined && call.name === undefined),
      ).toBe(true)
    }
  })

  test('21: an engine that refuses under load is 503, to be retried elsewhere', () => {
    const row = rowsOf('vllm-0.32.0').find((each) => each.response.status === 503)
    expect(fromStatus(503, {}, String(row?.response.body)).code).toBe('upstream_overloaded')
  })
})
