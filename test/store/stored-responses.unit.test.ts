import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { KeptResponse } from '../../src/protocol/dialect.ts'
import { exportResponses } from '../../src/store/export-responses.ts'
import { RESPONSES_FILE } from '../../src/store/response-store.ts'
import { forgetResponses, StoredResponses } from '../../src/stored-responses.ts'

let dir: string
let nowMs = 1_000_000
let events: Readonly<Record<string, unknown>>[]
const open: StoredResponses[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'switchyard-responses-'))
  nowMs = 1_000_000
  events = []
})
afterEach(() => {
  for (const each of open.splice(0)) each.close()
  rmSync(dir, { recursive: true, force: true })
})

function stored(): StoredResponses {
  const made = new StoredResponses({ dataDir: dir, wallNow: () => nowMs, onEvent: (event) => events.push(event) })
  open.push(made)
  return made
}
const acme = { tenant: 'acme', key: 'ci', mayStore: true }

function response(id: string, previousId?: string): KeptResponse {
  return {
    id,
    previousId,
    input: [{ id: `in_${id}`, text: `question ${id}` }],
    output: [{ id: `out_${id}`, text: `answer ${id}` }],
    body: JSON.stringify({ id }),
  }
}

test('a conversation is the chain of its responses, oldest first, and its size in bytes', () => {
  const memory = stored().memoryOf(acme)
  for (const [id, previous] of [['a'], ['b', 'a'], ['c', 'b'], ['x', 'a']] as [string, string?][])
    expect(memory.keep(response(id, previous))).toBe(true)
  const found = memory.conversation('c')
  expect(found?.items.map((item) => item['id'])).toEqual(['in_a', 'out_a', 'in_b', 'out_b', 'in_c', 'out_c'])
  expect(found?.bytes).toBe(found?.items.reduce((sum, item) => sum + JSON.stringify(item).length, 0))
  expect(
    stored()
      .inputItems('acme', 'c')
      ?.map((item) => item['id']),
  ).toEqual(['in_a', 'out_a', 'in_b', 'out_b', 'in_c'])
})

test('a tenant finds nothing of another, not even through a chain', () => {
  const service = stored()
  service.memoryOf(acme).keep(response('a'))
  const other = service.memoryOf({ ...acme, tenant: 'umbra' })
  other.keep(response('b', 'a'))
  expect(other.conversation('a')).toBeUndefined()
  expect(other.conversation('b')).toBeUndefined()
  expect(other.item('out_a')).toBeUndefined()
  expect(service.body('umbra', 'a')).toBeUndefined()
  expect(service.remove('umbra', 'a')).toBe(false)
  expect(service.body('acme', 'a')).toBe('{"id":"a"}')
})

test('what was deleted takes its items along, and ends the conversations that rest on it', () => {
  const service = stored()
  const memory = service.memoryOf(acme)
  memory.keep(response('a'))
  memory.keep(response('b', 'a'))
  expect(service.remove('acme', 'a')).toBe(true)
  expect(memory.item('out_a')).toBeUndefined()
  expect(memory.conversation('b')).toBeUndefined()
  expect(service.body('acme', 'b')).toBe('{"id":"b"}')
})

test('only what is older than a moment expires, however much it is', async () => {
  const service = stored()
  const memory = service.memoryOf(acme)
  for (let n = 0; n < 45; n++) memory.keep(response(`old${n}`))
  nowMs += 10
  memory.keep(response('new'))
  expect(await service.expire(nowMs)).toBe(45)
  expect(service.body('acme', 'old44')).toBeUndefined()
  expect(service.body('acme', 'new')).toBe('{"id":"new"}')
})

test('a tenant, or the keys of one user, can be forgotten, and exported before', async () => {
  const service = stored()
  service.memoryOf(acme).keep(response('a'))
  service.memoryOf({ ...acme, key: 'ann' }).keep(response('b'))
  service.memoryOf({ ...acme, tenant: 'umbra' }).keep(response('c'))
  const exported = [...exportResponses(dir, 'acme', new Set(['ann']))]
  expect(exported).toEqual([
    { key: 'ann', at: new Date(nowMs).toISOString(), input: response('b').input, response: { id: 'b' } },
  ])
  expect(await service.forget('acme', new Set(['ann']))).toBe(1)
  expect(service.body('acme', 'b')).toBeUndefined()
  expect(service.body('acme', 'a')).toBeDefined()
  expect(await forgetResponses(dir, 'acme', undefined)).toBe(1)
  expect([...exportResponses(dir, 'acme', undefined)]).toEqual([])
  expect(service.body('umbra', 'c')).toBeDefined()
})

test('a damaged file stores nothing, says so once, and reads are an error of ours', () => {
  writeFileSync(join(dir, RESPONSES_FILE), 'This is no database. '.repeat(500))
  const service = stored()
  const memory = service.memoryOf(acme)
  expect(memory.mayStore).toBe(false)
  expect(memory.keep(response('a'))).toBe(false)
  expect(() => memory.conversation('a')).toThrow(expect.objectContaining({ code: 'responses_unavailable' }) as Error)
  expect(events).toMatchObject([{ event: 'responses', what: 'cannot be stored' }])
})

test('a full disk keeps nothing of the response, and is no error for who asks', () => {
  const service = stored()
  const memory = service.memoryOf(acme)
  expect(memory.keep(response('a'))).toBe(true)
  // The second half of a write fails, as where the disk fills up in between.
  const db = new DatabaseSync(join(dir, RESPONSES_FILE))
  db.exec("CREATE TRIGGER full BEFORE INSERT ON items BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END")
  db.close()
  expect(memory.keep(response('b'))).toBe(false)
  expect(service.body('acme', 'b')).toBeUndefined()
  expect(service.body('acme', 'a')).toBeDefined()
  expect(events).toHaveLength(1)
})
