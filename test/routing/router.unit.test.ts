import { describe, expect, test } from 'vitest'
import { makePrice } from '../../src/budget/prices/make-price.ts'
import type { Call, Capability, RoutePlan, Target } from '../../src/gateway/steps.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'
import { RecentAnswers } from '../../src/routing/answer-memory.ts'
import { createRouter, type ModelRouter, type RouterOptions } from '../../src/routing/router.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { ANYBODY, chatRequest, makeCall, target } from '../support/fake-steps.ts'

const small = target('small', { contextTokens: 4096, fallbacks: ['spare'] })
const spare = target('spare', { capabilities: new Set<Capability>(['tools']), contextTokens: 8192 })
const big = target('big', {
  tier: 'frontier',
  contextTokens: 128_000,
  capabilities: new Set<Capability>(['tools', 'images']),
  price: makePrice({ inputPerM: toNanoUsd(20_000_000), outputPerM: toNanoUsd(100_000_000) }, 'test'),
})
const unpriced = target('unpriced', { tier: 'frontier', price: undefined, contextTokens: 128_000 })

const ADMITTED = { taskId: undefined, taskType: 'default' }

function router(
  changes: Partial<RouterOptions> = {},
  route: Partial<RouterOptions['routes'][string]> = {},
): ModelRouter {
  let time = 1
  return createRouter({
    targets: named(small, spare, big, unpriced),
    routes: {
      auto: { small: ['small', 'spare'], big: ['big', 'unpriced'], costQuality: 0.5, fallback: 'cross-tier', ...route },
    },
    aliases: { 'old-*': 'small' },
    scorer: { score: () => 0.5 },
    answers: new RecentAnswers(),
    requires: () => [],
    now: () => (time += 2),
    random: () => 0.5,
    ...changes,
  })
}

function named(...targets: readonly Target[]): Map<string, Target> {
  return new Map(targets.map((one) => [one.name, one]))
}

function ask(changes: Partial<ChatRequest> = {}): Call {
  return makeCall({ request: chatRequest(changes) })
}

/** The plan of a router that needed no waiting. */
function planOf(by: ModelRouter, call: Call): RoutePlan {
  const plan = by.route(call, ADMITTED)
  if (plan instanceof Promise) throw new Error('The plan is not there at once.')
  return plan
}

const namesOf = (plan: RoutePlan): string[] => plan.targets.map(({ name }) => name)

describe('a route', () => {
  test('sends a gain that is worth its price to the big tier, then to the rest of it, then to the other tier', () => {
    const plan = planOf(router({ scorer: { score: () => 0.9 } }), ask())
    expect(plan).toMatchObject({ reason: 'gain', score: 0.9, tier: 'frontier', intent: 'other', tookMs: 2 })
    expect(namesOf(plan)).toEqual(['big', 'unpriced', 'small', 'spare'])
  })

  test('sends a gain that is not to the small one', () => {
    const plan = planOf(router({ scorer: { score: () => 0.01 } }), ask())
    expect(plan).toMatchObject({ reason: 'gain', score: 0.01, tier: 'local' })
    expect(namesOf(plan)).toEqual(['small', 'spare', 'big', 'unpriced'])
  })

  test('stays in its tier where it is told to', () => {
    const plan = planOf(router({ scorer: { score: () => 0.01 } }, { fallback: 'tier' }), ask())
    expect(namesOf(plan)).toEqual(['small', 'spare'])
  })

  test('names every model that could answer, with its price for this request', () => {
    const plan = planOf(router({ scorer: { score: () => 0.01 } }), ask({ bodyBytes: 3500, maxOutputTokens: 100 }))
    expect(plan.alternatives()).toEqual([
      { target: 'small', tier: 'local', price: 2000 },
      { target: 'spare', tier: 'local', price: 2000 },
      { target: 'big', tier: 'frontier', price: 30_000 },
      { target: 'unpriced', tier: 'frontier', price: undefined },
    ])
  })

  test('holds its share', () => {
    const held = router({}, { targetBigShare: 0.25 })
    const plans = Array.from({ length: 1000 }, () => planOf(held, ask()))
    const bigs = plans.filter(({ tier }) => tier === 'frontier')
    expect(bigs.length / 1000).toBeCloseTo(0.25, 1)
    expect(new Set(plans.map(({ reason }) => reason))).toEqual(new Set(['share']))
  })

  test.each([
    ['auto:cheap', 'small'],
    ['auto:best', 'big'],
  ])('%s is the caller’s choice of tier and asks no scorer', (model, first) => {
    const plan = planOf(
      router({
        scorer: {
          score: () => {
            throw new Error('asked')
          },
        },
      }),
      ask({ model }),
    )
    expect(plan).toMatchObject({ reason: 'pinned', score: undefined })
    expect(plan.targets[0].name).toBe(first)
  })

  test('lists a model that serves both tiers once', () => {
    const plan = planOf(router({}, { small: ['small'], big: ['big', 'small'] }), ask({ model: 'auto:best' }))
    expect(namesOf(plan)).toEqual(['big', 'small'])
  })
})

