import { mkdtempSync, rmSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JournaledLedger } from '../../src/budget/ledger/journaled-ledger.ts'
import type { Reservation } from '../../src/budget/ledger/ledger.ts'
import { SqliteJournal } from '../../src/budget/ledger/sqlite-journal.ts'
import { verifyLedger } from '../../src/budget/upkeep/verify-ledger.ts'
import { openLedger, reservation } from '../support/ledger-drivers.ts'

const LIMIT = 1000
const BOOK = 'task:usd:acme/fix-42'
/** The books of a call as the service names them, so that totals can be checked against them. */
const BOOKS = [BOOK, 'key:usd:2026-11-25:ci', 'key:usd:2026-11:ci', 'tenant:usd:2026-11-25:acme']

function linesOf(amount: number): Reservation['lines'] {
  return BOOKS.map((book) => ({ book, amount, limit: book === BOOK ? LIMIT : undefined }))
}

type Step =
  | { readonly kind: 'reserve'; readonly amount: number }
  | { readonly kind: 'settle' | 'void' | 'unresolve'; readonly which: number; readonly share: number }
  | { readonly kind: 'written' }
  | { readonly kind: 'kill' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('reserve' as const), amount: fc.integer({ min: 1, max: 700 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('settle' as const, 'settle' as const, 'void' as const, 'unresolve' as const),
      which: fc.nat(50),
      share: fc.integer({ min: 0, max: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'written' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'kill' as const }) },
)

/** A process with its connection; what is waited for is written at once, the rest when its turn comes or never. */
function start(path: string): { readonly db: DatabaseSync; readonly ledger: JournaledLedger } {
  const db = openLedger(path)
  const ledger = new JournaledLedger(new SqliteJournal(db), {
    defer: (flush, isWaitedFor) => void (isWaitedFor && setImmediate(flush)),
  })
  return { db, ledger }
}

test('killed at any moment, a ledger that reopens never passes a limit, never forgets what was sent, and adds up', async () => {
  let kills = 0
  let admitted = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const dir = mkdtempSync(join(tmpdir(), 'switchyard-killed-'))
      const opened: DatabaseSync[] = []
      try {
        const path = join(dir, 'ledger.sqlite')
        let process = start(path)
        opened.push(process.db)
        /** Attempts that were sent, with what they hold; `truth` = what a settlement said, known to the provider whatever we forget. */
        const sent = new Map<string, { readonly amount: number; truth: number | undefined; isVoid: boolean }>()
        let next = 0
        const all: Step[] = [...steps, { kind: 'kill' }]
        for (const each of all) {
          switch (each.kind) {
            case 'reserve': {
              const id = `attempt-${next++}`
              const result = await process.ledger.reserve({
                ...reservation(id, linesOf(each.amount)),
                sendsAtOnce: true,
              })
              if (result.kind !== 'admitted') break
              admitted += 1
              sent.set(id, { amount: each.amount, truth: undefined, isVoid: false })
              break
            }
            case 'settle':
            case 'void':
            case 'unresolve': {
              const open = [...process.ledger.books.open()]
              const attempt = open[each.which % Math.max(1, open.length)]
              if (attempt === undefined) break
              const known = sent.get(attempt.id)
              if (known === undefined) break
              if (each.kind === 'settle') {
                const cost = Math.floor((known.amount * each.share) / 100)
                process.ledger.settle(
                  attempt.id,
                  BOOKS.map(() => cost),
                )
                known.truth = cost
              } else if (each.kind === 'void') known.isVoid = process.ledger.void(attempt.id).kind === 'done'
              else process.ledger.unresolve(attempt.id)
              break
            }
            case 'written':
              await process.ledger.written()
              break
            case 'kill': {
              kills += 1
              process = start(path)
              opened.push(process.db)
              await process.ledger.written()
              const { settled, held, unresolved } = process.ledger.balance(BOOK)
              expect(held).toBe(0)
              expect(settled + unresolved).toBeLessThanOrEqual(LIMIT)
              // What the provider bills is counted, to the last unit.
              let billed = 0
              for (const { truth, isVoid, amount } of sent.values()) billed += isVoid ? 0 : (truth ?? amount)
              expect(settled + unresolved).toBeGreaterThanOrEqual(billed)
              expect(verifyLedger(process.db).problems).toEqual([])
              break
            }
            default:
              each satisfies never
          }
        }
      } finally {
        for (const db of opened) db.close()
        rmSync(dir, { recursive: true, force: true })
      }
    }),
    { numRuns: 60 },
  )
  expect(kills).toBeGreaterThanOrEqual(60)
  expect(admitted).toBeGreaterThan(60)
})
