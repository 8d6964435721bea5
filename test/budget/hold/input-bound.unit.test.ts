import fc from 'fast-check'
import { countTokens as o200k } from 'gpt-tokenizer/encoding/o200k_base'
import { countTokens as cl100k } from 'gpt-tokenizer/encoding/cl100k_base'
import { describe, expect, test } from 'vitest'
import { inputTokenBound } from '../../../src/budget/hold/input-bound.ts'
import type { BoundTarget } from '../../../src/budget/hold/prompt-rules.ts'
import { walkedTokenBound } from '../../../src/budget/hold/walked-bound.ts'
import { decodeChatRequest } from '../../../src/protocol/openai-chat/decode-request.ts'
import { encodeChatRequest } from '../../../src/protocol/openai-chat/encode-request.ts'
import { decodeCompletionRequest } from '../../../src/protocol/openai-completions/decode-request.ts'
import { parseJsonBody } from '../../../src/protocol/json.ts'
import { promptTokens } from '../../../src/simulator/compose.ts'
import { requests, text } from '../../support/arbitrary-requests.ts'
import { chatRequest } from '../../support/fake-steps.ts'
import { ENGINE_RENDERINGS, OPENAI_RENDERINGS, type Rendering } from '../../support/renderings.ts'

const PLAIN = { disallowedSpecial: new Set<string>() }
/** No allowance for a template's own text: what the body holds must bound what the body becomes. */
const engine: BoundTarget = { kind: 'openai', model: 'any', contextTokens: undefined, extraBody: {}, templateTokens: 0 }
const openai: BoundTarget = { ...engine, model: 'gpt-4o', isHostedOpenAi: true }

test('no text has more tokens than UTF-8 bytes, whatever characters and control tokens are in it', () => {
  fc.assert(
    fc.property(text, (sample) => {
      const bytes = Buffer.byteLength(sample)
      expect(o200k(sample, PLAIN)).toBeLessThanOrEqual(bytes)
      expect(cl100k(sample, PLAIN)).toBeLessThanOrEqual(bytes)
      expect(o200k(sample, { allowedSpecial: 'all' })).toBeLessThanOrEqual(bytes)
    }),
    { numRuns: 200 },
  )
})

describe.each([
  ...Object.entries(ENGINE_RENDERINGS).map((entry) => [...entry, engine] as const),
  ...Object.entries(OPENAI_RENDERINGS).map((entry) => [...entry, openai] as const),
])('a prompt as %s renders it', (_name, render, target) => {
  test('has no more bytes than either bound, so that no byte-level tokeniser finds more tokens', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const prompt = Buffer.byteLength(render(request))
        expect(inputTokenBound(request, target).tokens).toBeGreaterThanOrEqual(prompt)
        expect(walkedTokenBound(request, target).tokens).toBeGreaterThanOrEqual(prompt)
      }),
      { numRuns: 150 },
    )
  })

  test('has no more tokens of a real vocabulary than either bound', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const tokens = o200k(render(request), PLAIN)
        expect(inputTokenBound(request, target).tokens).toBeGreaterThanOrEqual(tokens)
        expect(walkedTokenBound(request, target).tokens).toBeGreaterThanOrEqual(tokens)
      }),
      { numRuns: 25 },
    )
  })
})

test("the simulator's own count of the body that is sent is within the bound", () => {
  fc.assert(
    fc.property(requests, (request) => {
      const { body } = encodeChatRequest(
        request,
        { kind: 'simulated', model: 'm', extraBody: {} },
        { stream: true, outputCap: 1 },
      )
      const simulated: BoundTarget = { ...engine, kind: 'simulated' }
      expect(inputTokenBound(request, simulated).tokens).toBeGreaterThanOrEqual(
        promptTokens(JSON.parse(body) as Parameters<typeof promptTokens>[0]),
      )
    }),
    { numRuns: 150 },
  )
})

test('a thousand empty messages, parts, calls and tools are bounded too: their markup is', () => {
  const many = <Item>(item: Item): Item[] => Array.from({ length: 1000 }, () => item)
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '' } }
  const bodies = [
    { messages: many({ role: 'user', content: '' }) },
    { messages: [{ role: 'user', content: many({ type: 'text', text: '' }) }] },
    { messages: [{ role: 'assistant', tool_calls: many(call) }] },
    {
      messages: [{ role: 'user', content: '' }],
      tools: many({ type: 'function', function: { name: 'f' } }).slice(0, 128),
    },
  ]
  for (const body of bodies) {
    const bytes = Buffer.from(JSON.stringify({ model: 'm', ...body }))
    const request = decodeChatRequest(parseJsonBody(bytes), { bodyBytes: bytes.length, unknownFields: 'drop' })
    for (const [name, render] of Object.entries(ENGINE_RENDERINGS)) {
      expect(inputTokenBound(request, engine).tokens, name).toBeGreaterThanOrEqual(Buffer.byteLength(render(request)))
      expect(walkedTokenBound(request, engine).tokens, name).toBeGreaterThanOrEqual(Buffer.byteLength(render(request)))
    }
  }
})

