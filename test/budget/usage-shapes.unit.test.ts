/**
 * The part of the law of the budget that is about bills: whatever an upstream reports in the shape of its wire, as long as the tokens are
 * no more than were held, costs no more than was held; for the price of every model of the book, and of files. That the tokens are no
 * more is what the laws about prompts say (`hold-covers-charge`, `anthropic-hold`, `responses-hold`).
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { charge } from '../../src/budget/prices/charge.ts'
import type { CacheLife } from '../../src/budget/prices/cache-life.ts'
import { namesInBook, scheduleOf } from '../../src/budget/prices/price-book.ts'
import { holdFor, withinHold } from '../../src/budget/hold/hold.ts'
import type { Usage } from '../../src/protocol/answer.ts'
import { isTierPriced, type Price } from '../../src/shared/price.ts'
import { readUsage as readAnthropicUsage } from '../../src/upstream/anthropic/usage.ts'
import { readGoogleUsage } from '../../src/upstream/google/usage.ts'
import { readUsage as readResponsesUsage } from '../../src/upstream/openai-responses/usage.ts'
import { decodeEmbeddings } from '../../src/upstream/openai/decode-embeddings.ts'
import { StreamDecoder } from '../../src/upstream/openai/decode-stream.ts'
import { decodeWhole } from '../../src/upstream/openai/decode-whole.ts'
import { GenerateReader } from '../../src/upstream/tgi/generate-reader.ts'
import { chatRequest } from '../support/fake-steps.ts'
import { prices } from '../support/prices.ts'

/** The tokens of an answer, and shares of kinds in percent, which may overlap and make more than all. */
interface Counted {
  readonly input: number
  readonly output: number
  readonly cached: number
  readonly written: number
  readonly anHour: number
  readonly audioIn: number
  readonly imageIn: number
  readonly reasoning: number
  readonly audioOut: number
  readonly imageOut: number
  readonly tier: string | undefined
  /** Another way to say the same, where a wire has several. */
  readonly isOdd: boolean
}
interface Shape {
  readonly read: (counted: Counted) => Usage
  /** What of the cache can be billed there. */
  readonly life: (counted: Counted) => CacheLife
  readonly generates?: false
}

const NOTHING_SEEN = { requestBytes: 0, contentChunks: 0, contentBytes: 0 }
const of = (all: number, percent: number): number => Math.ceil((all * percent) / 100)
const any = (): CacheLife => 'any'

/** Reasoning within the output, or beside it and in the total alone, as xAI has it. */
function chatUsage(counted: Counted): object {
  const { input, output, cached, written, audioIn, imageIn, reasoning, audioOut, imageOut, isOdd } = counted
  const thought = of(output, reasoning)
  return {
    prompt_tokens: input,
    completion_tokens: isOdd ? output - thought : output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: of(input, cached),
      [isOdd ? 'created_cache_tokens' : 'cache_write_tokens']: of(input, written),
      audio_tokens: of(input, audioIn),
      image_tokens: of(input, imageIn),
      text_tokens: 0,
    },
    completion_tokens_details: {
      // Beside the output there may be more of it than of the rest.
      reasoning_tokens: isOdd ? Math.min(thought, output - thought) : thought,
      audio_tokens: of(output, audioOut),
      image_tokens: of(output, imageOut),
      accepted_prediction_tokens: of(output, cached),
      rejected_prediction_tokens: of(output, written),
    },
  }
}

function anthropicUsage({ input, output, cached, written, anHour, reasoning, tier, isOdd }: Counted): object {
  const write = of(input, written)
  const read = of(input - write, cached)
  const hour = of(write, anHour)
  return {
    input_tokens: input - write - read,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: isOdd ? write - hour : write,
    cache_creation: { ephemeral_5m_input_tokens: write - hour, ephemeral_1h_input_tokens: hour },
    output_tokens: output,
    output_tokens_details: { thinking_tokens: of(output, reasoning) },
    service_tier: tier,
  }
}

