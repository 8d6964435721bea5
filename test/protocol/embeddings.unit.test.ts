import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inputTokenBound } from '../../src/budget/hold/input-bound.ts'
import { walkedTokenBound } from '../../src/budget/hold/walked-bound.ts'
import { decodeEmbeddingRequest } from '../../src/protocol/openai-embeddings/decode-request.ts'
import { openAiEmbeddings } from '../../src/protocol/openai-embeddings/dialect.ts'
import { encodeEmbeddingRequest } from '../../src/protocol/openai-embeddings/encode-request.ts'
import { vectorAs } from '../../src/protocol/openai-embeddings/vector.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'
import type { NanoUsd } from '../../src/shared/money.ts'
import { decodeWhole } from '../../src/upstream/openai/decode-whole.ts'

const TARGET = { kind: 'vllm', model: 'bge', contextTokens: undefined, extraBody: {} } as const

function decode(body: object): ChatRequest {
  const whole = Object.defineProperties({ model: 'm', input: 'a' }, Object.getOwnPropertyDescriptors(body))
  const bodyBytes = Buffer.byteLength(JSON.stringify(whole))
  return decodeEmbeddingRequest(whole, { bodyBytes, unknownFields: 'drop' })
}
const encode = (body: object): unknown =>
  JSON.parse(encodeEmbeddingRequest(decode(body), TARGET, { stream: true, outputCap: 0 }).body)

const texts = fc.string({ unit: 'binary', minLength: 1 })
const ids = fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1 })

describe('a request', () => {
  test('inputs of any kind arrive as they were, and their bound covers a token for each byte or id', () => {
    fc.assert(
      fc.property(fc.oneof(texts, ids, fc.array(fc.oneof(texts, ids), { minLength: 2, maxLength: 5 })), (input) => {
        expect(encode({ input })).toEqual({ model: 'bge', input, encoding_format: 'float' })
        const request = decode({ input })
        const tokens = (request.embed?.inputs ?? []).reduce(
          (sum: number, each) =>
            sum + (typeof each === 'string' ? Buffer.byteLength(each.toWellFormed()) : each.length) + 2,
          0,
        )
        expect(inputTokenBound(request, TARGET).tokens).toBeGreaterThanOrEqual(tokens)
        expect(walkedTokenBound(request, TARGET).tokens).toBeGreaterThanOrEqual(tokens)
      }),
    )
  })

  test('nothing is generated: no cap, no stream, whatever is asked of the server', () => {
    expect(decode({})).toMatchObject({ maxOutputTokens: 0, n: 1, stream: false })
    expect(encode({ input: ['a'], dimensions: 8, encoding_format: 'base64' })).toEqual({
      model: 'bge',
      input: 'a',
      dimensions: 8,
      encoding_format: 'base64',
    })
  })

  test.each<[object, string, string, RegExp]>([
    [{ input: undefined }, 'missing_required_parameter', 'input', /Missing/],
    [{ input: '' }, 'invalid_value', 'input', /empty/],
    [{ input: [] }, 'empty_array', 'input', /minimum length 1/],
    [{ input: ['a', ''] }, 'invalid_value', 'input[1]', /empty/],
    [{ input: [1, 'a'] }, 'invalid_value', 'input', /token ids/],
    [{ input: [[1.5]] }, 'invalid_value', 'input[0]', /token ids/],
    [{ input: ['a', {}] }, 'invalid_type', 'input[1]', /token ids/],
    [{ input: Array.from({ length: 2049 }, () => 'a') }, 'array_above_max_length', 'input', /2048/],
    [{ dimensions: 0 }, 'integer_below_min_value', 'dimensions', />= 1/],
    [{ encoding_format: 'int8' }, 'invalid_value', 'encoding_format', /'float', 'base64'/],
    [{ stream: true }, 'unknown_parameter', 'stream', /no meaning/],
    [{ messages: [] }, 'unknown_parameter', 'messages', /no meaning/],
    [{ api_base: 'x' }, 'unknown_parameter', 'api_base', /not accepted/],
    [JSON.parse('{"__proto__":{"a":1}}') as object, 'unknown_parameter', '__proto__', /Unknown parameter/],
  ])('%j is refused as %s of %s', (body, code, param, sentence) => {
    expect(() => decode(body)).toThrow(
      expect.objectContaining({ code, param, message: expect.stringMatching(sentence) as string }) as Error,
    )
  })
})

test('a vector is the same in both forms, to the bit of a 32-bit float', () => {
  const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 })
  fc.assert(
    fc.property(floats, (vector) => {
      const list = JSON.stringify(vector)
      const base64 = JSON.parse(vectorAs('base64', list) ?? '') as string
      expect(vectorAs('base64', base64)).toBe(JSON.stringify(base64))
      expect(JSON.parse(vectorAs('float', base64) ?? '')).toEqual(JSON.parse(list))
      expect(vectorAs('float', list)).toBe(list)
    }),
  )
  expect(vectorAs('float', 'AAA=')).toBeUndefined()
})

describe('an answer', () => {
  const decoded = (body: object): ReturnType<typeof decodeWhole> => decodeWhole(JSON.stringify(body), 99)
  const shown = (request: object, body: object): unknown => {
    const answer = decoded(body)
    if ('error' in answer) throw answer.error
    const writer = openAiEmbeddings.whole({ id: 'x', created: 1, request: decode(request) })
    writer.add({ events: answer.events })
    return JSON.parse(writer.render(answer.usage, 7 as NanoUsd))
  }
  const usage = { prompt_tokens: 5, total_tokens: 5 }

  test('vectors stand by their index, in the form that was asked for, with what they cost', () => {
    const data = [
      { object: 'embedding', index: 1, embedding: [0.5, -2] },
      { object: 'embedding', index: 0, embedding: 'AACAPw==' },
    ]
    expect(shown({ input: ['a', 'b'] }, { object: 'list', data, model: 'bge', usage })).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [1] },
        { object: 'embedding', index: 1, embedding: [0.5, -2] },
      ],
      model: 'bge',
      usage: { prompt_tokens: 5, total_tokens: 5, cost: 7e-9, cost_nano_usd: 7 },
    })
    expect(shown({ input: ['a', 'b'], encoding_format: 'base64' }, { data, usage })).toMatchObject({
      data: [{ embedding: 'AACAPw==' }, { embedding: 'AAAAPwAAAMA=' }],
      model: 'm',
    })
  })

  test('an answer with a gap, or with something else than a vector, is none', () => {
    const one = [{ index: 0, embedding: [1] }]
    expect(() => shown({ input: ['a', 'b'] }, { data: one, usage })).toThrow(
      expect.objectContaining({ code: 'upstream_garbage' }) as Error,
    )
    for (const embedding of [[], ['a'], {}, 'no base64!', null])
      expect(decoded({ data: [{ index: 0, embedding }], usage })).toMatchObject({ error: { code: 'upstream_garbage' } })
  })

  test('without a usage the bytes of the request count, and nothing as output', () => {
    expect(decoded({ data: [{ index: 0, embedding: [1] }] })).toMatchObject({
      usage: { input: 99, output: 0, estimated: true },
    })
  })
})