test("a prompt for OpenAI has no more tokens than its texts' tokens and the bytes of the rest", () => {
  fc.assert(
    fc.property(requests, (request) => {
      const { texts, otherTokens } = walkedTokenBound(request, openai)
      const counted = texts.reduce((sum, each) => sum + o200k(each, PLAIN), 0)
      expect(counted + otherTokens).toBeGreaterThanOrEqual(
        o200k((OPENAI_RENDERINGS['typescript'] as Rendering)(request), PLAIN),
      )
    }),
    { numRuns: 50 },
  )
})

test('the body that is sent, re-encoded, is not larger than the bound of the body that came', () => {
  fc.assert(
    fc.property(requests, (request) => {
      const hasPayload =
        JSON.stringify(request.messages).includes('base64,') || JSON.stringify(request.messages).includes('"audio"')
      const { body } = encodeChatRequest(
        request,
        { kind: 'openai', model: 'm', extraBody: {} },
        { stream: true, outputCap: 100 },
      )
      if (!hasPayload)
        expect(inputTokenBound(request, { ...engine, templateTokens: 128 }).tokens).toBeGreaterThanOrEqual(
          Buffer.byteLength(body),
        )
    }),
    { numRuns: 200 },
  )
})

test('a body that is not UTF-8 is refused, since decoding would make more text of it than it has bytes', () => {
  const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(100, 0xe9), Buffer.from('"}')])
  expect(() => parseJsonBody(bytes)).toThrow('not valid UTF-8')
})

test('n asks for more answers, not for more prompt', () => {
  const one = inputTokenBound(chatRequest(), engine)
  expect(inputTokenBound(chatRequest({ n: 8 }), engine)).toEqual(one)
})

const picture = (url: string): ReturnType<typeof chatRequest> =>
  chatRequest({ messages: [{ role: 'user', content: [{ type: 'image', url }] }], bodyBytes: 200 + url.length })

describe('pictures', () => {
  test.each([
    // OpenAI's vision guide: 85 + 170 a tile, 2048 x 768 is 8 tiles; patches at most 1,536 times the model's factor.
    ['gpt-4o', 85 + 170 * 8],
    ['gpt-4o-mini', 2833 + 5667 * 8],
    ['gpt-4.1-mini', 2489],
    ['o4-mini', 2642],
    ['a-model-of-next-year', 2833 + 5667 * 8],
  ])('one for %s counts as the largest that it can be, %i tokens', (model, tokens) => {
    expect(inputTokenBound(picture('https://example.com/a.png'), { ...openai, model }).mediaTokens).toBe(tokens)
  })

  test('the base64 of one is not counted as text besides, its address is', () => {
    const inline = inputTokenBound(picture(`data:image/png;base64,${'A'.repeat(100_000)}`), engine)
    expect(inline.tokens).toBeLessThan(17_500)
    expect(inline.mediaTokens).toBe(16_386)
  })
})

describe('what nothing bounds', () => {
  const file = chatRequest({ messages: [{ role: 'user', content: [{ type: 'file', fileId: 'file-1' }] }] })
  test('a file is bounded by the context alone, and by nothing without one', () => {
    expect(inputTokenBound(file, { ...openai, contextTokens: 128_000 })).toMatchObject({
      tokens: 128_000,
      unbounded: [],
    })
    expect(inputTokenBound(file, openai).unbounded).toEqual(['messages'])
  })

  test('web search is billed by what it finds', () => {
    expect(inputTokenBound(chatRequest({ openai: { web_search_options: {} } }), openai).unbounded).toEqual([
      'web_search_options',
    ])
  })

  test('a WAV head that claims a byte an hour does not make its audio cheap', () => {
    const wav = (byteRate: number): string => {
      const head = Buffer.alloc(44)
      head.write('RIFF', 0, 'latin1')
      head.write('WAVEfmt ', 8, 'latin1')
      head.writeUInt32LE(byteRate, 28)
      return head.toString('base64')
    }
    const audio = (data: string): ReturnType<typeof chatRequest> =>
      chatRequest({ messages: [{ role: 'user', content: [{ type: 'audio', data, format: 'wav' }] }] })
    expect(inputTokenBound(audio(wav(16_000)), openai).unbounded).toEqual([])
    expect(inputTokenBound(audio(wav(1)), openai).unbounded).toEqual(['messages'])
  })
})

test('a prediction may be billed as output on top of the cap', () => {
  const prediction = { type: 'content', content: 'x'.repeat(1000) }
  expect(inputTokenBound(chatRequest({ openai: { prediction } }), openai).extraOutputTokens).toBeGreaterThanOrEqual(
    1000,
  )
})

test("the operator's fixed fields may be printed by the template", () => {
  const extraBody = { documents: [{ text: 'y'.repeat(5000) }] }
  expect(inputTokenBound(chatRequest(), { ...engine, extraBody }).tokens).toBeGreaterThan(5000)
})

test('a raw prompt is bounded by its bytes and next to nothing else where no template is put around it', () => {
  const prompt = 'Once upon a time'
  const body = { model: 'm', prompt, max_tokens: 1 }
  const request = decodeCompletionRequest(body, { bodyBytes: JSON.stringify(body).length, unknownFields: 'drop' })
  const bound = (kind: 'vllm' | 'openai'): number =>
    walkedTokenBound(request, { kind, model: 'm', contextTokens: undefined, extraBody: {} }).tokens
  expect(bound('vllm')).toBeGreaterThanOrEqual(prompt.length)
  expect(bound('vllm')).toBeLessThan(prompt.length + 128)
  expect(bound('openai')).toBeGreaterThan(1000)
})
