import { expect, test } from 'vitest'
import type { BoundOf } from '../../src/budget/hold/bound-of.ts'
import type { SendOutcome } from '../../src/gateway/steps.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { budgetWorld } from '../support/budget-world.ts'
import { target, usage } from '../support/fake-steps.ts'
import { RecordingJournal } from '../support/recording-journal.ts'

const usd = (limit: number) => ({ limits: { usd: toNanoUsd(limit) } })
const failed = (billing: 'none' | 'used' | 'unknown', used = usage(1, 1)): SendOutcome => ({
  kind: 'failed',
  error: new SwitchyardError('upstream_error', 'no'),
  contentSent: billing === 'used',
  usage: billing === 'used' ? used : undefined,
  billing,
  fallback: true,
})

test('an answer is booked with the price that was in force when it was held, whatever the target costs by then', async () => {
  const world = budgetWorld(usd(1000))
  const price = { inputPerM: toNanoUsd(1_000_000), outputPerM: toNanoUsd(1_000_000), source: 'test', revision: 'test' }
  const changing = { ...target('m'), price }
  const { hold } = await world.hold('t', 1, changing)
  changing.price = { ...price, inputPerM: toNanoUsd(10_000_000) }
  expect(await world.budget.settle(hold, { kind: 'complete', usage: usage(20, 0) })).toEqual({ cost: 20 })
})

test('a bill above its hold is booked in full, counted and named', async () => {
  const world = budgetWorld(usd(1000))
  const { hold } = await world.hold('t')
  expect(await world.budget.settle(hold, { kind: 'complete', usage: usage(50, 20) })).toEqual({ cost: 250 })
  expect(world.exceeded).toEqual([{ held: 100, cost: 250 }])
  expect(world.tasks.spent(world.tasks.get('default', 't'))).toBe(250)
})

test('usage that was reported of a broken answer is booked as it is; our own count grows by what is in flight, within the hold', async () => {
  const world = budgetWorld(usd(10_000))
  const first = await world.hold('t')
  await world.budget.settle(first.hold, failed('used', usage(3, 1)))
  expect(world.ledger.balance('task:usd:default/t').settled).toBe(13)
  const second = await world.hold('t')
  await world.budget.settle(second.hold, failed('used', { ...usage(500, 1), estimated: true }))
  // 10 tokens in and 10 out are what the hold pays for: 10 x 1 + 10 x 10.
  expect(world.ledger.balance('task:usd:default/t')).toEqual({ settled: 13 + 110, held: 0, unresolved: 0 })
})

test.each([
  ['openai', 'gpt-5.1', 100],
  ['openai', 'o4-mini', 100],
  ['google', 'gemini-2.5-pro', 100],
  ['vllm', 'gpt-5-of-somebody', 0],
  ['openai', 'gpt-4o', 0],
] as const)(
  'our own count of a broken answer of %s %s is no upper count where a model thinks unseen',
  async (kind, model, unresolved) => {
    const world = budgetWorld(usd(10_000))
    const { hold } = await world.hold('t', 1, { ...target('m'), kind, model })
    await world.budget.settle(hold, failed('used', { ...usage(5, 1), estimated: true }))
    expect(world.ledger.balance('task:usd:default/t').unresolved).toBe(unresolved)
    const reported = await world.hold('t', 2, { ...target('m'), kind, model })
    await world.budget.settle(reported.hold, failed('used', usage(5, 1)))
    expect(world.ledger.balance('task:usd:default/t').unresolved).toBe(unresolved)
  },
)

test.each([
  ['none', { settled: 0, held: 0, unresolved: 0 }],
  ['unknown', { settled: 0, held: 0, unresolved: 100 }],
] as const)('a failure that billed %s leaves %j', async (billing, balance) => {
  const world = budgetWorld(usd(1000))
  const { hold } = await world.hold('t')
  expect(await world.budget.settle(hold, failed(billing))).toEqual({ cost: 0 })
  expect(world.ledger.balance('task:usd:default/t')).toEqual(balance)
})

