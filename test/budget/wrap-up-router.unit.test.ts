import { expect, test } from 'vitest'
import { WrapUpRouter } from '../../src/budget/wrap-up-router.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { makeCall, plan, target } from '../support/fake-steps.ts'

const price = (perM: number) => ({
  inputPerM: toNanoUsd(perM),
  outputPerM: toNanoUsd(perM),
  source: 'test',
  revision: 'test',
})
const dear = target('dear', { price: price(9), tier: 'frontier' })
const cheap = target('cheap', { price: price(1) })
const unpriced = target('unpriced', { price: undefined })

test('the last request of a task goes to the cheapest model of its plan, any other where the router says', async () => {
  const router = new WrapUpRouter({ route: () => plan([dear, unpriced, cheap], { tier: 'frontier' }) })
  const admission = { taskId: 't', taskType: 'default' }
  expect((await router.route(makeCall(), admission)).targets).toEqual([dear, unpriced, cheap])
  expect(await router.route(makeCall(), { ...admission, isWrapUp: true })).toMatchObject({
    targets: [cheap, dear, unpriced],
    tier: 'local',
    reason: 'budget',
  })
})
