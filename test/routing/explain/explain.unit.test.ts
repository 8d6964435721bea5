/** An explanation says what the router really does, and what it names as a change really is one. */
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Call, Capability, RouteLimits } from '../../../src/gateway/steps.ts'
import { requires } from '../../../src/protocol/openai-chat/requires.ts'
import { RecentAnswers } from '../../../src/routing/answer-memory.ts'
import { explainRoute } from '../../../src/routing/explain/explain.ts'
import { scoreOf } from '../../../src/routing/gain-score.ts'
import { createRouter, type RouterOptions } from '../../../src/routing/router.ts'
import { loadTrainedScorer } from '../../../src/routing/trained-scorer.ts'
import { makePrice } from '../../../src/budget/prices/make-price.ts'
import { SwitchyardError } from '../../../src/shared/errors.ts'
import { toNanoUsd } from '../../../src/shared/money.ts'
import { requests } from '../../support/arbitrary-requests.ts'
import { chatRequest, makeCall, target } from '../../support/fake-steps.ts'

const ALL = new Set<Capability>(['tools', 'images', 'json_schema', 'logprobs', 'custom_tools'])
const small = target('small', { contextTokens: 8192, capabilities: new Set<Capability>(['tools', 'json_schema']) })
const near = target('near', { contextTokens: 2048 })
const big = target('big', {
  tier: 'frontier',
  contextTokens: 128_000,
  capabilities: ALL,
  price: makePrice({ inputPerM: toNanoUsd(20_000_000), outputPerM: toNanoUsd(100_000_000) }, 'test'),
})
const scorer = loadTrainedScorer(fileURLToPath(new URL('../../../router-models/gain-heads', import.meta.url)))

type Goal = { readonly targetBigShare: number } | { readonly costQuality: number }

function optionsFor(goal: Goal): RouterOptions {
  return {
    targets: new Map([small, near, big].map((each) => [each.name, each])),
    routes: { auto: { small: ['near', 'small'], big: ['big'], fallback: 'cross-tier', ...goal } },
    aliases: {},
    scorer,
    answers: new RecentAnswers(),
    requires,
    now: () => 0,
    random: () => 0.5,
  }
}

const goals: fc.Arbitrary<Goal> = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }).map((targetBigShare) => ({ targetBigShare })),
  fc.double({ min: 0, max: 1, noNaN: true }).map((costQuality) => ({ costQuality })),
)
const limits: fc.Arbitrary<RouteLimits | undefined> = fc.constantFrom(
  undefined,
  { localBy: 'sensitivity', isSteady: false },
  { localBy: undefined, isSteady: true },
)
const calls: fc.Arbitrary<Call> = fc
  .tuple(requests, limits, fc.constantFrom('auto', 'auto:cheap', 'auto:balanced', 'auto:best', 'small', 'big'))
  .map(([request, limit, model]) =>
    makeCall({ request: { ...request, model }, ...(limit === undefined ? {} : { limits: limit }) }),
  )

test('the explained decision is what a router does that has seen nothing', async () => {
  await fc.assert(
    fc.asyncProperty(goals, calls, async (goal, call) => {
      const options = optionsFor(goal)
      const { plan, refusal, side, alternatives } = await explainRoute(options, call)
      let real
      try {
        real = await createRouter(options).route(call, { taskId: undefined, taskType: 'default' })
      } catch (error) {
        expect(refusal).toBeInstanceOf(SwitchyardError)
        expect(refusal?.message).toBe((error as Error).message)
        return
      }
      expect(refusal).toBeUndefined()
      expect(plan?.targets.map(({ name }) => name)).toEqual(real.targets.map(({ name }) => name))
      expect([plan?.reason, plan?.score]).toEqual([real.reason, real.score])
      expect(alternatives.find(({ isChosen }) => isChosen)?.target).toBe(real.targets[0].name)
      if (side !== undefined) expect(side).toBe(real.targets[0].name === 'big' ? 'big' : 'small')
    }),
    { numRuns: 60 },
  )
})

const ASK = 'A train leaves at 9:40 and needs 2 hours and 35 minutes. When does it arrive? Show your steps.'

function ask(changes: Parameters<typeof chatRequest>[0] = {}): Call {
  return makeCall({ request: chatRequest({ messages: [{ role: 'user', content: ASK }], bodyBytes: 400, ...changes }) })
}

