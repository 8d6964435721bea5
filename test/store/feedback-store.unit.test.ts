import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Feedback } from '../../src/gateway/feedback.ts'
import { exportFeedback } from '../../src/store/export-feedback.ts'
import { FEEDBACK_FILE, FeedbackStore, type Decision } from '../../src/store/feedback-store.ts'

function open(most = 1000): { store: FeedbackStore; dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-feedback-'))
  const store = new FeedbackStore(join(dir, FEEDBACK_FILE), most)
  onTestFinished(() => {
    store.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return { store, dir }
}

function decision(id: string, more: Partial<Decision> = {}): Decision {
  return {
    id,
    tenant: 'acme',
    key: 'ci',
    task: undefined,
    atMs: 1000,
    model: 'small',
    tier: 'local',
    reason: 'share',
    intent: 'other',
    score: 0.25,
    result: 'ok',
    escalation: undefined,
    cost: 4500,
    ...more,
  }
}

function said(kind: 'request' | 'task', id: string, quality: number): Feedback {
  return { subject: { kind, id }, quality, success: undefined, isCorrected: false }
}

let made = 0
const newId = (): string => `fb_${++made}`

test('the same content again changes nothing; the last one counts', () => {
  const { store } = open()
  store.note([decision('a')])
  const first = store.give('acme', 'ci', said('request', 'a', 0.5), newId, 10)
  expect(first).toMatchObject({ revision: 1, createdMs: 10, updatedMs: 10, requests: 1 })
  expect(store.give('acme', 'ci', said('request', 'a', 0.5), newId, 20)).toEqual(first)
  const changed = store.give('acme', 'ci', said('request', 'a', 0.75), newId, 30)
  expect(changed).toEqual({ ...first, quality: 0.75, revision: 2, updatedMs: 30 })
})

test('what another tenant was answered is not there, nor is its task', () => {
  const { store, dir } = open()
  store.note([decision('a', { task: 't' })])
  expect(store.give('initech', 'x', said('request', 'a', 0), newId, 10)).toBeUndefined()
  expect(store.give('initech', 'x', said('task', 't', 0), newId, 10)).toBeUndefined()
  expect([...exportFeedback(dir, 'initech', undefined)]).toEqual([])
})

test('feedback on a task speaks of its answers, except of those that have their own', () => {
  const { store, dir } = open()
  store.note([decision('a', { task: 't' }), decision('b', { task: 't' }), decision('c')])
  expect(store.give('acme', 'ci', said('task', 't', 1), newId, 10)?.requests).toBe(2)
  store.give('acme', 'ci', said('request', 'b', 0.25), newId, 10)
  const decisions = [...exportFeedback(dir, 'acme', undefined)].filter(({ type }) => type === 'decision')
  expect(decisions.map(({ id, quality }) => [id, quality])).toEqual([
    ['a', 1],
    ['b', 0.25],
    ['c', null],
  ])
})

test('a tenant with too many loses its oldest answers with their feedback, and no other tenant loses any', () => {
  const { store, dir } = open(100)
  store.note([decision('other', { tenant: 'initech', atMs: 0 }), decision('first', { atMs: 1 })])
  store.give('acme', 'ci', said('request', 'first', 0), newId, 5)
  for (let at = 0; at < 5; at++)
    store.note(Array.from({ length: 100 }, (_, each) => decision(`n${at}-${each}`, { atMs: 100 + at })))
  const kept = [...exportFeedback(dir, 'acme', undefined)]
  expect(kept.length).toBeLessThan(300)
  expect(kept.filter(({ type }) => type === 'feedback')).toEqual([])
  expect(kept.some(({ id }) => id === 'n4-99')).toBe(true)
  expect([...exportFeedback(dir, 'initech', undefined)]).toHaveLength(1)
})

test('who is forgotten takes along what others said of its answers', () => {
  const { store, dir } = open()
  store.note([decision('a', { key: 'anna' }), decision('b', { key: 'bert' })])
  store.give('acme', 'bert', said('request', 'a', 0), newId, 10)
  store.give('acme', 'bert', said('request', 'b', 0), newId, 10)
  while (store.forgetSome('acme', new Set(['anna'])) > 0);
  expect([...exportFeedback(dir, 'acme', undefined)].map(({ type, key }) => [type, key])).toEqual([
    ['decision', 'bert'],
    ['feedback', 'bert'],
  ])
  while (store.forgetSome('acme', undefined) > 0);
  expect([...exportFeedback(dir, 'acme', undefined)]).toEqual([])
})

test('what is older than a moment goes', () => {
  const { store, dir } = open()
  store.note([decision('old', { atMs: 10 }), decision('new', { atMs: 20 })])
  store.give('acme', 'ci', said('request', 'old', 0), newId, 12)
  store.give('acme', 'ci', said('request', 'new', 0), newId, 21)
  while (store.expireSome(15) > 0);
  expect([...exportFeedback(dir, 'acme', undefined)].map(({ id, subject }) => subject ?? id)).toEqual(['new', 'new'])
})