test('each further try is an attempt of its own, and there is none where the budget has no room for it', async () => {
  const world = budgetWorld(usd(250))
  const { hold } = await world.hold('t')
  expect(await hold.again?.(failed('unknown'))).toBe(true)
  expect(await hold.again?.(failed('unknown'))).toBe(false)
  await world.budget.settle(hold, failed('unknown'))
  expect(world.ledger.balance('task:usd:default/t')).toEqual({ settled: 0, held: 0, unresolved: 200 })
  await world.ledger.written()
  expect(world.journal.attempts.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'req_1/1 unresolved',
    'req_1/1.2 unresolved',
  ])
  expect(world.alarms).toEqual([])
})

test('who waits for held money is served in the order of arrival', async () => {
  const world = budgetWorld(usd(150), undefined, 5000)
  const first = await world.hold('t')
  const order: number[] = []
  const waiting = [1, 2, 3].map(async (number) => {
    const { hold, release } = await world.hold('t')
    order.push(number)
    await world.budget.settle(hold, failed('none'))
    release()
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(order).toEqual([])
  await world.budget.settle(first.hold, failed('none'))
  await Promise.all(waiting)
  expect(order).toEqual([1, 2, 3])
})

test('who waits learns at once when the money is really gone', async () => {
  const world = budgetWorld(usd(150), undefined, 60_000)
  const { hold } = await world.hold('t')
  const waiting = Promise.all(
    [1, 2, 3].map(() => expect(world.hold('t')).rejects.toMatchObject({ code: 'request_exceeds_remaining' })),
  )
  await new Promise((resolve) => setTimeout(resolve, 10))
  await world.budget.settle(hold, failed('unknown'))
  await waiting
})

test('a caller that leaves while it waits gives its place to the next', async () => {
  const world = budgetWorld(usd(150), undefined, 60_000)
  const first = await world.hold('t')
  const abort = new AbortController()
  const call = { ...first.call, id: 'req_leaver', signal: abort.signal }
  const admission = await world.admitter.admit(call)
  const leaver = expect(
    world.budget.reserve(call, admission, { callId: call.id, number: 1, target: target('m') }),
  ).rejects.toThrow()
  const next = world.hold('t')
  await new Promise((resolve) => setTimeout(resolve, 10))
  abort.abort()
  await leaver
  await world.budget.settle(first.hold, failed('none'))
  expect((await next).hold.amount).toBe(100)
})

test('nothing is sent that cannot be written down, and all goes on when it can', async () => {
  const journal = new RecordingJournal()
  const world = budgetWorld(usd(1000), journal)
  journal.isFull = true
  await expect(world.hold('t')).rejects.toMatchObject({ code: 'ledger_unavailable', status: 503 })
  journal.isFull = false
  expect((await world.hold('t')).hold.amount).toBe(100)
  expect(world.ledger.balance('task:usd:default/t')).toEqual({ settled: 0, held: 100, unresolved: 0 })
})

test('a defect in the middle of sending leaves its hold as spent, once', async () => {
  const world = budgetWorld(usd(1000))
  const { hold } = await world.hold('t')
  await world.budget.settle(hold, failed('unknown'))
  await world.budget.settle(hold, failed('none'))
  expect(world.ledger.balance('task:usd:default/t')).toEqual({ settled: 0, held: 0, unresolved: 100 })
})

test('a limit of tokens leaves room for output that is billed beyond the cap', async () => {
  const beyond: BoundOf = () => ({
    kind: 'hold',
    amount: toNanoUsd(100),
    outputCap: 200,
    inputTokens: 10,
    outputTokens: 250,
    limitedBy: 'model',
  })
  const world = budgetWorld({ limits: { tokens: 150 } }, undefined, 0, beyond)
  const { hold } = await world.hold('t')
  expect(hold.outputCap).toBe(90)
  expect(world.tasks.get('default', 't').books.tokens).toBeDefined()
  expect(world.ledger.balance(world.tasks.get('default', 't').books.tokens).held).toBe(150)
})
