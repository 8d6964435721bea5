import { expect, test } from 'vitest'
import { makePrice } from '../../../src/budget/prices/make-price.ts'
import { outputLimitOf } from '../../../src/shared/output-limit.ts'
import { planHold, type PlanInput } from '../../../src/budget/hold/plan-hold.ts'
import { FirstRefiner, type TokenRefiner } from '../../../src/budget/hold/token-refiner.ts'
import { toNanoUsd } from '../../../src/shared/money.ts'
import { chatRequest, target } from '../../support/fake-steps.ts'

/** Says a number and how often it was asked. */
class FixedRefiner implements TokenRefiner {
  asked = 0
  readonly #tokens: number | undefined

  constructor(tokens: number | undefined) {
    this.#tokens = tokens
  }

  refine(): Promise<number | undefined> {
    this.asked += 1
    return Promise.resolve(this.#tokens)
  }
}

/** 40,000 bytes of text, 10,000 tokens in truth, at 1 nano-dollar per input and 10 per output token. */
function plan(changes: Partial<PlanInput> = {}): PlanInput {
  const content = 'four'.repeat(10_000)
  return {
    request: chatRequest({
      messages: [{ role: 'user', content }],
      bodyBytes: content.length + 60,
      maxOutputTokens: 100,
    }),
    target: target('small'),
    price: makePrice({ inputPerM: toNanoUsd(1_000_000), outputPerM: toNanoUsd(10_000_000) }, 'test'),
    remaining: undefined,
    signal: new AbortController().signal,
    ...changes,
  }
}

test('what fits by its bytes is held at once, and no tokeniser is asked', () => {
  const refiner = new FixedRefiner(10_000)
  const hold = planHold(plan({ remaining: toNanoUsd(1_000_000) }), refiner)
  expect(hold).toMatchObject({ kind: 'hold', outputCap: 100 })
  expect(refiner.asked).toBe(0)
})

test("what does not fit by its bytes is counted by the model's own tokeniser", async () => {
  const refiner = new FixedRefiner(10_000)
  const hold = await planHold(plan({ remaining: toNanoUsd(11_000) }), refiner)
  expect(hold).toMatchObject({ kind: 'hold', amount: 11_000, inputTokens: 10_000 })
  expect(refiner.asked).toBe(1)
})

test('a prompt full of escapes fits by its texts, without a tokeniser', () => {
  const refiner = new FixedRefiner(1)
  const content = '\n'.repeat(10_000)
  const request = chatRequest({ messages: [{ role: 'user', content }], bodyBytes: 20_060, maxOutputTokens: 1 })
  expect(planHold(plan({ request, remaining: toNanoUsd(15_000) }), refiner)).toMatchObject({ kind: 'hold' })
  expect(refiner.asked).toBe(0)
})

test('a cap that money or context cut short is widened by a true count', async () => {
  const { maxOutputTokens: _none, ...request } = plan().request
  const hold = await planHold(plan({ request, remaining: toNanoUsd(45_000) }), new FixedRefiner(10_000))
  expect(hold).toMatchObject({ kind: 'hold', outputCap: 3500 })
})

test("a caller's cap is lowered only after the prompt was counted, and by no more than the count asks for", async () => {
  const { request } = plan()
  const given = plan({ request: { ...request, maxOutputTokens: 5000 }, lowersCap: true })
  const refiner = new FixedRefiner(10_000)
  const whole = await planHold({ ...given, remaining: toNanoUsd(60_000) }, refiner)
  expect(whole).toMatchObject({ outputCap: 5000, limitedBy: 'caller' })
  const less = await planHold({ ...given, remaining: toNanoUsd(45_000) }, refiner)
  expect(less).toMatchObject({ outputCap: 3500, limitedBy: 'lowered' })
  // Also where the bytes would leave an answer that is ample for a caller who names no cap.
  const long = plan({ request: { ...request, maxOutputTokens: 20_000 }, lowersCap: true })
  const ample = await planHold({ ...long, remaining: toNanoUsd(100_000) }, refiner)
  expect(ample).toMatchObject({ outputCap: 9000, limitedBy: 'lowered' })
  expect(refiner.asked).toBe(3)
})

test('where no tokeniser can say, the cheap bound decides', async () => {
  expect(await planHold(plan({ remaining: toNanoUsd(11_000) }), new FixedRefiner(undefined))).toMatchObject({
    kind: 'refused',
  })
  expect(planHold(plan({ remaining: toNanoUsd(11_000) }), undefined)).toMatchObject({ kind: 'refused' })
})

test('a count above the bytes changes nothing: the smaller of two bounds is one', async () => {
  const { maxOutputTokens: _none, ...request } = plan().request
  const given = plan({ request, remaining: toNanoUsd(50_000) })
  expect(await planHold(given, new FixedRefiner(1_000_000))).toEqual(await planHold(given, new FixedRefiner(undefined)))
  expect(await planHold(given, new FixedRefiner(1_000_000))).toMatchObject({ kind: 'hold', limitedBy: 'remaining' })
})

test('a task whose money is gone asks no tokeniser, however often it tries', () => {
  const refiner = new FixedRefiner(1)
  expect(planHold(plan({ remaining: toNanoUsd(900) }), refiner)).toMatchObject({ kind: 'refused' })
  expect(refiner.asked).toBe(0)
})

test('a cap that the context limits to an ample answer is not worth a count', () => {
  const refiner = new FixedRefiner(1)
  const given = plan({ request: chatRequest(), target: target('small', { contextTokens: 8192 }) })
  expect(planHold({ ...given, remaining: toNanoUsd(1_000_000_000) }, refiner)).toMatchObject({ limitedBy: 'context' })
  expect(refiner.asked).toBe(0)
})

test('a cap that may not fit the context is counted, since the engine would refuse it', async () => {
  const { maxOutputTokens: _none, ...request } = plan().request
  const given = plan({
    request,
    target: target('small', { contextTokens: 16_384 }),
    remaining: toNanoUsd(1_000_000_000),
  })
  expect(await planHold(given, new FixedRefiner(10_000))).toMatchObject({ outputCap: 6384, limitedBy: 'context' })
})

test('of several refiners the first that can say decides', async () => {
  const [mute, first, second] = [new FixedRefiner(undefined), new FixedRefiner(10), new FixedRefiner(20)]
  const { request, target, signal } = plan()
  expect(await new FirstRefiner([mute, first, second]).refine(request, target, signal)).toBe(10)
  expect(second.asked).toBe(0)
})

test.each([
  ['gpt-3.5-turbo', 4096],
  ['gpt-4', 8192],
  ['gpt-4-0613', 8192],
  ['gpt-4-turbo', 4096],
  ['gpt-4o', 16_384],
  ['gpt-4o-2024-05-13', 4096],
  ['gpt-4.1-mini', 32_768],
  ['o3', 100_000],
  ['gpt-5.1', 128_000],
  ['claude-3-5-haiku-latest', 8192],
  ['claude-sonnet-4-5', 64_000],
  ['claude-opus-4-1', 32_000],
  ['gemini-2.5-pro', 65_536],
  ['Qwen/Qwen3-8B', undefined],
])('%s accepts caps up to %s', (model, limit) => {
  expect(outputLimitOf(model)).toBe(limit)
})
