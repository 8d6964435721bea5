import fc from 'fast-check'
import { expect, test } from 'vitest'
import { retentionSteps } from '../../../src/budget/upkeep/retention.ts'
import { verifyLedger } from '../../../src/budget/upkeep/verify-ledger.ts'
import { upkeepWorld, type TestAttempt, type UpkeepWorld } from '../../support/upkeep-world.ts'

const DAYS = ['2026-06-30', '2026-07-01', '2026-07-31', '2026-08-01', '2026-08-02', '2026-09-01']
const GROUPINGS = ['day', 'tenant', 'key', 'type', 'model'].flatMap((one, index, all) => [
  [one],
  ...all.slice(index + 1).map((other) => [one, other]),
])

const attempt: fc.Arbitrary<TestAttempt> = fc.record({
  day: fc.constantFrom(...DAYS),
  tenant: fc.constantFrom('acme', 'globex/%'),
  key: fc.constantFrom('ci', 'cd'),
  task: fc.constantFrom(undefined, 't1', 't2'),
  type: fc.constantFrom('default', 'server-run'),
  model: fc.constantFrom('paid', 'dear'),
  hold: fc.integer({ min: 0, max: 2000 }),
  end: fc.oneof(
    fc.record({ cost: fc.integer({ min: 0, max: 3000 }) }),
    fc.constantFrom<TestAttempt['end']>('void', 'unresolved', undefined),
  ),
})

/** As they are made: a day never comes back. */
const history = fc
  .array(attempt, { maxLength: 300 })
  .map((attempts) => attempts.toSorted((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0)))

async function inWorld(work: (world: UpkeepWorld) => Promise<void>): Promise<void> {
  const world = upkeepWorld()
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

function retain(world: UpkeepWorld, before: string): number {
  const evict = (books: ReadonlySet<string>): ReadonlySet<string> => {
    world.ledger.books.evict(({ id }) => books.has(id))
    return new Set([...books].filter((book) => !world.ledger.books.knows(book)))
  }
  const idleBefore = Date.parse(before)
  return [...retentionSteps(world.db, { before, idleBefore, evict, isLive: () => false })].length
}

test('totals by every grouping are the same before and after old attempts have folded, and everything adds up', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.constantFrom(...DAYS), fc.constantFrom(...DAYS), async (attempts, first, second) => {
      await inWorld(async (world) => {
        await world.add(attempts)
        const before = GROUPINGS.map((by) => world.totals(...by))
        const open = world.count('attempts', 'state < 3')
        for (const day of [first, second]) {
          retain(world, day)
          expect(GROUPINGS.map((by) => world.totals(...by))).toEqual(before)
          expect(world.count('attempts', `state >= 3 AND day < '${day}'`)).toBe(0)
          expect(world.count('attempts', 'state < 3')).toBe(open)
          expect(verifyLedger(world.db).problems).toEqual([])
        }
        const kept = attempts.filter(({ day, end }) => day >= first && day >= second && typeof end === 'object')
        expect(world.count('attempts', 'state = 3')).toBe(kept.length)
      })
    }),
    { numRuns: 40 },
  )
})

test('what was unresolved for longer than attempts are kept is settled late, counts on its day, and then folds too', async () => {
  await inWorld(async (world) => {
    await world.add([{ day: '2026-07-01', tenant: 'acme', key: 'ci', end: 'unresolved' }])
    retain(world, '2026-09-01')
    expect(world.count('attempts')).toBe(1)
    world.ledger.settle('req_1/1', [700, 700, 700])
    await world.ledger.written()
    retain(world, '2026-09-01')
    expect([world.count('attempts'), world.totals('day')]).toEqual([0, { '2026-07-01': '1 0 0 700' }])
    expect(verifyLedger(world.db).problems).toEqual([])
  })
})

test('an ended task and its books go with its last attempt; one that is paused, open or recent stays', async () => {
  await inWorld(async (world) => {
    const one = (task: string, day: string, end: TestAttempt['end']): TestAttempt => ({
      day,
      tenant: 'acme',
      key: 'ci',
      task,
      end,
    })
    await world.add([
      one('old', '2026-06-30', { cost: 5 }),
      one('paused', '2026-06-30', { cost: 5 }),
      one('unresolved', '2026-07-01', 'unresolved'),
      one('recent', '2026-09-01', { cost: 5 }),
    ])
    const paused = JSON.parse(world.ledger.read('task', 'acme/paused') as string) as object
    world.ledger.write('task', 'acme/paused', JSON.stringify({ ...paused, state: 'paused_budget' }))
    await world.ledger.written()
    retain(world, '2026-09-01')
    const left = world.db.prepare("SELECT id FROM documents WHERE kind = 'task'").all()
    expect(left.map(({ id }) => id)).toEqual(['acme/paused', 'acme/recent', 'acme/unresolved'])
    const books = world.db.prepare("SELECT id FROM books WHERE id LIKE 'task:usd:%'").all()
    expect(books.map(({ id }) => id)).toEqual(['task:usd:acme/paused', 'task:usd:acme/recent'])
    expect(world.count('books', "id LIKE '%:2026-06%'")).toBe(0)
    expect(verifyLedger(world.db).problems).toEqual([])
  })
})

test('work is cut into transactions of at most 100 rows', async () => {
  await inWorld(async (world) => {
    const attempts = Array.from({ length: 1050 }, () => ({
      day: '2026-07-01',
      tenant: 'acme',
      key: 'ci',
      end: { cost: 1 },
    }))
    await world.add(attempts)
    expect(retain(world, '2026-07-02')).toBeGreaterThanOrEqual(11)
    expect(world.count('attempts')).toBe(0)
  })
})