function googleUsage(counted: Counted): object {
  const { input, output, cached, written, audioIn, imageIn, reasoning, audioOut, imageOut, isOdd } = counted
  const thoughts = of(output, reasoning)
  const ownTools = of(input, written)
  return {
    promptTokenCount: input - ownTools,
    toolUsePromptTokenCount: ownTools,
    cachedContentTokenCount: of(input, cached),
    thoughtsTokenCount: thoughts,
    ...(isOdd ? {} : { candidatesTokenCount: output - thoughts }),
    totalTokenCount: input + output,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 1 },
      { modality: 'AUDIO', tokenCount: of(input, audioIn) },
      { modality: 'IMAGE', tokenCount: of(input, imageIn) },
      { modality: 'VIDEO', tokenCount: of(input, imageIn) },
    ],
    candidatesTokensDetails: [
      { modality: 'AUDIO', tokenCount: of(output, audioOut) },
      { modality: 'IMAGE', tokenCount: of(output, imageOut) },
    ],
  }
}

function whole(body: object): Usage {
  const answer = decodeWhole(JSON.stringify(body), 0)
  if ('error' in answer) throw answer.error
  return answer.usage
}

const choice = (more: object): object => ({ index: 0, finish_reason: 'stop', ...more })

const SHAPES: Readonly<Record<string, Shape>> = {
  'chat completions, whole': {
    read: (counted) =>
      whole({
        id: 'c',
        object: 'chat.completion',
        model: 'm',
        service_tier: counted.tier,
        choices: [choice({ message: { role: 'assistant', content: '' } })],
        usage: chatUsage(counted),
      }),
    life: any,
  },
  'chat completions, streamed': {
    read: (counted) => {
      const decoder = new StreamDecoder(0, 1)
      const head = { id: 'c', object: 'chat.completion.chunk', model: 'm', service_tier: counted.tier }
      for (const frame of [
        { ...head, choices: [choice({ delta: {} })] },
        { ...head, choices: [], usage: chatUsage(counted) },
      ])
        decoder.feed(Buffer.from(`data: ${JSON.stringify(frame)}\n\n`))
      decoder.feed(Buffer.from('data: [DONE]\n\n'))
      decoder.end()
      return decoder.usage()
    },
    life: any,
  },
  'completions, whole': {
    read: (counted) =>
      whole({
        id: 'c',
        object: 'text_completion',
        model: 'm',
        choices: [choice({ text: '' })],
        usage: chatUsage(counted),
      }),
    life: any,
  },
  embeddings: {
    read: ({ input }) => {
      const answer = decodeEmbeddings(
        { model: 'm', usage: { prompt_tokens: input, total_tokens: input } },
        [{ index: 0, embedding: [1] }],
        0,
      )
      if ('error' in answer) throw answer.error
      return answer.usage
    },
    life: any,
    generates: false,
  },
  responses: {
    read: (counted) => {
      const { prompt_tokens, completion_tokens, ...rest } = chatUsage({ ...counted, isOdd: false }) as Record<
        string,
        unknown
      >
      const { prompt_tokens_details, completion_tokens_details, total_tokens } = rest
      return readResponsesUsage(
        {
          input_tokens: prompt_tokens,
          input_tokens_details: prompt_tokens_details,
          output_tokens: completion_tokens,
          output_tokens_details: completion_tokens_details,
          total_tokens,
        },
        { ...NOTHING_SEEN, serviceTier: counted.tier },
      )
    },
    life: any,
  },
  'messages of Anthropic': {
    read: (counted) => readAnthropicUsage(anthropicUsage(counted) as Record<string, unknown>, NOTHING_SEEN, true),
    life: ({ input, written, anHour }) => {
      const write = of(input, written)
      return write === 0 ? 'none' : of(write, anHour) === 0 ? '5m' : 'any'
    },
  },
  'generateContent of Google': { read: (counted) => readGoogleUsage(googleUsage(counted), NOTHING_SEEN), life: any },
  'generate of TGI': {
    read: ({ input, output, isOdd }) => {
      const reader = new GenerateReader(0, chatRequest({}))
      const details = { finish_reason: 'length', generated_tokens: output }
      const prompt =
        isOdd && input > 0 && input < 1000
          ? { prefill: Array.from({ length: input }, () => ({})) }
          : { input_length: input }
      reader.take({ generated_text: '', details: { ...details, ...prompt } }, [])
      return reader.usage()
    },
    life: any,
  },
}