describe('of a score that decides', () => {
  test.each([{ targetBigShare: 0.3 }, { targetBigShare: 0.7 }, { costQuality: 0.4 }, { costQuality: 0.7 }])(
    '%j: the threshold parts the sides, and the setting that is named changes the choice',
    async (goal) => {
      const options = optionsFor(goal)
      const { goal: found, score, side, changes } = await explainRoute(options, ask())
      if (found === undefined || found.kind === 'tier' || found.threshold === undefined || score === undefined)
        throw new Error('There is no threshold.')
      expect(score.isUsed).toBe(true)
      expect(side).toBe(score.score >= found.threshold ? 'big' : 'small')
      const named = changes.map((each) => /routes\.auto\.(\w+) (above|below) ([\d.]+)/.exec(each)).find(Boolean)
      const [setting = '', bound = '', value = ''] = named?.slice(1) ?? []
      expect(Object.keys(goal)).toEqual([setting])
      const beyond = Number(value) + (bound === 'above' ? 0.002 : -0.002)
      const changed = await explainRoute(optionsFor({ [setting]: beyond } as unknown as Goal), ask())
      expect(changed.side).not.toBe(side)
    },
  )

  test('worth of the gain less the dearer price has the sign of the choice', async () => {
    for (const costQuality of [0.2, 0.4, 0.6, 0.8]) {
      const { goal, score, side } = await explainRoute(optionsFor({ costQuality }), ask())
      if (goal?.kind !== 'gain' || goal.qualityValue === undefined) throw new Error('There are no dollars.')
      const utility = (score?.score ?? 0) * goal.qualityValue - ((goal.bigPrice ?? 0) - (goal.smallPrice ?? 0))
      expect(side).toBe(utility > 0 ? 'big' : 'small')
    }
  })
})

test('a score that the encoder was asked for is explained with its part', async () => {
  const vector = Float32Array.from({ length: 384 }, (_, i) => Math.sin(i) / 14)
  const asked: string[] = []
  const encoder = {
    state: 'ready',
    load: () => Promise.resolve(),
    embed: (text: string) => {
      asked.push(text)
      return Promise.resolve(vector)
    },
  } as const
  const options = { ...optionsFor({ targetBigShare: 0.5 }), encoder, encoderBand: 0.5 }
  const chat = ask({ messages: [{ role: 'user', content: 'Write a function in Python that sorts a list.' }] })
  const real = await createRouter(options).route(chat, { taskId: undefined, taskType: 'default' })
  const { score, plan } = await explainRoute(options, chat)
  expect(asked.length).toBeGreaterThan(0)
  expect(plan?.score).toBe(real.score)
  expect(score?.contributions.some(({ of }) => of === 'encoder')).toBe(true)
  const sum = score?.contributions.reduce((all, { gain }) => all + gain, 0) ?? 0
  expect(scoreOf(sum)).toBeCloseTo(real.score ?? -1, 6)
})

describe('of a rule that decides', () => {
  const didOf = async (call: Call): Promise<readonly string[]> => {
    const { findings } = await explainRoute(optionsFor({ targetBigShare: 0.3 }), call)
    return findings.filter(({ did }) => did === 'decides' || did === 'refuses').map(({ rule }) => rule)
  }

  test('it is named', async () => {
    const image = { type: 'image', url: 'https://example.com/a.png' } as const
    expect(await didOf(ask())).toEqual(['goal'])
    expect(await didOf(ask({ model: 'small' }))).toEqual(['name'])
    expect(await didOf(ask({ model: 'auto:best' }))).toEqual(['goal'])
    expect(await didOf(ask({ messages: [{ role: 'user', content: [image] }] }))).toEqual(['capability'])
    expect(await didOf({ ...ask(), limits: { localBy: 'sensitivity.secrets', isSteady: false } })).toEqual(['guard'])
    expect(await didOf(ask({ bodyBytes: 5_000_000 }))).toEqual(['capability'])
  })

  test('a score that nobody asked for says so', async () => {
    const { score, goal } = await explainRoute(optionsFor({ costQuality: 0.4 }), ask({ model: 'auto:cheap' }))
    expect(score?.isUsed).toBe(false)
    expect(goal).toEqual({ kind: 'tier', mode: 'cheap' })
  })
})
