/** The law of the budget where nobody puts a template around a text: raw prompts with several answers, and embeddings. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inputTokenBound } from '../../src/budget/hold/input-bound.ts'
import { planHold } from '../../src/budget/hold/plan-hold.ts'
import type { BoundTarget } from '../../src/budget/hold/prompt-rules.ts'
import { walkedTokenBound } from '../../src/budget/hold/walked-bound.ts'
import { charge } from '../../src/budget/prices/charge.ts'
import { makePrice } from '../../src/budget/prices/make-price.ts'
import { parseJsonBody } from '../../src/protocol/json.ts'
import { decodeCompletionRequest } from '../../src/protocol/openai-completions/decode-request.ts'
import { decodeEmbeddingRequest } from '../../src/protocol/openai-embeddings/decode-request.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { encodeTgiGenerate } from '../../src/upstream/tgi/encode-generate.ts'
import { text } from '../support/arbitrary-requests.ts'
import { target as sendTarget, usage } from '../support/fake-steps.ts'

const PRICE = makePrice({ inputPerM: toNanoUsd(50_000_001), outputPerM: toNanoUsd(200_000_003) }, 'file')
/** Marks that tokenisers put around each text by themselves: `<s>`, `[CLS]` and `[SEP]`. */
const MARKS = 2

/** What a tokeniser makes of a text at most: a byte each, in its longest form; OpenAI's own do not normalise. */
function most(sample: string, normalises = true): number {
  const forms = normalises ? [sample, sample.normalize('NFC'), sample.normalize('NFKC')] : [sample]
  return Math.max(...forms.map((form) => Buffer.byteLength(form))) + MARKS
}

function decoded(body: object, decode: (body: unknown, options: never) => ChatRequest): ChatRequest | undefined {
  const bytes = Buffer.from(JSON.stringify(body))
  try {
    return decode(parseJsonBody(bytes), { bodyBytes: bytes.length, unknownFields: 'drop' } as never)
  } catch (thrown) {
    // An empty text, a lone surrogate, a list that is too long.
    expect(thrown).toBeInstanceOf(SwitchyardError)
    return undefined
  }
}

function expectBound(request: ChatRequest, target: BoundTarget, tokens: number): void {
  expect(inputTokenBound(request, target).tokens).toBeGreaterThanOrEqual(tokens)
  expect(walkedTokenBound(request, target).tokens).toBeGreaterThanOrEqual(tokens)
}

test.each(['vllm', 'tgi', 'openai'] as const)(
  'a raw prompt at %s, with as many answers as are asked for, is held in full',
  async (kind) => {
    let held = 0
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.record({ n: fc.integer({ min: 1, max: 8 }), max_tokens: fc.integer({ min: 1, max: 5000 }) }),
        fc.boolean(),
        async (prompt, given, hasBestOf) => {
          const body = { model: 'auto', prompt, ...given, ...(hasBestOf ? { best_of: given.n } : {}) }
          const request = decoded(body, decodeCompletionRequest)
          if (request === undefined) return
          const target = { kind, model: 'm', contextTokens: undefined, extraBody: {}, upstream: 'u' } as const
          const tokens = most(prompt)
          expectBound(request, target, tokens)
          const signal = new AbortController().signal
          const hold = await planHold({ request, target, price: PRICE, remaining: undefined, signal }, undefined)
          if (hold.kind === 'refused') throw new Error('there is no limit')
          held += 1
          // Each of the answers has the whole cap, and the prompt counts once, or once for each where a server says so.
          expect(charge(usage(tokens, given.n * given.max_tokens), PRICE)).toBeLessThanOrEqual(hold.amount)
          if (kind !== 'tgi' || given.n > 1) return
          const sent = JSON.parse(
            encodeTgiGenerate(request, sendTarget('m'), { stream: true, outputCap: hold.outputCap }).body,
          ) as { inputs: string; parameters: { max_new_tokens: number } }
          expect([sent.inputs, sent.parameters.max_new_tokens]).toEqual([prompt, given.max_tokens])
        },
      ),
      { numRuns: 200 },
    )
    expect(held).toBeGreaterThan(100)
  },
)

test('inputs of embeddings are held in full, each with the marks around it, as texts or as token ids', async () => {
  const id = fc.nat({ max: 200_000 })
  let held = 0
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(text, fc.array(text, { maxLength: 20 }), fc.array(id, { maxLength: 200 }), fc.array(fc.array(id))),
      fc.constantFrom<BoundTarget['kind'][]>('openai', 'vllm', 'tgi'),
      fc.boolean(),
      async (input, kind, isHostedOpenAi) => {
        const request = decoded({ model: 'auto', input }, decodeEmbeddingRequest)
        if (request?.embed === undefined) return
        const model = 'text-embedding-3-small'
        const target = { kind, model, contextTokens: undefined, extraBody: {}, upstream: 'u', isHostedOpenAi }
        const tokens = request.embed.inputs.reduce(
          (sum, each) =>
            sum + (typeof each === 'string' ? most(each, kind !== 'openai' || !isHostedOpenAi) : each.length + MARKS),
          0,
        )
        expectBound(request, target, tokens)
        const signal = new AbortController().signal
        const hold = await planHold({ request, target, price: PRICE, remaining: undefined, signal }, undefined)
        if (hold.kind === 'refused') throw new Error('there is no limit')
        held += 1
        expect(charge(usage(tokens, 0), PRICE)).toBeLessThanOrEqual(hold.amount)
      },
    ),
    { numRuns: 400 },
  )
  expect(held).toBeGreaterThan(200)
})
