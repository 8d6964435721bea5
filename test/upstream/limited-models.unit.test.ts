/** A model that has said when to come back stands last until then: not waited for, not tried in vain, not forgotten. */
import { expect, test } from 'vitest'
import type { RoutePlan, SendOutcome, Target } from '../../src/gateway/steps.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { LimitedModels } from '../../src/upstream/limited-models.ts'
import { makeCall, plan, ScriptedSender, target, usage } from '../support/fake-steps.ts'

const small = target('small')
const big = target('big', { tier: 'frontier' })
const admission = { taskId: undefined, taskType: 'default' }

function failing(
  code: 'upstream_rate_limited' | 'upstream_overloaded' | 'upstream_error',
  retryAfterMs?: number,
): SendOutcome {
  const error = new SwitchyardError(code, 'no', retryAfterMs === undefined ? {} : { retryAfterMs })
  return { kind: 'failed', error, contentSent: false, usage: undefined, billing: 'none', fallback: true }
}

function world(): {
  send: (to: Target, outcome: SendOutcome) => Promise<unknown>
  planOf: (...targets: [Target, ...Target[]]) => Promise<RoutePlan>
  later: (ms: number) => void
} {
  let now = 1
  const limited = new LimitedModels(() => now)
  return {
    send: (to, outcome) =>
      limited
        .noting(new ScriptedSender({ [to.name]: { outcome } }))
        .send(
          makeCall(),
          { attempt: { callId: 'req_test', number: 1, target: to }, amount: 0 as never, outputCap: undefined },
          { chunk: () => true, drained: () => Promise.resolve() },
        ),
    planOf: async (...targets) => limited.behind({ route: () => plan(targets) }).route(makeCall(), admission),
    later: (ms) => void (now += ms),
  }
}

test.each(['upstream_rate_limited', 'upstream_overloaded'] as const)(
  'after %s with a retry time the model stands last until then, and the reason says so',
  async (code) => {
    const { send, planOf, later } = world()
    await send(small, failing(code, 5000))
    expect(await planOf(small, big)).toMatchObject({ targets: [big, small], reason: 'fallback' })
    later(4999)
    expect((await planOf(small, big)).targets).toEqual([big, small])
    later(1)
    expect(await planOf(small, big)).toMatchObject({ targets: [small, big], reason: 'gain' })
  },
)

test('a model that is alone in its plan is asked all the same', async () => {
  const { send, planOf } = world()
  await send(small, failing('upstream_rate_limited', 5000))
  expect(await planOf(small)).toMatchObject({ targets: [small], reason: 'gain' })
})

test('where all are limited the order stays as it was', async () => {
  const { send, planOf } = world()
  await send(small, failing('upstream_rate_limited', 5000))
  await send(big, failing('upstream_rate_limited', 5000))
  expect(await planOf(small, big)).toMatchObject({ targets: [small, big], reason: 'gain' })
})

test('an answer ends it before its time', async () => {
  const { send, planOf } = world()
  await send(small, failing('upstream_rate_limited', 5000))
  await send(small, { kind: 'complete', usage: usage(1, 1) })
  expect((await planOf(small, big)).targets).toEqual([small, big])
})

test('other failures, and limits without a time, change nothing', async () => {
  const { send, planOf } = world()
  await send(small, failing('upstream_rate_limited'))
  await send(small, failing('upstream_error', 5000))
  expect((await planOf(small, big)).targets).toEqual([small, big])
})

test('two names of one served model are limited together', async () => {
  const { send, planOf } = world()
  await send(small, failing('upstream_rate_limited', 5000))
  const twin = target('twin', { upstream: small.upstream, model: small.model })
  expect((await planOf(twin, big)).targets).toEqual([big, twin])
})
