import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FeedbackKeeper } from '../../src/feedback-keeper.ts'
import type { Feedback } from '../../src/gateway/feedback.ts'
import { FEEDBACK_FILE } from '../../src/store/feedback-store.ts'
import { finishedRequest } from '../support/finished-request.ts'

const CALLER = { tenant: 'acme', key: 'ci' }

function setup(before?: (path: string) => void): { keeper: FeedbackKeeper; path: string; events: unknown[] } {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-feedback-'))
  const path = join(dir, FEEDBACK_FILE)
  before?.(path)
  const events: unknown[] = []
  const keeper = new FeedbackKeeper({ dataDir: dir, wallNow: () => 1000, onEvent: (event) => events.push(event) })
  onTestFinished(() => {
    keeper.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return { keeper, path, events }
}

function bad(id: string): Feedback {
  return { subject: { kind: 'request', id }, quality: 0, success: false, isCorrected: false }
}

test('makes no file before there is feedback on an answer of its own', () => {
  const { keeper, path } = setup()
  for (const id of ['a', 'b']) keeper.finished(finishedRequest({ id }))
  expect(keeper.give(CALLER, bad('unknown'))).toBeUndefined()
  expect(keeper.give({ tenant: 'initech', key: 'x' }, bad('a'))).toBeUndefined()
  expect(existsSync(path)).toBe(false)
  expect(keeper.give(CALLER, bad('a'))).toMatchObject({ revision: 1 })
  expect(existsSync(path)).toBe(true)
  expect(keeper.give(CALLER, bad('b'))).toMatchObject({ revision: 1 })
})

test('what is in memory only is bounded, and forgotten with its tenant', async () => {
  const { keeper } = setup()
  for (let at = 0; at < 10_001; at++) keeper.finished(finishedRequest({ id: `r${at}` }))
  expect(keeper.give(CALLER, bad('r0'))).toBeUndefined()
  await keeper.forget('acme', undefined)
  expect(keeper.give(CALLER, bad('r10000'))).toBeUndefined()
})

test('a request that reached no model has no answer to speak of', () => {
  const { keeper } = setup()
  keeper.finished(finishedRequest({ id: 'a', attempts: 0, tier: undefined }))
  expect(keeper.give(CALLER, bad('a'))).toBeUndefined()
})

test('a file that cannot be read costs feedback only, and is said once', () => {
  const { keeper, events } = setup((path) =>
    writeFileSync(path, 'this is no database, whatever its name says'.repeat(50)),
  )
  keeper.finished(finishedRequest({ id: 'a' }))
  for (let at = 0; at < 2; at++)
    expect(() => keeper.give(CALLER, bad('a'))).toThrow(expect.objectContaining({ code: 'feedback_unavailable' }))
  expect(events).toHaveLength(1)
})
