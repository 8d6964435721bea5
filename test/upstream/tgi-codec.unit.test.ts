/** The pure parts of kind `tgi`. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Target } from '../../src/gateway/steps.ts'
import type { AnswerEvent } from '../../src/protocol/answer.ts'
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'
import { FIELD_ROWS } from '../../src/protocol/openai-chat/fields.ts'
import { tgiAdapter } from '../../src/upstream/tgi/adapter.ts'
import { TGI_FIELDS, type TgiApi } from '../../src/upstream/tgi/fields.ts'
import { StopTrimmer } from '../../src/upstream/tgi/stop-trimmer.ts'

const VALUES: Readonly<Record<string, unknown>> = {
  audio: { voice: 'alloy', format: 'wav' },
  functions: [{ name: 'f' }],
  function_call: 'auto',
  logit_bias: { '1': 1 },
  metadata: { a: 'b' },
  moderation: {},
  parallel_tool_calls: true,
  prediction: { type: 'content', content: 'x' },
  prompt_cache_key: 'k',
  prompt_cache_options: { mode: 'implicit' },
  prompt_cache_retention: '24h',
  reasoning_effort: 'low',
  safety_identifier: 's',
  service_tier: 'flex',
  store: true,
  tool_choice: 'auto',
  tools: [{ type: 'function', function: { name: 'f' } }],
  user: 'u',
  verbosity: 'low',
  web_search_options: {},
  top_k: 5,
  min_p: 0.1,
  repetition_penalty: 1.1,
}
const TOOLS = { tools: VALUES['tools'] }
/** Fields that need another one, which then is the one that is refused. */
const WITH: Readonly<Record<string, object>> = {
  parallel_tool_calls: TOOLS,
  tool_choice: TOOLS,
  function_call: { functions: VALUES['functions'] },
}

function target(api: TgiApi): Target {
  return {
    name: 'm',
    upstream: 'u',
    kind: 'tgi',
    model: 'm',
    tier: 'local',
    contextTokens: 8192,
    capabilities: new Set(),
    price: undefined,
    extraBody: {},
    fallbacks: [],
    ...(api === 'generate' ? { api } : {}),
  }
}
function request(body: object) {
  return decodeChatRequest(
    { model: 'm', messages: [{ role: 'user', content: 'x' }], ...body },
    { bodyBytes: 100, unknownFields: 'refuse' },
  )
}

test('the table has a row for every field of the chat API', () => {
  expect(TGI_FIELDS.map((row) => row.field).toSorted()).toEqual(FIELD_ROWS.map((row) => row.field).toSorted())
})

const cases = TGI_FIELDS.flatMap(({ field, fate }) =>
  (['chat', 'generate'] as const)
    .filter((api) => fate[api] === 'drop' || fate[api] === 'refuse')
    .map((api) => [field, api, fate[api]] as const),
)
test.each(cases)('%s on the route %s: %s', (field, api, fate) => {
  expect(VALUES).toHaveProperty(field)
  const body = { ...WITH[field], [field]: VALUES[field] }
  const encode = () => tgiAdapter.encode(request(body), target(api), { stream: true, outputCap: 5 })
  if (fate === 'refuse') {
    expect(encode).toThrow(
      expect.objectContaining({
        code: 'unsupported_parameter',
        param: field in WITH || field === 'functions' ? 'tools' : field,
      }),
    )
    return
  }
  const { body: text, dropped } = encode()
  expect(dropped).toEqual([field])
  expect(text).not.toContain(`"${field}":`)
})

test('the prompt of the native route is the text and nothing else', () => {
  const encode = (messages: readonly object[]): unknown =>
    (
      JSON.parse(tgiAdapter.encode(request({ messages }), target('generate'), { stream: true, outputCap: 5 }).body) as {
        inputs: string
      }
    ).inputs
  expect(encode([{ role: 'user', content: '  def f():\n' }])).toBe('  def f():\n')
  expect(
    encode([
      { role: 'system', content: 'a' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'b' },
          { type: 'text', text: 'c' },
        ],
      },
    ]),
  ).toBe('a\nbc')
})

