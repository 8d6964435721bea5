/**
 * Who reports tokens how: recorded answers of engines, and the documented shapes of hosted providers. The extractors of the price
 * book's package, written by others from the providers' own answers, are the judge where they know the provider.
 */
import { extractUsage, findProvider } from '@pydantic/genai-prices'
import { describe, expect, test } from 'vitest'
import { charge } from '../../src/budget/prices/charge.ts'
import { scheduleOf } from '../../src/budget/prices/price-book.ts'
import { priceAt } from '../../src/budget/prices/price-schedule.ts'
import type { Usage } from '../../src/protocol/answer.ts'
import { StreamDecoder } from '../../src/upstream/openai/decode-stream.ts'
import { decodeWhole } from '../../src/upstream/openai/decode-whole.ts'
import { readFixture } from '../support/vectors.ts'

interface Recording {
  readonly name: string
  readonly request?: { readonly body?: { readonly n?: number } }
  readonly response: { readonly body?: string; readonly chunks?: readonly { readonly data: string }[] }
}

function recorded(engine: string, name: string): Usage {
  const row = readFixture<Recording>(`recorded/${engine}.jsonl`).find((each) => each.name === name)
  if (row === undefined) throw new Error(`There is no recording ${name} of ${engine}.`)
  const { body, chunks } = row.response
  return chunks === undefined
    ? whole(body ?? '')
    : streamed(
        chunks.map(({ data }) => data),
        row.request?.body?.n ?? 1,
      )
}

function whole(body: string): Usage {
  const answer = decodeWhole(body, 5000)
  if ('error' in answer) throw answer.error
  return answer.usage
}

function streamed(frames: readonly string[], choices: number): Usage {
  const decoder = new StreamDecoder(5000, choices)
  for (const frame of frames) decoder.feed(Buffer.from(frame))
  decoder.end()
  return decoder.usage()
}

describe.each<[string, readonly [name: string, usage: Partial<Usage>][]]>([
  [
    'vllm-0.32.0',
    [
      ['chat_plain', { input: 34, cachedInput: 0, output: 16, estimated: false }],
      ['chat_n2', { input: 34, output: 12, estimated: false }],
      ['chat_stream_n2', { input: 34, output: 8, estimated: false }],
      // Every chunk has the usage so far.
      ['chat_stream_continuous_usage', { input: 34, output: 3, estimated: false }],
      ['prompt_cache_first', { input: 549, cachedInput: 0, cacheWrite: 512, output: 4 }],
      ['prompt_cache_second', { input: 549, cachedInput: 512, cacheWrite: 0, output: 4 }],
    ],
  ],
  [
    'llamacpp-b11549',
    [
      ['chat_plain_same_seed_again', { input: 34, cachedInput: 33, output: 16, estimated: false }],
      // One choice of two is reported, as 6 tokens.
      ['chat_n2', { input: 34, cachedInput: 33, output: 12, estimated: true }],
      // Each is reported, as 4 tokens.
      ['chat_stream_n2', { input: 34, output: 8, estimated: false }],
      ['prompt_cache_second', { input: 549, cachedInput: 548, output: 4 }],
    ],
  ],
  [
    'transformers-serve-5.19.0',
    [
      ['chat_plain', { input: 34, cachedInput: 0, output: 16, estimated: false }],
      // No usage was asked for; it comes with the finish all the same.
      ['chat_stream_plain', { input: 34, output: 8, estimated: false }],
      ['chat_max_completion_tokens', { input: 34, output: 1024, estimated: false }],
    ],
  ],
])('%s', (engine, rows) => {
  test.each(rows)('%s is counted as the engine did the work', (name, usage) => {
    expect(recorded(engine, name)).toMatchObject(usage)
  })
})

test('vLLM without a usage, as where none was asked for, is counted from above', () => {
  const used = recorded('vllm-0.32.0', 'chat_stream_plain')
  expect(used).toMatchObject({ input: 5000, estimated: true })
  expect(used.output).toBeGreaterThanOrEqual(8)
})

/** Usage of answers as the providers' API references show them, in the dialect of OpenAI's chat completions. */
const DOCUMENTED: readonly (readonly [provider: string, model: string, usage: Readonly<Record<string, unknown>>])[] = [
  [
    'openai',
    'gpt-5.1',
    {
      prompt_tokens: 2006,
      completion_tokens: 300,
      total_tokens: 2306,
      prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 192,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
  ],
  [
    'openai',
    'gpt-audio',
    {
      prompt_tokens: 129,
      completion_tokens: 88,
      total_tokens: 217,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 110, text_tokens: 19, image_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 66, text_tokens: 22 },
    },
  ],
  [
    'openai',
    'gpt-5.6-sol',
    {
      prompt_tokens: 300_000,
      completion_tokens: 1000,
      total_tokens: 301_000,
      prompt_tokens_details: { cached_tokens: 200_000, cache_write_tokens: 90_000 },
    },
  ],
  [
    'x-ai',
    'grok-4.5',
    {
      prompt_tokens: 37,
      completion_tokens: 530,
      total_tokens: 800,
      prompt_tokens_details: { text_tokens: 37, audio_tokens: 0, image_tokens: 0, cached_tokens: 8 },
      completion_tokens_details: { reasoning_tokens: 233, audio_tokens: 0 },
    },
  ],
  [
    'deepseek',
    'deepseek-v4-pro',
    {
      prompt_tokens: 100,
      completion_tokens: 20,
      total_tokens: 120,
      prompt_tokens_details: { cached_tokens: 64 },
      prompt_cache_hit_tokens: 64,
      prompt_cache_miss_tokens: 36,
      completion_tokens_details: { reasoning_tokens: 12 },
    },
  ],
  ['groq', 'openai/gpt-oss-120b', { prompt_tokens: 24, completion_tokens: 377, total_tokens: 401, total_time: 0.65 }],
]

