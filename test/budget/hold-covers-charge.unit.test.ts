/** The law of the budget, from the caller's bytes to the bill: whatever is asked of whom, no bill is above its hold. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { charge } from '../../src/budget/charge.ts'
import { withinHold } from '../../src/budget/hold.ts'
import { makePrice } from '../../src/budget/make-price.ts'
import { planHold } from '../../src/budget/plan-hold.ts'
import { scheduleOf } from '../../src/budget/price-book.ts'
import { priceAt } from '../../src/budget/price-schedule.ts'
import type { BoundTarget } from '../../src/budget/prompt-rules.ts'
import { UPSTREAM_KINDS } from '../../src/gateway/steps.ts'
import { encodeChatRequest } from '../../src/protocol/openai-chat/encode-request.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { estimateUsage, readUsage } from '../../src/upstream/openai/usage.ts'
import { readGoogleUsage } from '../../src/upstream/google/usage.ts'
import { requests } from '../support/arbitrary-requests.ts'
import { ENGINE_RENDERINGS, OPENAI_RENDERINGS, type Rendering } from '../support/renderings.ts'

const AT = new Date('2026-08-01T00:00:00Z')
const MODELS = [
  ['openai', 'gpt-4o'],
  ['openai', 'gpt-4o-mini'],
  ['openai', 'gpt-5'],
  ['openai', 'o3'],
  ['anthropic', 'claude-sonnet-4-5'],
  ['anthropic', 'claude-3-5-haiku-latest'],
  ['google', 'gemini-2.5-pro'],
] as const
const OWN = makePrice({ inputPerM: toNanoUsd(50_000_001), outputPerM: toNanoUsd(200_000_003) }, 'file')

const targets = fc.record({
  kind: fc.constantFrom(...UPSTREAM_KINDS),
  hosted: fc.constantFrom(...MODELS),
  isHosted: fc.boolean(),
  contextTokens: fc.constantFrom(undefined, 8192, 200_000),
})
/** What an upstream says that it counted, as shares of what it may count, in percent; undefined = it says nothing. */
const reports = fc.option(
  fc.record({ input: fc.nat({ max: 100 }), output: fc.nat({ max: 100 }), cached: fc.nat(), written: fc.nat() }),
  { nil: undefined },
)

test('no bill is above its hold, for any kind, price, content and report of usage', async () => {
  let held = 0
  await fc.assert(
    fc.asyncProperty(
      requests,
      targets,
      reports,
      fc.option(fc.integer({ min: 1, max: 10_000_000_000 }), { nil: undefined }),
      fc.nat({ max: 2_000_000 }),
      async (request, { kind, hosted, isHosted, contextTokens }, report, left, received) => {
        const [provider, model] = hosted
        const price = (isHosted ? priceAt(scheduleOf(provider, model), AT.getTime()) : undefined) ?? OWN
        const target = {
          kind,
          model,
          contextTokens,
          extraBody: {},
          upstream: 'u',
          isHostedOpenAi: isHosted && provider === 'openai',
        }
        const remaining = left === undefined ? undefined : toNanoUsd(left)
        const signal = new AbortController().signal
        const hold = await planHold({ request, target, price, remaining, signal }, undefined)
        if (hold.kind === 'refused') return
        held += 1
        if (remaining !== undefined) expect(hold.amount).toBeLessThanOrEqual(remaining)
        const prompt = Buffer.byteLength(renderingFor(target)(request))
        const output = (hold.outputCap ?? 1000) * request.n
        const seen = { requestBytes: sentBytes(request), contentChunks: 0, contentBytes: received }
        const usage =
          report === undefined
            ? estimateUsage(seen)
            : kind === 'google'
              ? readGoogleUsage(googleReport(prompt, output, report), seen)
              : (readUsage(
                  {
                    prompt_tokens: Math.ceil((prompt * report.input) / 100),
                    completion_tokens: Math.ceil((output * report.output) / 100),
                    prompt_tokens_details: { cached_tokens: report.cached, cache_write_tokens: report.written },
                  },
                  seen,
                ) ?? estimateUsage(seen))
        expect(charge(withinHold(usage, hold), price)).toBeLessThanOrEqual(hold.amount)
      },
    ),
    { numRuns: 300 },
  )
  // The law is of no use if everything is refused.
  expect(held).toBeGreaterThan(150)
})

/** The same shares as Google writes them: thoughts and what its own tools read stand beside, and the total may hold more. */
function googleReport(
  prompt: number,
  output: number,
  report: { readonly input: number; readonly output: number; readonly cached: number; readonly written: number },
): object {
  const input = Math.ceil((prompt * report.input) / 100)
  const out = Math.ceil((output * report.output) / 100)
  const thoughts = report.written % (out + 1)
  const ownTools = report.cached % (input + 1)
  return {
    promptTokenCount: input - ownTools,
    toolUsePromptTokenCount: ownTools,
    cachedContentTokenCount: report.cached,
    thoughtsTokenCount: thoughts,
    ...(report.written % 2 === 0 ? { candidatesTokenCount: out - thoughts } : {}),
    totalTokenCount: input + out,
    promptTokensDetails: [{ modality: 'AUDIO', tokenCount: report.written }],
  }
}

function renderingFor(target: BoundTarget): Rendering {
  const all = target.kind === 'openai' && target.isHostedOpenAi === true ? OPENAI_RENDERINGS : ENGINE_RENDERINGS
  return Object.values(all)[0] as Rendering
}

/** Bytes on the wire, base64 included: what an estimate takes for the prompt. */
function sentBytes(request: Parameters<Rendering>[0]): number {
  const { body } = encodeChatRequest(
    request,
    { kind: 'openai', model: 'm', extraBody: {} },
    { stream: true, outputCap: 100 },
  )
  return Buffer.byteLength(body)
}
