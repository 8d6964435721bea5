/** The law of the budget, from the caller's bytes to the bill: whatever is asked of whom, no bill is above its hold. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cacheLifeOf } from '../../src/budget/prices/cache-life.ts'
import { charge } from '../../src/budget/prices/charge.ts'
import { withinHold } from '../../src/budget/hold/hold.ts'
import { makePrice } from '../../src/budget/prices/make-price.ts'
import { planHold } from '../../src/budget/hold/plan-hold.ts'
import { scheduleOf } from '../../src/budget/prices/price-book.ts'
import { priceAt } from '../../src/budget/prices/price-schedule.ts'
import type { BoundTarget } from '../../src/budget/hold/prompt-rules.ts'
import { UPSTREAM_KINDS } from '../../src/gateway/steps.ts'
import { encodeChatRequest } from '../../src/protocol/openai-chat/encode-request.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { estimateUsage, readUsage } from '../../src/upstream/openai/usage.ts'
import { readGoogleUsage } from '../../src/upstream/google/usage.ts'
import { requests } from '../support/arbitrary-requests.ts'
import { chatRequest, usage } from '../support/fake-steps.ts'
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

test('the requests that the laws are tried on have every kind of content', () => {
  const kinds = new Map<string, number>()
  for (const { messages, tools, format } of fc.sample(requests, { numRuns: 600, seed: 1 })) {
    const found = messages.flatMap((message) => [
      message.role,
      ...(typeof message.content === 'string' || message.content === null
        ? []
        : message.content.map(({ type }) => type)),
      ...(message.role === 'assistant' && message.toolCalls !== undefined ? ['call'] : []),
    ])
    for (const kind of [...found, ...tools.map(() => 'declared'), format === undefined ? 'free' : 'format'])
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  for (const kind of ['user', 'assistant', 'tool', 'text', 'image', 'audio', 'call', 'declared', 'free', 'format'])
    expect([kind, (kinds.get(kind) ?? 0) > 20]).toEqual([kind, true])
})

test('no bill is above its hold, for any kind, price, content and report of usage', async () => {
  let held = 0
  await fc.assert(
    fc.asyncProperty(
      requests,
      targets,
      reports,
      fc.option(fc.integer({ min: 1, max: 10_000_000_000 }), { nil: undefined }),
      fc.nat({ max: 2_000_000 }),
      fc.record({ ttl: fc.constantFrom(undefined, '5m' as const, '1h' as const), lowersCap: fc.boolean() }),
      async (plain, { kind, hosted, isHosted, contextTokens }, report, left, received, { ttl, lowersCap }) => {
        const request = ttl === undefined ? plain : marked(plain, ttl)
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
        const hold = await planHold({ request, target, price, remaining, signal, lowersCap }, undefined)
        if (hold.kind === 'refused') return
        held += 1
        if (remaining !== undefined) expect(hold.amount).toBeLessThanOrEqual(remaining)
        const prompt = Buffer.byteLength(renderingFor(target)(request))
        const output = (hold.outputCap ?? 1000) * request.n
        const seen = { requestBytes: sentBytes(request), contentChunks: 0, contentBytes: received }
        // Anthropic writes to its cache what a marker asks for; of others nothing is known.
        const life = cacheLifeOf(request, target)
        const written = life === 'none' ? 0 : (report?.written ?? 0)
        const read =
          report === undefined
            ? estimateUsage(seen)
            : kind === 'google'
              ? readGoogleUsage(googleReport(prompt, output, report), seen)
              : (readUsage(
                  {
                    prompt_tokens: Math.ceil((prompt * report.input) / 100),
                    completion_tokens: Math.ceil((output * report.output) / 100),
                    prompt_tokens_details: { cached_tokens: report.cached, cache_write_tokens: written },
                  },
                  seen,
                ) ?? estimateUsage(seen))
        const billed = life === 'any' ? { ...read, cacheWrite1h: read.cacheWrite } : read
        expect(charge(withinHold(billed, hold), price)).toBeLessThanOrEqual(hold.amount)
      },
    ),
    { numRuns: 600 },
  )
  // The law is of no use if everything is refused.
  expect(held).toBeGreaterThan(300)
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

/** With a last message that the provider is to cache, as long as its size says. */
function marked(request: ChatRequest, ttl: '5m' | '1h'): ChatRequest {
  const last = { role: 'user', content: [{ type: 'text', text: 'so far', cache: { ttl } }] } as const
  const messages = [...request.messages, last]
  return { ...request, messages, bodyBytes: request.bodyBytes + JSON.stringify(last).length }
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

test('a hold at Anthropic covers every way to bill the cache that its markers allow, and is no larger than the dearest of them', async () => {
  const price = priceAt(scheduleOf('anthropic', 'claude-opus-4-5'), AT.getTime()) ?? OWN
  const target = {
    kind: 'anthropic',
    model: 'claude-opus-4-5',
    contextTokens: undefined,
    extraBody: {},
    upstream: 'u',
  } as const
  const signal = new AbortController().signal
  for (const ttl of [undefined, '5m', '1h'] as const) {
    const plain = chatRequest({ maxOutputTokens: 1 })
    const request = ttl === undefined ? plain : marked(plain, ttl)
    const hold = await planHold({ request, target, price, remaining: undefined, signal }, undefined)
    if (hold.kind === 'refused') throw new Error('refused')
    const input = hold.inputTokens
    const written = ttl === undefined ? 0 : input
    const dearest = { ...usage(input, 1), cacheWrite: written, ...(ttl === '1h' ? { cacheWrite1h: written } : {}) }
    expect(charge(dearest, price)).toBe(hold.amount)
    for (const less of [
      { ...dearest, cachedInput: input, cacheWrite: 0, cacheWrite1h: 0 },
      { ...dearest, cacheWrite: Math.floor(written / 2), cacheWrite1h: 0 },
    ])
      expect(charge(less, price)).toBeLessThanOrEqual(hold.amount)
  }
})
