/** The law of the budget at Google: what its encoder sends, counted byte by byte, is never billed above the hold. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { charge } from '../../src/budget/prices/charge.ts'
import { withinHold } from '../../src/budget/hold/hold.ts'
import { planHold } from '../../src/budget/hold/plan-hold.ts'
import { scheduleOf } from '../../src/budget/prices/price-book.ts'
import { priceAt } from '../../src/budget/prices/price-schedule.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { outputLimitOf } from '../../src/shared/output-limit.ts'
import { encodeGoogleRequest } from '../../src/upstream/google/encode-request.ts'
import { readGoogleUsage } from '../../src/upstream/google/usage.ts'
import { requests } from '../support/arbitrary-requests.ts'

const AT = Date.parse('2026-08-01T00:00:00Z')
const MODELS = ['gemini-2.5-pro', 'gemini-2.5-flash', 'gemini-2.5-flash-lite'] as const
/** Token guide: 258 tokens a tile of 768 pixels; pictures are scaled to 3,072 pixels, 16 tiles, and 24 with smaller tiles. */
const IMAGE_TOKENS = 24 * 258
/** Audio guide: 32 tokens a second; MP3 has 8 kbit/s at least. */
const AUDIO_TOKENS_PER_BYTE = 32 / 1000

type Fields = Readonly<Record<string, unknown>>
interface Part {
  readonly text?: string
  readonly inlineData?: { readonly mimeType: string; readonly data: string }
}
interface Body {
  readonly systemInstruction?: { readonly parts: readonly Part[] }
  readonly contents: readonly { readonly role: string; readonly parts: readonly Part[] }[]
  readonly tools?: readonly { readonly functionDeclarations?: readonly Fields[] }[]
  readonly generationConfig: { readonly maxOutputTokens?: number; readonly candidateCount?: number } & Fields
}

/** Tokens of a body at a byte each: texts as they are, calls, their results and tools as their JSON. */
function promptTokens({ systemInstruction, contents, tools, generationConfig }: Body): number {
  let tokens = 2
  const count = (text: string): void => void (tokens += Buffer.byteLength(text.normalize('NFKC')))
  const counted = ({ text, inlineData, ...rest }: Part): void => {
    if (text !== undefined) count(text)
    if (inlineData === undefined) {
      if (Object.keys(rest).length > 0) count(JSON.stringify(rest))
    } else if (inlineData.mimeType.startsWith('image/')) tokens += IMAGE_TOKENS
    else tokens += Math.ceil(Buffer.from(inlineData.data, 'base64').length * AUDIO_TOKENS_PER_BYTE)
  }
  for (const part of systemInstruction?.parts ?? []) counted(part)
  for (const { role, parts } of contents) {
    count(`<start_of_turn>${role}\n<end_of_turn>\n`)
    for (const part of parts) counted(part)
  }
  for (const { functionDeclarations = [] } of tools ?? [])
    for (const tool of functionDeclarations) count(JSON.stringify(tool))
  const schema = generationConfig['responseJsonSchema'] ?? generationConfig['responseSchema']
  if (schema !== undefined) count(JSON.stringify(schema))
  return tokens
}

/** The request without what Gemini refuses whatever the prompt is. */
function sayable(request: ChatRequest): ChatRequest {
  const { topLogprobs: _, ...rest } = request
  return { ...rest, sampling: {}, openai: {}, tools: request.tools.filter(({ kind }) => kind === 'function') }
}

test('no bill of Google is above its hold, whatever it reads from its cache, thinks and hears', async () => {
  let held = 0
  await fc.assert(
    fc.asyncProperty(
      requests,
      fc.constantFrom(...MODELS),
      fc.record({ cached: fc.nat({ max: 100 }), output: fc.nat({ max: 100 }), thoughts: fc.nat({ max: 100 }) }),
      fc.constantFrom('TEXT', 'AUDIO', 'IMAGE', 'VIDEO'),
      fc.option(fc.integer({ min: 1, max: 10_000_000_000 }), { nil: undefined }),
      async (plain, model, report, modality, left) => {
        const request = sayable(plain)
        const price = priceAt(scheduleOf('google', model), AT)
        if (price === undefined) throw new Error(`The book has no price for ${model}.`)
        const target = { kind: 'google', model, contextTokens: 1_048_576, extraBody: {}, upstream: 'u' } as const
        const hold = await planHold(
          {
            request,
            target,
            price,
            remaining: left === undefined ? undefined : toNanoUsd(left),
            outputLimit: outputLimitOf(model),
            signal: new AbortController().signal,
          },
          undefined,
        )
        if (hold.kind === 'refused') return
        let body: Body
        try {
          const { body: text } = encodeGoogleRequest(request, target, { stream: true, outputCap: hold.outputCap })
          body = JSON.parse(text) as Body
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SwitchyardError)
          return
        }
        held += 1
        const prompt = promptTokens(body)
        expect(prompt).toBeLessThanOrEqual(hold.inputTokens)
        const { maxOutputTokens: cap, candidateCount = 1 } = body.generationConfig
        const most = cap === undefined ? hold.outputTokens : cap * candidateCount
        expect(most).toBeLessThanOrEqual(hold.outputTokens)
        const output = Math.ceil((most * report.output) / 100)
        const thoughts = Math.floor((output * report.thoughts) / 100)
        const usage = readGoogleUsage(
          {
            promptTokenCount: prompt,
            cachedContentTokenCount: Math.floor((prompt * report.cached) / 100),
            candidatesTokenCount: output - thoughts,
            thoughtsTokenCount: thoughts,
            totalTokenCount: prompt + output,
            promptTokensDetails: [{ modality, tokenCount: prompt }],
          },
          { requestBytes: 0, contentChunks: 0, contentBytes: 0 },
        )
        expect([usage.input, usage.output, usage.estimated]).toEqual([prompt, output, false])
        expect(charge(withinHold(usage, hold), price)).toBeLessThanOrEqual(hold.amount)
      },
    ),
    { numRuns: 400 },
  )
  // The law is of no use if everything is refused.
  expect(held).toBeGreaterThan(40)
})