describe('a stop sequence', () => {
  const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 3,
  })
  const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }), { maxLength: 8 })
  test('nothing is lost where the answer ended by itself', () => {
    fc.assert(
      fc.property(stops, pieces, (stops, pieces) => {
        const trimmer = new StopTrimmer(stops)
        expect(pieces.map((each) => trimmer.push(each)).join('') + trimmer.end(false)).toBe(pieces.join(''))
      }),
    )
  })
  test('is taken off the end, however it came', () => {
    fc.assert(
      fc.property(stops, pieces, (stops, pieces) => {
        const trimmer = new StopTrimmer(stops)
        const text =
          [...pieces, ...(stops[0] as string).split('')].map((each) => trimmer.push(each)).join('') + trimmer.end(true)
        const all = pieces.join('') + (stops[0] as string)
        const longest = stops.filter((stop) => all.endsWith(stop)).map((stop) => stop.length)
        expect(text).toBe(all.slice(0, all.length - Math.max(...longest)))
      }),
    )
  })
})

describe('streams', () => {
  const strip = (events: readonly AnswerEvent[]): readonly AnswerEvent[] =>
    events.map((event) => (event.type === 'start' ? { ...event, id: 'i', created: 1 } : event))
  function decode(api: TgiApi, bytes: Buffer, cuts: readonly number[]): readonly AnswerEvent[] {
    const decoder = tgiAdapter.stream(100, 1, {
      request: request({ stop: ['ab'], logprobs: true }),
      target: target(api),
    })
    const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
    const events: AnswerEvent[] = []
    for (let i = 1; i < edges.length; i++) {
      const piece = bytes.subarray(edges[i - 1], edges[i])
      if (piece.length > 0) events.push(...(decoder.feed(piece)?.events ?? []))
    }
    if (!decoder.isDone) events.push(...(decoder.end()?.events ?? []))
    expect(decoder.error).toBeUndefined()
    expect(decoder.hasFinish).toBe(true)
    return strip(events)
  }
  const text = fc.string({ unit: 'grapheme', maxLength: 10 })

  test('of the native route: any cut gives the same events, and the whole answer the same text', () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (texts, cuts) => {
          const tokens = texts.map((each) => ({ id: 1, text: each, logprob: -1, special: false }))
          const details = { finish_reason: 'eos_token', generated_tokens: texts.length, input_length: 3 }
          const bytes = Buffer.from(
            tokens
              .map((token, at) => {
                const isLast = at === tokens.length - 1
                const frame = {
                  token,
                  generated_text: isLast ? texts.join('') : null,
                  details: isLast ? details : null,
                }
                return `data:${JSON.stringify(frame)}\n\n`
              })
              .join(''),
          )
          const events = decode('generate', bytes, [])
          expect(decode('generate', bytes, cuts)).toEqual(events)
          const whole = tgiAdapter.whole(
            JSON.stringify({ generated_text: texts.join(''), details: { ...details, tokens } }),
            100,
            {
              request: request({ stop: ['ab'] }),
              target: target('generate'),
            },
          )
          if ('error' in whole) throw whole.error
          const said = (list: readonly AnswerEvent[]): string =>
            list.map((event) => (event.type === 'text' ? event.text : '')).join('')
          expect(said(whole.events)).toBe(said(events))
          expect(said(events)).toBe(texts.join(''))
        },
      ),
      { numRuns: 100 },
    )
  })

  test('of the chat route: any cut gives the same events', () => {
    const choice = (delta: object, finish: string | null): string =>
      `data: ${JSON.stringify({ id: '', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 6 }),
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 8 }),
        (texts, calls, cuts) => {
          const deltas = texts.map((each, at) =>
            calls
              ? {
                  tool_calls: [
                    { index: 0, id: '0', type: 'function', function: { name: at === 0 ? 'f' : null, arguments: each } },
                  ],
                }
              : { role: 'assistant', content: each },
          )
          const isEnded = !calls || texts.length === 0
          const bytes = Buffer.from(
            `${deltas.map((each) => choice(each, null)).join('')}${isEnded ? choice({}, 'stop') : ''}data: [DONE]\n\n`,
          )
          const compact = (events: readonly AnswerEvent[]): readonly AnswerEvent[] =>
            events.map((event) =>
              event.type === 'tool-call' && event.id !== undefined ? { ...event, id: 'own' } : event,
            )
          expect(compact(decode('chat', bytes, cuts))).toEqual(compact(decode('chat', bytes, [])))
        },
      ),
      { numRuns: 100 },
    )
  })
})
