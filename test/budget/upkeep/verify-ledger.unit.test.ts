import { expect, onTestFinished, test } from 'vitest'
import { verifyLedger } from '../../../src/budget/upkeep/verify-ledger.ts'
import { upkeepWorld, type UpkeepWorld } from '../../support/upkeep-world.ts'

async function world(): Promise<UpkeepWorld> {
  const made = upkeepWorld()
  onTestFinished(() => made.close())
  await made.add([
    { day: '2026-11-24', tenant: 'acme', key: 'ci', task: 't', end: { cost: 40 } },
    { day: '2026-11-25', tenant: 'acme', key: 'ci', task: 't', end: { cost: 2 } },
    { day: '2026-11-25', tenant: 'acme', key: 'ci', end: 'unresolved' },
  ])
  return made
}

test('a ledger that adds up has no problem, and its sums are told', async () => {
  const { db } = await world()
  expect(verifyLedger(db)).toEqual({ attempts: 3, unresolved: 1, days: 2, books: 8, settled: 42, problems: [] })
})

test.each([
  ['a book that was lowered', "UPDATE books SET settled = 1 WHERE id = 'task:usd:acme/t'", /book task:usd.*checksum/],
  ['a hold that was lowered', "UPDATE attempts SET lines = '0 x\n' WHERE state = 2", /attempt req_3\/1: its checksum/],
  [
    'a hold beside its lines',
    'UPDATE attempts SET hold = 1 WHERE state = 2',
    /req_3\/1: it holds 1, and its books 1000/,
  ],
  [
    'a cost that was changed',
    'UPDATE attempts SET cost = 39 WHERE cost = 40',
    /day 2026-11-24: its total of cost is 40.*39/,
  ],
  ['an attempt that is gone', 'DELETE FROM attempts WHERE cost = 2', /day 2026-11-25: its total of calls is 1.*0/],
  [
    'a total that was changed',
    'UPDATE daily SET cost = 41 WHERE cost = 40',
    /book key:usd:2026-11-24:ci: it says 40, .* 41/,
  ],
  ['a total that is gone', "DELETE FROM daily WHERE day = '2026-11-24'", /its attempts are more than its total/],
  ['a total of another name', "UPDATE daily SET tenant = 'globex'", /book tenant:usd:2026-11-24:globex/],
  ['a book that is gone', "DELETE FROM books WHERE id LIKE 'task:usd:%'", /it says 0, and the task's attempts cost 42/],
  [
    'a month that is gone',
    "DELETE FROM books WHERE id = 'key:usd:2026-11:ci'",
    /2026-11:ci: it says 0, the daily totals 42/,
  ],
  ['a state that cannot be', 'UPDATE attempts SET state = 4 WHERE cost = 2', /state and its figures contradict/],
  ['a ledger of another version', 'PRAGMA user_version = 99', /no ledger of this version/],
])('%s is found', async (_what, damage, problem) => {
  const { db } = await world()
  db.exec(damage)
  expect(verifyLedger(db).problems.join('\n')).toMatch(problem)
})

test('of many problems the first are named and the others counted', async () => {
  const { db, add } = await world()
  await add(Array.from({ length: 80 }, () => ({ day: '2026-11-25', tenant: 'acme', key: 'ci', end: undefined })))
  db.exec('UPDATE attempts SET sum = sum + 1 WHERE state = 1')
  const { problems } = verifyLedger(db)
  expect([problems.length, problems.at(-1)]).toEqual([51, 'and 30 more'])
})