describe('rules come before the score', () => {
  const tools = { requires: (): readonly Capability[] => ['tools'] }
  const images = { requires: (): readonly Capability[] => ['images'] }

  test('models that lack something are passed over inside a tier', () => {
    const plan = planOf(router({ ...tools, scorer: { score: () => 0.01 } }), ask())
    expect(namesOf(plan)).toEqual(['spare', 'big'])
    expect(plan.reason).toBe('gain')
  })

  test.each(['auto', 'auto:cheap', 'auto:balanced', 'auto:best'])(
    '%s goes to the only tier that can, and says capability',
    (model) => {
      const plan = planOf(router(images), ask({ model }))
      expect(namesOf(plan)).toEqual(['big'])
      expect(plan).toMatchObject({ reason: 'capability', score: undefined })
    },
  )

  test('a prompt too long for the small tier goes to the big one', () => {
    const plan = planOf(router(), ask({ model: 'auto:cheap', bodyBytes: 100_000 }))
    expect(plan).toMatchObject({ reason: 'capability', tier: 'frontier' })
  })

  test('where a prompt fits nowhere by estimate, the models that it might fit are tried', () => {
    const plan = planOf(router({}, { big: [] }), ask({ bodyBytes: 40_000 }))
    expect(namesOf(plan)).toEqual(['spare'])
  })

  test.each<[string, Partial<RouterOptions>, Partial<ChatRequest>, unknown]>([
    ['audio', { requires: () => ['audio'] }, {}, { code: 'unsupported_parameter', param: 'messages' }],
    ['a schema', { requires: () => ['json_schema'] }, {}, { param: 'response_format' }],
    ['2 MB', {}, { bodyBytes: 2_000_000 }, { code: 'context_length_exceeded', param: 'messages' }],
  ])('%s that no model takes is refused', (_, options, request, error) => {
    expect(() => router(options).route(ask(request), ADMITTED)).toThrow(expect.objectContaining(error as object))
  })
})

describe('a pinned model', () => {
  test('is followed by its fallbacks alone', () => {
    const plan = planOf(router(), ask({ model: 'old-name' }))
    expect(namesOf(plan)).toEqual(['small', 'spare'])
    expect(plan).toMatchObject({ reason: 'pinned', score: undefined, tier: 'local' })
  })

  test('is refused what it cannot do, even where its fallback could', () => {
    const pinned = router({ requires: () => ['tools'] })
    expect(() => pinned.route(ask({ model: 'small' }), ADMITTED)).toThrow(expect.objectContaining({ param: 'tools' }))
  })

  test('leaves out fallbacks that cannot take the request', () => {
    const picky = router({
      targets: named(
        target('first', { fallbacks: ['short', 'long'] }),
        target('short', { contextTokens: 10 }),
        target('long'),
      ),
      routes: { auto: { small: ['first'], big: [], fallback: 'tier' } },
      aliases: {},
    })
    expect(namesOf(planOf(picky, ask({ model: 'first', bodyBytes: 1000 })))).toEqual(['first', 'long'])
  })

  test('that the key may not use is 403', () => {
    const caller = { ...ANYBODY, models: new Set(['auto']) }
    const call = makeCall({ caller, request: chatRequest({ model: 'small' }) })
    expect(() => router().route(call, ADMITTED)).toThrow(expect.objectContaining({ code: 'model_not_allowed' }))
  })
})

describe('a scorer that fails', () => {
  const share = { targetBigShare: 0.3 }

  test.each<[string, () => number | Promise<number>]>([
    [
      'by throwing',
      () => {
        throw new Error('no weights')
      },
    ],
    ['with a number that is none', () => Number.NaN],
    ['by rejecting', () => Promise.reject(new Error('worker gone'))],
  ])('%s leaves the share to chance, and says degraded', async (_, score) => {
    const low = await router({ scorer: { score }, random: () => 0.1 }, share).route(ask(), ADMITTED)
    const high = await router({ scorer: { score }, random: () => 0.9 }, share).route(ask(), ADMITTED)
    expect(low).toMatchObject({ reason: 'degraded', tier: 'frontier', score: undefined })
    expect(high).toMatchObject({ reason: 'degraded', tier: 'local' })
  })

  test('because the caller left ends the request', async () => {
    const leaving = new AbortController()
    const waiting = router({
      scorer: {
        score: (_, signal) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
      },
    }).route(makeCall({ signal: leaving.signal }), ADMITTED)
    leaving.abort(new Error('caller left'))
    await expect(waiting).rejects.toThrow('caller left')
  })

  test('a scorer that takes its time is waited for', async () => {
    const plan = await router({ scorer: { score: () => Promise.resolve(0.9) } }).route(ask(), ADMITTED)
    expect(plan).toMatchObject({ reason: 'gain', score: 0.9 })
  })
})

test('the list of models has routes, models and plain aliases, each with its owner', () => {
  expect(router({ aliases: { 'gpt-4o': 'auto', 'old-*': 'small' } }).listModels()).toEqual([
    { id: 'auto', ownedBy: 'switchyard' },
    { id: 'auto:cheap', ownedBy: 'switchyard' },
    { id: 'auto:balanced', ownedBy: 'switchyard' },
    { id: 'auto:best', ownedBy: 'switchyard' },
    { id: 'small', ownedBy: 'small-upstream' },
    { id: 'spare', ownedBy: 'spare-upstream' },
    { id: 'big', ownedBy: 'big-upstream' },
    { id: 'unpriced', ownedBy: 'unpriced-upstream' },
    { id: 'gpt-4o', ownedBy: 'switchyard' },
  ])
})

test.each<[string, () => unknown, string]>([
  ['a route to nobody', () => router({}, { small: ['nobody'] }), 'routes.auto.small: there is no model nobody'],
  ['an empty route', () => router({}, { small: [], big: [] }), 'routes.auto: it names no model'],
  [
    'a fallback to nobody',
    () => router({ targets: named(small, big, unpriced), routes: {}, aliases: {} }),
    'models.small.fallbacks: there is no model spare',
  ],
])('%s is a mistake found at start', (_, make, message) => {
  expect(make).toThrow(message)
})