/** Mostly all or nothing: only whole shares cost just what was held. */
const percent = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 100) },
  { weight: 1, arbitrary: fc.nat({ max: 100 }) },
)
const shares = fc.record({
  input: percent,
  output: percent,
  cached: percent,
  written: percent,
  anHour: percent,
  audioIn: percent,
  imageIn: percent,
  reasoning: percent,
  audioOut: percent,
  imageOut: percent,
  tier: fc.constantFrom(undefined, 'default', 'flex', 'priority', 'batch', 'scale', 'constructor'),
  isOdd: fc.boolean(),
})
/** Around the edges of context tiers, too. */
const promptBound = fc.oneof(
  fc.nat({ max: 2000 }),
  fc.constantFrom(127_999, 128_001, 200_000, 200_001, 272_001),
  fc.nat({ max: 1_100_000 }),
)
const caps = fc.record({
  maxOutputTokens: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 128_000 })),
  n: fc.integer({ min: 1, max: 8 }),
})
const bookPrices: readonly Price[] = [
  ...new Map(
    (await namesInBook())
      .flatMap((name) => scheduleOf(name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)))
      .flatMap(({ price }) => (price === undefined ? [] : [[price.revision, price] as const])),
  ).values(),
]

describe.each(Object.entries(SHAPES))('%s', (_name, { read, life, generates = true }) => {
  test('no report within the tokens of a hold costs more than it', () => {
    // The book is large, and most of its prices differ in amounts alone.
    expect(bookPrices.length).toBeGreaterThan(300)
    let exact = 0
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(...bookPrices), prices),
        promptBound,
        caps,
        shares,
        (price, tokens, { maxOutputTokens, n }, given) => {
          const most = generates ? maxOutputTokens * n : 0
          const counted = { ...given, input: of(tokens, given.input), output: of(most, given.output) }
          const bound = { tokens, mediaTokens: 0, extraOutputTokens: 0, unbounded: [], isExact: false }
          const request = chatRequest({ n, maxOutputTokens })
          const cacheLife = life(counted)
          const hold = holdFor({ request, price, bound, remaining: undefined, contextTokens: undefined, cacheLife })
          if (hold.kind === 'refused') return
          const usage = read(counted)
          if (counted.input + counted.output > 0)
            expect([usage.input, usage.output, usage.estimated]).toEqual([counted.input, counted.output, false])
          // What nobody knows the price of is not charged, and its hold counts as spent.
          if (!isTierPriced(price, usage.serviceTier)) return
          const cost = charge(withinHold(usage, hold), price)
          expect(cost).toBeLessThanOrEqual(hold.amount)
          if (cost === hold.amount && cost > 0) exact += 1
        },
      ),
      { numRuns: 2000 },
    )
    // Some reports cost just what was held: the bound is not above them because it is lax.
    expect(exact).toBeGreaterThan(generates ? 1 : 0)
  })
})

/** What a server may write where a figure of tokens should stand. */
const oddFigure = fc.oneof(
  fc.constantFrom<unknown[]>(-1, -0.5, 1.5, 1e300, Number.MAX_SAFE_INTEGER, '7', null, true, [], {}),
  fc.double(),
  fc.nat({ max: 100 }),
)

test.each(Object.keys(SHAPES))(
  '%s: whatever stands where figures should, a charge is a whole amount, never below 0',
  (name) => {
    const price = bookPrices[0] as Price
    const holding = { inputTokens: 1000, outputTokens: 1000 }
    fc.assert(
      fc.property(oddFigure, oddFigure, shares, (input, output, given) => {
        // JSON has no NaN and no infinity: they arrive as null.
        const figures = JSON.parse(JSON.stringify([input, output])) as [number, number]
        const counted = { ...given, input: figures[0], output: figures[1] }
        const usage = (SHAPES[name] as Shape).read(counted)
        for (const figure of [usage.input, usage.output, usage.cachedInput, usage.cacheWrite, usage.reasoning])
          expect([figure, Number.isSafeInteger(figure) && figure >= 0]).toEqual([figure, true])
        const cost = charge(withinHold(usage, holding), price)
        expect(Number.isSafeInteger(cost) && cost >= 0).toBe(true)
      }),
      { numRuns: 500 },
    )
  },
)
