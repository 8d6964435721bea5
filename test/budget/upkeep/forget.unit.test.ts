import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FORGOTTEN, forgetSteps, type Forgotten } from '../../../src/budget/upkeep/forget.ts'
import { verifyLedger } from '../../../src/budget/upkeep/verify-ledger.ts'
import { upkeepWorld, type TestAttempt, type UpkeepWorld } from '../../support/upkeep-world.ts'

const NAMES = {
  tenant: 'tenant-with-a-name',
  key: 'key-with-a-name',
  task: 'task-with-a-name',
  type: 'type-with-a-name',
}

function forget(world: UpkeepWorld, keys?: ReadonlySet<string>): Forgotten {
  world.db.exec('PRAGMA secure_delete=ON')
  const count: Forgotten = { attempts: 0, tasks: 0, totals: 0 }
  const evict = (books: ReadonlySet<string>): ReadonlySet<string> => {
    world.ledger.books.evict(({ id }) => books.has(id))
    return new Set([...books].filter((book) => !world.ledger.books.knows(book)))
  }
  for (const _ of forgetSteps(world.db, { subject: { tenant: NAMES.tenant, keys }, evict, count })) continue
  return count
}

const attempt: fc.Arbitrary<TestAttempt> = fc.record({
  day: fc.constantFrom('2026-07-31', '2026-08-01', '2026-09-01'),
  tenant: fc.constantFrom(NAMES.tenant, 'globex'),
  key: fc.constantFrom(NAMES.key, 'shared'),
  task: fc.constantFrom(undefined, NAMES.task),
  type: fc.constantFrom('default', NAMES.type),
  model: fc.constantFrom('paid', 'dear'),
  end: fc.oneof(fc.record({ cost: fc.integer({ min: 0, max: 900 }) }), fc.constant<TestAttempt['end']>('void')),
})

test('what a forgotten tenant has cost stays in the totals of days and models, no other tenant changes, and all adds up', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(attempt, { maxLength: 60 }), fc.boolean(), async (attempts, isUser) => {
      const world = upkeepWorld()
      try {
        await world.add(attempts)
        const before = [world.totals('day'), world.totals('model'), world.totals('day', 'model')]
        const others = (): object =>
          Object.entries(world.totals('tenant', 'key')).filter(([name]) => name.startsWith('globex'))
        const othersBefore = others()
        const tenants = world.totals('tenant')
        const mine = attempts.filter(({ tenant, key }) => tenant === NAMES.tenant && (!isUser || key === NAMES.key))
        const count = forget(world, isUser ? new Set([NAMES.key]) : undefined)
        expect(count.attempts).toBe(mine.length)
        expect([world.totals('day'), world.totals('model'), world.totals('day', 'model')]).toEqual(before)
        expect(others()).toEqual(othersBefore)
        if (isUser) expect(world.totals('tenant')).toEqual(tenants)
        else expect(world.totals('tenant')[FORGOTTEN]).toBe(tenants[NAMES.tenant])
        expect(verifyLedger(world.db).problems).toEqual([])
        expect(forget(world, isUser ? new Set([NAMES.key]) : undefined).attempts).toBe(0)
      } finally {
        await world.close()
      }
    }),
    { numRuns: 60 },
  )
})

test('no name of a forgotten tenant is left in any byte of the file', async () => {
  const world = upkeepWorld()
  try {
    const mine: TestAttempt = { ...NAMES, day: '2026-08-01', end: { cost: 7 } }
    await world.add([
      ...Array.from({ length: 250 }, () => mine),
      { ...mine, tenant: 'globex', key: 'other', task: 'x', type: 'y' },
    ])
    const bytes = (): Buffer => {
      world.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      return readFileSync(world.path)
    }
    const before = bytes()
    for (const name of Object.values(NAMES)) expect(before.includes(name)).toBe(true)
    expect(forget(world)).toMatchObject({ attempts: 250, tasks: 1 })
    const after = bytes()
    expect(Object.values(NAMES).filter((name) => after.includes(name))).toEqual([])
    expect(after.includes('globex')).toBe(true)
  } finally {
    await world.close()
  }
})

test("of a user those tasks go that nobody else's keys have worked on", async () => {
  const world = upkeepWorld()
  try {
    const one = (key: string, task: string): TestAttempt => ({
      ...NAMES,
      key,
      task,
      day: '2026-08-01',
      end: { cost: 7 },
    })
    await world.add([one(NAMES.key, 'mine'), one(NAMES.key, 'ours'), one('other', 'ours'), one('other', 'theirs')])
    expect(forget(world, new Set([NAMES.key]))).toMatchObject({ attempts: 2, tasks: 1 })
    const left = world.db.prepare("SELECT id FROM documents WHERE kind = 'task'").all()
    expect(left.map(({ id }) => id)).toEqual([`${NAMES.tenant}/ours`, `${NAMES.tenant}/theirs`])
    expect(world.totals('tenant', 'key')).toEqual({
      [`${NAMES.tenant} ${FORGOTTEN}`]: '2 20 40 14',
      [`${NAMES.tenant} other`]: '2 20 40 14',
    })
    expect(verifyLedger(world.db).problems).toEqual([])
  } finally {
    await world.close()
  }
})
