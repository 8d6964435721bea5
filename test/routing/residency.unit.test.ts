import { describe, expect, test } from 'vitest'
import type { RouteLimits, RoutePlan } from '../../src/gateway/steps.ts'
import { RecentAnswers } from '../../src/routing/answer-memory.ts'
import { createRouter, type ModelRouter } from '../../src/routing/router.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { chatRequest, makeCall, target } from '../support/fake-steps.ts'

const near = target('near', { fallbacks: ['far', 'spare'] })
const spare = target('spare')
const far = target('far', { tier: 'frontier' })
const LOCAL: RouteLimits = { localBy: 'sensitivity.personalData: pin-local', isSteady: false }
const STEADY: RouteLimits = { localBy: undefined, isSteady: true }

let asked = 0
const router: ModelRouter = createRouter({
  targets: new Map([near, spare, far].map((one) => [one.name, one])),
  routes: {
    auto: { small: ['near'], big: ['far'], costQuality: 0.9, fallback: 'cross-tier' },
    both: { small: ['near'], big: ['far', 'spare'], costQuality: 0.9, fallback: 'cross-tier' },
    hosted: { small: [], big: ['far'], costQuality: 0.5, fallback: 'cross-tier' },
  },
  aliases: { other: 'auto' },
  scorer: {
    score: () => {
      asked++
      return 0.9
    },
  },
  answers: new RecentAnswers(),
  requires: () => [],
  now: () => 1,
  random: () => 0.5,
})

function plan(model: string, limits?: RouteLimits): RoutePlan {
  const call = makeCall({ request: chatRequest({ model }), ...(limits === undefined ? {} : { limits }) })
  return router.route(call, { taskId: undefined, taskType: 'default' }) as RoutePlan
}

const names = ({ targets }: RoutePlan): string[] => targets.map(({ name }) => name)

describe('a request that stays local', () => {
  test('goes to the local models of its route alone, whatever its score', () => {
    expect(names(plan('auto'))).toEqual(['far', 'near'])
    expect(plan('auto', LOCAL)).toMatchObject({ reason: 'residency', tier: 'local', targets: [near] })
    expect(plan('both', LOCAL).reason).toBe('residency')
    expect(names(plan('both', LOCAL)).toSorted()).toEqual(['near', 'spare'])
  })

  test('falls back to local models alone', () => {
    expect(names(plan('near'))).toEqual(['near', 'far', 'spare'])
    expect(names(plan('near', LOCAL))).toEqual(['near', 'spare'])
  })

  test.each(['far', 'hosted'])('is refused at %s, and the sentence names the setting', (model) => {
    const refused = (): unknown => plan(model, LOCAL)
    expect(refused).toThrow(SwitchyardError)
    expect(refused).toThrow(/sensitivity\.personalData: pin-local/)
    expect(() => router.firstTarget(model, undefined, LOCAL)).toThrow(SwitchyardError)
  })

  test('is counted by a local model', () => {
    expect(router.firstTarget('both', undefined, LOCAL)).toBe(near)
  })
})

test('suspicious text is not asked for a score, and no model of the other tier stands in', () => {
  asked = 0
  expect(names(plan('auto', STEADY))).toHaveLength(1)
  expect(names(plan('near', STEADY))).toEqual(['near', 'spare'])
  expect(asked).toBe(0)
})

test('a route is known by its name, its modes and its aliases; nothing else is one', () => {
  expect(
    ['auto', 'auto:best', 'other', 'near', 'nothing', 'x'.repeat(500)].map((name) => router.routeOf(name)),
  ).toEqual(['auto', 'auto', 'auto', undefined, undefined, undefined])
})
