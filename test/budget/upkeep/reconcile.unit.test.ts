import { expect, onTestFinished, test } from 'vitest'
import { JournaledLedger } from '../../../src/budget/ledger/journaled-ledger.ts'
import { heldBy, Reconciler } from '../../../src/budget/upkeep/reconcile.ts'
import { SqliteJournal } from '../../../src/budget/ledger/sqlite-journal.ts'
import { verifyLedger } from '../../../src/budget/upkeep/verify-ledger.ts'
import { toNanoUsd } from '../../../src/shared/money.ts'
import { openLedger } from '../../support/ledger-drivers.ts'
import { upkeepWorld, type UpkeepWorld } from '../../support/upkeep-world.ts'

const DAY = '2026-11-25'
const NOW = Date.parse('2026-11-26T10:00:00Z')

async function world(): Promise<UpkeepWorld & { readonly reconciler: Reconciler }> {
  const made = upkeepWorld()
  onTestFinished(() => made.close())
  await made.add([
    { day: DAY, tenant: 'acme', key: 'ci', task: 't', hold: 1000, end: 'unresolved' },
    { day: DAY, tenant: 'acme', key: 'ci', hold: 300, end: 'unresolved' },
    { day: DAY, tenant: 'acme', key: 'ci', hold: 200, end: undefined },
    { day: DAY, tenant: 'acme', key: 'ci', hold: 100, end: { cost: 40 } },
  ])
  return { ...made, reconciler: reconcilerOf(made.ledger, made) }
}

function reconcilerOf(ledger: JournaledLedger, { db }: Pick<UpkeepWorld, 'db'>): Reconciler {
  const all = db.prepare('SELECT text FROM documents WHERE kind = ?')
  return new Reconciler({
    ledger,
    documents: (kind) => (all.all(kind) as { text: string }[]).map(({ text }) => text),
    wallNow: () => NOW,
  })
}

const at = (id: string, cost: number, tokens?: { input: number; output: number }) => ({
  id,
  cost: toNanoUsd(cost),
  evidence: 'invoice 7, line 3',
  tokens,
})

test('only unresolved attempts are listed, with what is held for them', async () => {
  const { reconciler } = await world()
  expect(reconciler.unresolved().map(({ id, hold, task }) => [id, hold, task])).toEqual([
    ['req_1/1', 1000, 't'],
    ['req_2/1', 300, undefined],
  ])
  expect(heldBy(reconciler.unresolved())).toBe(1300)
})

test('a settlement books its cost in every book of money, keeps the evidence, and frees the rest of the hold', async () => {
  const { reconciler, ledger, db, totals } = await world()
  expect(await reconciler.settle([at('req_1/1', 250, { input: 7, output: 3 })], 'root', false)).toEqual([
    { id: 'req_1/1', outcome: 'settled', hold: 1000, cost: 250 },
  ])
  expect(ledger.balance('task:usd:acme/t')).toEqual({ settled: 250, held: 0, unresolved: 0 })
  expect(ledger.balance(`key:usd:${DAY}:ci`)).toEqual({ settled: 290, held: 200, unresolved: 300 })
  expect(ledger.balance('task:tokens:acme/t').settled).toBe(10)
  expect(ledger.balance('task:calls:acme/t').settled).toBe(1)
  expect(totals('day')).toEqual({ [DAY]: '2 17 23 290' })
  expect(verifyLedger(db).problems).toEqual([])
  expect(reconciler.evidence()).toMatchObject([
    { id: 'req_1/1', cost: 250, hold: 1000, evidence: 'invoice 7, line 3', by: 'root', settledMs: NOW, task: 't' },
  ])
})

test('without known tokens what was held of them counts as used, and none where nothing was billed', async () => {
  const { reconciler, ledger } = await world()
  await reconciler.settle([at('req_1/1', 1)], 'root', false)
  expect(ledger.balance('task:tokens:acme/t')).toEqual({ settled: 50, held: 0, unresolved: 0 })
  const other = await world()
  await other.reconciler.settle([at('req_1/1', 0)], 'root', false)
  expect(other.ledger.balance('task:tokens:acme/t').settled).toBe(0)
  expect(other.ledger.balance('task:usd:acme/t')).toEqual({ settled: 0, held: 0, unresolved: 0 })
  expect(other.count('attempts', "id = 'req_1/1' AND state = 3 AND cost = 0")).toBe(1)
})

test('repeated it books nothing, also in another process; another amount for it is refused', async () => {
  const first = await world()
  await first.reconciler.settle([at('req_1/1', 250)], 'root', false)
  const db = openLedger(first.path)
  onTestFinished(() => db.close())
  const ledger = new JournaledLedger(new SqliteJournal(db), { defer: setImmediate })
  const reconciler = reconcilerOf(ledger, { db })
  const results = await reconciler.settle([at('req_1/1', 250), at('req_2/1', 300)], 'root', false)
  expect(results.map(({ outcome }) => outcome)).toEqual(['same', 'settled'])
  const again = await reconciler.settle([at('req_1/1', 251)], 'root', false)
  expect(again).toEqual([
    { id: 'req_1/1', outcome: 'refused', reason: 'it was settled with other evidence before, which stays' },
  ])
  expect(ledger.balance('task:usd:acme/t').settled).toBe(250)
})

test('a request under way, a settled one, an unknown one and the same one twice are refused', async () => {
  const { reconciler, ledger } = await world()
  const ids = ['req_3/1', 'req_4/1', 'nobody/1', 'req_1/1', 'req_1/1']
  const results = await reconciler.settle(
    ids.map((id) => at(id, 5)),
    'root',
    false,
  )
  expect(results.map((each) => (each.outcome === 'refused' ? each.reason : each.outcome))).toEqual([
    'it is sent, not unresolved',
    'no unresolved attempt has this id',
    'no unresolved attempt has this id',
    'settled',
    'it stands in the list twice',
  ])
  expect(ledger.balance(`tenant:usd:${DAY}:acme`)).toEqual({ settled: 45, held: 200, unresolved: 300 })
})

test('a trial says what would be and changes nothing', async () => {
  const { reconciler, ledger } = await world()
  const before = ledger.balance('task:usd:acme/t')
  expect(await reconciler.settle([at('req_1/1', 5)], 'root', true)).toMatchObject([{ outcome: 'settled', cost: 5 }])
  expect(ledger.balance('task:usd:acme/t')).toEqual(before)
  expect([reconciler.unresolved().length, reconciler.evidence()]).toEqual([2, []])
})

test('where the disk is full it says so, and books and evidence are written together later', async () => {
  const { reconciler, db, ledger } = await world()
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
  db.exec(`PRAGMA max_page_count=${pages}`)
  const long = { ...at('req_1/1', 250), evidence: 'x'.repeat(20_000) }
  await expect(reconciler.settle([long], 'root', false)).rejects.toThrow('cannot be written')
  db.exec('PRAGMA max_page_count=1000000')
  await ledger.close()
  expect(verifyLedger(db)).toMatchObject({ unresolved: 1, problems: [] })
  expect(reconciler.evidence().map(({ cost }) => cost)).toEqual([250])
})
