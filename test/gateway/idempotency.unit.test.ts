import { expect, test } from 'vitest'
import { IdempotencyMemory } from '../../src/cache/idempotency-memory.ts'
import { answerOnce } from '../../src/gateway/idempotency.ts'
import type { AnswerSink } from '../../src/gateway/steps.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { RecordingSink, text, usage } from '../support/fake-steps.ts'

const HEAD = {
  tier: 'local',
  upstream: 'gpu',
  reason: 'gain',
  cache: 'bypass',
  attempts: 1,
  simulated: false,
  taskId: undefined,
  dropped: [],
} as const

/** A run that counts itself and answers when it is let go. */
function countedRun(outcome: 'close' | 'fail'): {
  run: (sink: AnswerSink) => Promise<void>
  go: () => void
  runs: () => number
} {
  let runs = 0
  const gate = Promise.withResolvers<void>()
  return {
    run: async (sink) => {
      runs += 1
      sink.prepare(HEAD)
      await gate.promise
      if (outcome === 'fail') {
        sink.fail(new SwitchyardError('upstream_error', 'no'))
        return
      }
      sink.chunk(text('Hello'))
      sink.close(usage(1, 2), toNanoUsd(21))
    },
    go: gate.resolve,
    runs: () => runs,
  }
}

test('the same key and body joins the running answer and replays the finished one, at cost 0', async () => {
  const store = new IdempotencyMemory()
  const sinks = [new RecordingSink(), new RecordingSink(), new RecordingSink()] as const
  const { run, go, runs } = countedRun('close')

  const first = answerOnce(store, 'acme\nk1', 'body', sinks[0], run)
  const joined = answerOnce(store, 'acme\nk1', 'body', sinks[1], run)
  go()
  await Promise.all([first, joined])
  await answerOnce(store, 'acme\nk1', 'body', sinks[2], run)

  expect(runs()).toBe(1)
  expect(sinks.map((sink) => sink.text)).toEqual(['Hello', 'Hello', 'Hello'])
  expect(sinks.map((sink) => sink.cost)).toEqual([21, 0, 0])
  expect(sinks[1].head).toMatchObject({ tier: 'cache', cache: 'join' })
})

test('another body under the same key is a conflict', async () => {
  const store = new IdempotencyMemory()
  const { run, go } = countedRun('close')
  go()
  await answerOnce(store, 'acme\nk1', 'body', new RecordingSink(), run)

  await expect(answerOnce(store, 'acme\nk1', 'other body', new RecordingSink(), run)).rejects.toMatchObject({
    code: 'idempotency_conflict',
  })
})

test('after a failed first try one of those who waited runs, and only one', async () => {
  const store = new IdempotencyMemory()
  const failing = countedRun('fail')
  const working = countedRun('close')
  const sinks = [new RecordingSink(), new RecordingSink(), new RecordingSink()] as const

  const first = answerOnce(store, 'k', 'body', sinks[0], failing.run)
  const others = [
    answerOnce(store, 'k', 'body', sinks[1], working.run),
    answerOnce(store, 'k', 'body', sinks[2], working.run),
  ]
  failing.go()
  working.go()
  await Promise.all([first, ...others])

  expect(failing.runs()).toBe(1)
  expect(working.runs()).toBe(1)
  expect(sinks.map((sink) => sink.end)).toEqual(['failed', 'closed', 'closed'])
})

test('two tenants may use the same key', async () => {
  const store = new IdempotencyMemory()
  const { run, go, runs } = countedRun('close')
  go()
  await answerOnce(store, 'acme\nk', 'body', new RecordingSink(), run)
  await answerOnce(store, 'other\nk', 'other body', new RecordingSink(), run)
  expect(runs()).toBe(2)
})
