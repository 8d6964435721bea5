/** What every driver of the ledger promises: `describe.each(drivers)('the %s ledger', ledgerContract)`. */
import { expect, onTestFinished, test } from 'vitest'
import { NOTE, reservation, type LedgerDriver, type OpenDriver } from './ledger-drivers.ts'

export function ledgerContract(_name: string, open: OpenDriver): void {
  const start = async (): Promise<LedgerDriver> => {
    const driver = await open()
    onTestFinished(() => driver.close())
    return driver
  }

  test('admits what fits exactly and refuses one more, saying which book and what stands in it', async () => {
    const { ledger } = await start()
    expect(await ledger.reserve(reservation('a', 1000))).toEqual({ kind: 'admitted' })
    await ledger.settle('a', [400])
    expect(await ledger.reserve(reservation('b', 600))).toEqual({ kind: 'admitted' })
    expect(await ledger.reserve(reservation('c', 1))).toEqual({
      kind: 'refused',
      book: 'task',
      limit: 1000,
      amount: 1,
      balance: { settled: 400, held: 600, unresolved: 0 },
      isHeldOnly: true,
    })
  })

  test('says that waiting cannot help when the money is really gone', async () => {
    const { ledger } = await start()
    await ledger.reserve(reservation('a', 900))
    await ledger.settle('a', [900])
    expect(await ledger.reserve(reservation('b', 101))).toMatchObject({ kind: 'refused', isHeldOnly: false })
  })

  test('holds in all books or in none', async () => {
    const { ledger } = await start()
    const lines = [
      { book: 'task', amount: 600, limit: 1000 },
      { book: 'key', amount: 600, limit: 500 },
    ]
    expect(await ledger.reserve(reservation('a', lines))).toMatchObject({
      kind: 'refused',
      book: 'key',
      isHeldOnly: false,
    })
    expect(await ledger.balance('task')).toEqual({ settled: 0, held: 0, unresolved: 0 })
    expect(await ledger.balance('key')).toEqual({ settled: 0, held: 0, unresolved: 0 })
  })

  test('admits of 200 reservations at once exactly as many as fit', async () => {
    const { ledger } = await start()
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, i) => ledger.reserve({ ...reservation(`p${i}`, 50), sendsAtOnce: true })),
    )
    expect(results.filter((each) => each.kind === 'admitted')).toHaveLength(20)
    expect(await ledger.balance('task')).toEqual({ settled: 0, held: 1000, unresolved: 0 })
  })

  test('takes a repeated reservation for the same one, and another amount for a conflict', async () => {
    const { ledger } = await start()
    const [first, second] = await Promise.all([
      ledger.reserve(reservation('a', 600)),
      ledger.reserve(reservation('a', 600)),
    ])
    expect([first.kind, second.kind]).toEqual(['admitted', 'replayed'])
    expect(await ledger.reserve(reservation('a', 600))).toEqual({ kind: 'replayed' })
    expect(await ledger.reserve(reservation('a', 601))).toEqual({ kind: 'conflict' })
    expect(await ledger.balance('task')).toMatchObject({ held: 600 })
  })

  test('never goes back: what is settled can be neither voided nor left open', async () => {
    const { ledger } = await start()
    await ledger.reserve(reservation('a', 600))
    await ledger.settle('a', [1])
    expect(await ledger.void('a')).toEqual({ kind: 'conflict' })
    expect(await ledger.unresolve('a')).toEqual({ kind: 'conflict' })
    expect(await ledger.sent('a')).toEqual({ kind: 'conflict' })
    expect(await ledger.settle('a', [1])).toEqual({ kind: 'same' })
    expect(await ledger.settle('a', [2])).toEqual({ kind: 'conflict' })
    expect(await ledger.balance('task')).toEqual({ settled: 1, held: 0, unresolved: 0 })
  })

  test('keeps what is unresolved as spent until it is settled late, and never gives it back', async () => {
    const { ledger } = await start()
    await ledger.reserve(reservation('a', 600))
    expect(await ledger.unresolve('a')).toEqual({ kind: 'conflict' })
    await ledger.sent('a')
    await ledger.unresolve('a')
    expect(await ledger.void('a')).toEqual({ kind: 'conflict' })
    expect(await ledger.reserve(reservation('b', 500))).toMatchObject({ kind: 'refused', isHeldOnly: false })
    expect(await ledger.settle('a', [200])).toEqual({ kind: 'done', exceeded: [] })
    expect(await ledger.reserve(reservation('b', 500))).toEqual({ kind: 'admitted' })
  })

  test('books a cost above its hold in full and names the book', async () => {
    const { ledger } = await start()
    await ledger.reserve(reservation('a', 100, 100))
    expect(await ledger.settle('a', [150])).toEqual({ kind: 'done', exceeded: ['task'] })
    expect(await ledger.balance('task')).toEqual({ settled: 150, held: 0, unresolved: 0 })
    expect(await ledger.reserve(reservation('b', 0, 100))).toMatchObject({ kind: 'refused', isHeldOnly: false })
  })

  test.each([NaN, Infinity, -1, 0.5, '1' as unknown as number])('books nothing for %s', async (amount) => {
    const { ledger } = await start()
    expect(await ledger.reserve(reservation('a', amount))).toMatchObject({ kind: 'invalid' })
    expect(await ledger.reserve(reservation('b', 1, amount))).toMatchObject({ kind: 'invalid' })
    await ledger.reserve(reservation('c', 5))
    expect(await ledger.settle('c', [amount])).toMatchObject({ kind: 'invalid' })
    expect(await ledger.balance('task')).toEqual({ settled: 0, held: 5, unresolved: 0 })
  })

  test('refuses amounts that leave the safe integers, with a limit and without', async () => {
    const { ledger } = await start()
    expect(await ledger.reserve(reservation('a', 2 ** 60))).toMatchObject({ kind: 'refused' })
    const unlimited = (amount: number): readonly [{ book: string; amount: number; limit: undefined }] => [
      { book: 'day', amount, limit: undefined },
    ]
    expect(await ledger.reserve(reservation('b', unlimited(Number.MAX_SAFE_INTEGER)))).toEqual({ kind: 'admitted' })
    expect(await ledger.reserve(reservation('c', unlimited(1)))).toMatchObject({ kind: 'refused' })
  })

  test('does not take two lines on one book for two books', async () => {
    const { ledger } = await start()
    const lines = [
      { book: 'task', amount: 600, limit: 1000 },
      { book: 'task', amount: 600, limit: 1000 },
    ]
    expect(await ledger.reserve(reservation('a', lines))).toMatchObject({ kind: 'invalid' })
    expect(await ledger.balance('task')).toMatchObject({ held: 0 })
  })

  test('knows nothing of an attempt that was never reserved', async () => {
    const { ledger } = await start()
    expect(await ledger.settle('zz', [100])).toEqual({ kind: 'unknown' })
    expect(await ledger.void('zz')).toEqual({ kind: 'unknown' })
    expect(await ledger.sent('zz')).toEqual({ kind: 'unknown' })
  })

  test('after a crash gives back what was never sent, keeps what was sent as spent, and forgets nothing settled', async () => {
    const first = await open()
    if (first.crash === undefined) return first.close()
    await first.ledger.reserve(reservation('settled', 100))
    await first.ledger.settle('settled', [70])
    await first.ledger.reserve(reservation('reserved', 200))
    await first.ledger.reserve({ ...reservation('sent', 300), sendsAtOnce: true })
    await first.ledger.reserve(reservation('voided', 5))
    await first.ledger.void('voided')
    const second = await first.crash()
    expect(await second.ledger.balance('task')).toEqual({ settled: 70, held: 0, unresolved: 300 })
    const third = await (second.crash as NonNullable<typeof second.crash>)()
    onTestFinished(() => third.close())
    expect(await third.ledger.balance('task')).toEqual({ settled: 70, held: 0, unresolved: 300 })
    expect(await third.ledger.settle('sent', [250])).toEqual({ kind: 'done', exceeded: [] })
    expect(await third.ledger.balance('task')).toEqual({ settled: 320, held: 0, unresolved: 0 })
  })

  test('on a full disk refuses new reservations, holds nothing for them, and goes on when there is room', async () => {
    const { ledger, disk } = await start()
    if (disk === undefined) return
    await ledger.reserve({ ...reservation('a', 600), sendsAtOnce: true })
    await disk.fill()
    // Many rows, so that SQLite needs a new page whatever room the last one has.
    const refused = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        ledger.reserve({ ...reservation(`b${i}`, 1), note: { ...NOTE, upstream: 'x'.repeat(400) } }),
      ),
    )
    expect(new Set(refused.map((each) => each.kind))).toEqual(new Set(['unavailable']))
    expect(await ledger.balance('task')).toEqual({ settled: 0, held: 600, unresolved: 0 })
    await ledger.settle('a', [100])
    await disk.free()
    expect(await ledger.reserve(reservation('c', 100))).toEqual({ kind: 'admitted' })
    expect(await ledger.balance('task')).toEqual({ settled: 100, held: 100, unresolved: 0 })
  })
}