describe.each(DOCUMENTED)('%s %s', (provider, model, usage) => {
  const frame = (more: object): string =>
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model, ...more })}\n\n`
  const choice = (more: object): object => ({ choices: [{ index: 0, finish_reason: null, delta: {}, ...more }] })
  const message = { role: 'assistant', content: 'Yes.' }
  const body = JSON.stringify({
    id: 'x',
    model,
    created: 1,
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage,
  })
  const frames = [
    frame(choice({ delta: message })),
    frame(choice({ finish_reason: 'stop' })),
    frame({ choices: [], usage }),
  ]

  test('the book’s own reading of it agrees', () => {
    const book = findProvider({ providerId: provider })
    if (book === undefined) throw new Error(`The book does not know ${provider}.`)
    const flavor = book.extractors?.some((each) => each.api_flavor === 'chat') === true ? 'chat' : 'default'
    const theirs = extractUsage(book, { model, usage }, flavor).usage
    const ours = whole(body)
    expect(ours.estimated).toBe(false)
    expect([ours.input, ours.output]).toEqual([theirs['input_tokens'], theirs['output_tokens']])
    expect(ours.cachedInput).toBe(theirs['cache_read_tokens'] ?? 0)
    expect(ours.cacheWrite).toBe(theirs['cache_write_tokens'] ?? 0)
    expect(ours.reasoning).toBe(theirs['output_reasoning_tokens'] ?? 0)
    expect([ours.audioInput, ours.audioOutput]).toEqual([
      theirs['input_audio_tokens'] ?? 0,
      theirs['output_audio_tokens'] ?? 0,
    ])
  })

  test.each([
    ['once', frames],
    ['twice', [...frames, ...frames.slice(2)]],
    [
      'with the finish and again at the end',
      [frames[0] ?? '', frame({ ...choice({ finish_reason: 'stop' }), usage }), ...frames.slice(2)],
    ],
  ])('streamed %s it is the same as in one piece', (_how, pieces) => {
    expect(streamed([...pieces, 'data: [DONE]\n\n'], 1)).toEqual(whole(body))
    expect(streamed([...pieces, 'data: [DONE]\n\n'], 2)).toEqual(whole(body))
  })
})

/** Dollars by hand from the providers' price lists, against what the service charges: usage and price together. */
test.each([
  ['gpt-5.1', 0, (86 * 1.25 + 1920 * 0.125 + 300 * 10) / 1e6],
  ['gpt-audio', 1, (19 * 2.5 + 110 * 32 + 22 * 10 + 66 * 64) / 1e6],
  ['gpt-5.6-sol, above its long context', 2, (10_000 * 8 + 200_000 * 0.8 + 90_000 * 10 + 1000 * 30) / 1e6],
  ['grok-4.5', 3, (29 * 2 + 8 * 0.3 + 763 * 6) / 1e6],
])('%s costs what its provider asks', (_name, index, usd) => {
  const [provider = '', model = '', usage] = DOCUMENTED[index] ?? []
  const body = JSON.stringify({ choices: [{ index: 0, message: { content: 'Yes.' }, finish_reason: 'stop' }], usage })
  const price = priceAt(scheduleOf(provider, model), Date.parse('2026-11-25'))
  expect(price && charge(whole(body), price)).toBe(Math.ceil(Number((usd * 1e9).toFixed(3))))
})

test.each([
  ['priority', 'priority'],
  ['flex', 'flex'],
  ['default', undefined],
  ['auto', undefined],
  [null, undefined],
])('the service tier %s of an answer is priced as %s', (tier, priced) => {
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  const choices = [{ index: 0, message: { content: 'Yes.' }, finish_reason: 'stop' }]
  expect(whole(JSON.stringify({ choices, usage, service_tier: tier })).serviceTier).toBe(priced)
  const chunks = [
    { choices: [{ index: 0, delta: { content: 'Yes.' } }], service_tier: 'auto' },
    { choices: [], usage, service_tier: tier },
  ]
  expect(
    streamed(
      chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`),
      1,
    ).serviceTier,
  ).toBe(priced)
})
