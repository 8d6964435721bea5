/** Retention, forgetting, checks and backups of books in Redis, against the same done to the ledger of a gateway on its own. */
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { spawn } from 'node:child_process'
import type { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { FORGOTTEN, forgetSteps } from '../../src/budget/upkeep/forget.ts'
import { loadRedisLedger } from '../../src/budget/redis/load-redis-ledger.ts'
import { forgetInRedis } from '../../src/budget/redis/redis-forget.ts'
import { LeaseTaken, UpkeepLease } from '../../src/budget/redis/redis-lease.ts'
import { rootOf } from '../../src/budget/redis/redis-scripts.ts'
import { retentionSteps } from '../../src/budget/upkeep/retention.ts'
import { verifyLedger } from '../../src/budget/upkeep/verify-ledger.ts'
import { beginBooksFrom } from '../../src/store/redis-admin.ts'
import { NO_REDIS, startRedis, type RedisServer } from '../support/redis-server.ts'
import { everythingIn, joinRedisUpkeepWorld, redisUpkeepWorld } from '../support/redis-upkeep-world.ts'
import { upkeepWorld, type TestAttempt, type UpkeepWorld } from '../support/upkeep-world.ts'

const TENANTS = ['acme', 'glob{ex}']
const ALL = [...TENANTS, FORGOTTEN]
const RETAINER = fileURLToPath(new URL('../support/redis-retainer.ts', import.meta.url))
const CUT = '2026-08-15'

const attempt: fc.Arbitrary<TestAttempt> = fc
  .record({
    day: fc.constantFrom('2026-07-31', '2026-08-01', '2026-08-15', '2026-09-01'),
    tenant: fc.constantFrom(...TENANTS),
    key: fc.constantFrom('ci', 'dev'),
    task: fc.constantFrom(undefined, undefined, 't1', 't2'),
    type: fc.constantFrom('default', 'review'),
    model: fc.constantFrom('paid', 'dear'),
    end: fc.oneof(
      { weight: 5, arbitrary: fc.record({ cost: fc.integer({ min: 0, max: 2000 }) }) },
      { weight: 1, arbitrary: fc.constant<TestAttempt['end']>('void') },
      { weight: 1, arbitrary: fc.constant<TestAttempt['end']>('unresolved') },
    ),
  })
  // A key belongs to one tenant.
  .map((each) => ({ ...each, key: `${each.key}-of-${TENANTS.indexOf(each.tenant)}` }))

describe.skipIf(NO_REDIS !== undefined)(`with a real Redis${NO_REDIS === undefined ? '' : ` (${NO_REDIS})`}`, () => {
  let server: RedisServer
  let admin: Redis
  beforeAll(async () => {
    server = await startRedis()
    admin = server.client()
  })
  afterAll(() => server.remove())

  const evict = (world: UpkeepWorld) => (books: ReadonlySet<string>) => {
    world.ledger.books.evict(({ id }) => books.has(id))
    return new Set([...books].filter((book) => !world.ledger.books.knows(book)))
  }
  const checked = (db: DatabaseSync): readonly string[] => {
    expect(verifyLedger(db).problems).toEqual([])
    return everythingIn(db, ALL)
  }
  /** In order of their days, as they come in a file. */
  const inOrder = (attempts: readonly TestAttempt[]): readonly TestAttempt[] =>
    attempts.toSorted((a, b) => a.day.localeCompare(b.day))

  test('what is kept, and what is left after retention, is what a gateway on its own keeps, and adds up', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 80 }), async (attempts) => {
        const file = upkeepWorld()
        const redis = await redisUpkeepWorld(server, admin)
        try {
          await file.add(inOrder(attempts))
          await redis.add(inOrder(attempts))
          const before = await redis.copy()
          expect(checked(before)).toEqual(checked(file.db))
          const options = { before: CUT, idleBefore: Infinity, evict: evict(file), isLive: () => false }
          for (const _ of retentionSteps(file.db, options)) continue
          await redis.retain(CUT)
          const after = await redis.copy()
          expect(checked(after)).toEqual(checked(file.db))
          // Once more: nothing changes.
          await redis.retain(CUT)
          expect(checked(await redis.copy())).toEqual(checked(after))
        } finally {
          redis.die()
          await file.close()
        }
      }),
      { numRuns: 25 },
    )
  })

  test('who is forgotten leaves the same sums under no name as in a file, and no name anywhere', async () => {
    const ended = fc.array(
      attempt.filter(({ end }) => end !== 'unresolved'),
      { maxLength: 60 },
    )
    await fc.assert(
      fc.asyncProperty(ended, fc.boolean(), fc.boolean(), async (attempts, isUser, isTidied) => {
        const file = upkeepWorld()
        const redis = await redisUpkeepWorld(server, admin)
        try {
          await file.add(inOrder(attempts))
          await redis.add(inOrder(attempts))
          const options = { before: CUT, idleBefore: Infinity, evict: evict(file), isLive: () => false }
          if (isTidied) for (const _ of retentionSteps(file.db, options)) continue
          if (isTidied) await redis.retain(CUT)
          const subject = { tenant: 'acme', keys: isUser ? new Set(['ci-of-0']) : undefined }
          const count = { attempts: 0, tasks: 0, totals: 0 }
          for (const _ of forgetSteps(file.db, { subject, evict: evict(file), count })) continue
          if ((await redis.link.command('SISMEMBER', ['switchyard:tenants', 'acme'])) === '1') {
            const lease = await UpkeepLease.take(redis.link, 'test', 'acme')
            const gone = await forgetInRedis(redis.link, lease as UpkeepLease, subject, () => Promise.resolve())
            expect(gone).toMatchObject(count)
            if (isUser) await lease?.drop()
          }
          expect(checked(await redis.copy())).toEqual(checked(file.db))
          if (isUser) return
          const dump = JSON.stringify(await admin.keys('*'))
          expect(dump).not.toContain('acme')
          expect(dump).not.toContain('-of-0')
          // Who comes back begins anew.
          await redis.ledger.returned(false)
          await redis.add([{ day: '2026-09-02', tenant: 'acme', key: 'ci-of-0', end: { cost: 5 } }])
          expect(verifyLedger(await redis.copy()).problems).toEqual([])
        } finally {
          redis.die()
          await file.close()
        }
      }),
      { numRuns: 25 },
    )
  })

  test('a tenant that goes on while it is forgotten loses no money: it is refused, or done again', async () => {
    const redis = await redisUpkeepWorld(server, admin)
    onTestFinished(() => redis.die())
    const old = { day: CUT, tenant: 'acme', key: 'ci-of-0', task: 't1', end: { cost: 5 } } as const
    await redis.add([old, old])
    const forget = async (rest: () => Promise<void>) => {
      const lease = (await UpkeepLease.take(redis.link, 'test', 'acme')) as UpkeepLease
      return forgetInRedis(redis.link, lease, { tenant: 'acme', keys: undefined }, rest)
    }
    let steps = 0
    const more = (attempts: readonly TestAttempt[], at: number) => async () => {
      if ((steps += 1) === at) await redis.add(attempts)
    }
    expect(await forget(more([old], 2))).toMatchObject({ attempts: 3 })
    expect(verifyLedger(await redis.copy())).toMatchObject({ attempts: 0, settled: 15, problems: [] })
    await redis.ledger.returned(false)
    await redis.add([old])
    steps = 0
    await expect(forget(more([{ ...old, end: 'unresolved' }], 2))).rejects.toMatchObject({ code: 'task_conflict' })
    expect(await admin.scard(`${rootOf('acme')}:unresolved`)).toBe(1)
    expect(await redis.ledger.settle('req_5/1', [7, 7, 7, 7, 30, 1])).toMatchObject({ kind: 'done' })
    expect(await forget(() => Promise.resolve())).toMatchObject({ attempts: 1 })
    expect(verifyLedger(await redis.copy())).toMatchObject({ attempts: 0, settled: 27, problems: [] })
  })

  test('a backup begins other books that say the same, and an attempt of unknown cost can still be settled there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 60 }), fc.boolean(), async (attempts, isTidied) => {
        const redis = await redisUpkeepWorld(server, admin)
        await redis.add(inOrder(attempts))
        if (isTidied) await redis.retain(CUT)
        const backup = await redis.copy()
        redis.die()
        await admin.flushall()
        await beginBooksFrom(server.url, (client) => loadRedisLedger(backup, client))
        const again = await joinRedisUpkeepWorld(server.url)
        try {
          const copy = await again.copy()
          expect(checked(copy)).toEqual(checked(backup))
          const open = copy.prepare('SELECT id, lines FROM attempts WHERE lines IS NOT NULL').all()
          for (const { id, lines } of open) {
            const count = String(lines).split('\n').length - 1
            expect(
              await again.ledger.settle(
                String(id),
                Array.from({ length: count }, () => 7),
              ),
            ).toMatchObject({ kind: 'done' })
          }
          expect(verifyLedger(await again.copy())).toMatchObject({ unresolved: 0, problems: [] })
          expect(await admin.get(`${rootOf('acme')}:unresolved-usd`)).toSatisfy((text) => text === null || text === '0')
        } finally {
          again.die()
        }
      }),
      { numRuns: 15 },
    )
  })

  test('books are begun from a backup on an empty server only', async () => {
    const redis = await redisUpkeepWorld(server, admin)
    onTestFinished(() => redis.die())
    await redis.add([{ day: CUT, tenant: 'acme', key: 'ci-of-0', end: { cost: 5 } }])
    const backup = await redis.copy()
    const begin = (): Promise<string> => beginBooksFrom(server.url, (client) => loadRedisLedger(backup, client))
    await expect(begin()).rejects.toThrow('has books, or parts of books, already')
    await admin.del('switchyard:epoch')
    await expect(begin()).rejects.toThrow('has books, or parts of books, already')
  })

  test('a change by hand is found', async () => {
    const redis = await redisUpkeepWorld(server, admin)
    onTestFinished(() => redis.die())
    await redis.add([{ day: CUT, tenant: 'acme', key: 'ci-of-0', end: { cost: 5 } }])
    const root = rootOf('acme')
    await admin.set(`${root}:book:key:usd:${CUT}:ci-of-0`, '4 0 0')
    await admin.hset(`${root}:folded`, CUT, '1 0 0 1 0')
    expect(verifyLedger(await redis.copy()).problems).toEqual([
      `day ${CUT}: its total of calls is 1, its attempts make 2`,
      `day ${CUT}: its total of cost is 5, its attempts make 6`,
      `book key:usd:${CUT}:ci-of-0: it says 4, the daily totals 5`,
    ])
  })

  test('who has lost the lease changes nothing more, and a dead holder is followed after its lease', async () => {
    const redis = await redisUpkeepWorld(server, admin)
    onTestFinished(() => redis.die())
    await redis.add(Array.from({ length: 200 }, () => ({ day: CUT, tenant: 'acme', key: 'ci-of-0', end: { cost: 5 } })))
    const key = `${rootOf('acme')}:upkeep`
    let steps = 0
    const halted = redis.retain('2026-09-01', async () => {
      // Stopped for so long that another one took over.
      if ((steps += 1) === 2) await admin.set(key, 'another', 'PX', 300)
    })
    await expect(halted).rejects.toBeInstanceOf(LeaseTaken)
    expect(await admin.xlen(`${rootOf('acme')}:past`)).toBe(150)
    expect(await UpkeepLease.take(redis.link, 'me', 'acme')).toBeUndefined()
    // The other one never says a word again.
    await redis.retain('2026-09-01')
    expect(await admin.xlen(`${rootOf('acme')}:past`)).toBe(0)
    expect(verifyLedger(await redis.copy())).toMatchObject({ attempts: 0, settled: 1000, problems: [] })
  })

  test('full memory stops reservations, but not retention, which makes room again', async () => {
    const own = await startRedis()
    onTestFinished(() => own.remove())
    const root = rootOf('acme')
    const redis = await joinRedisUpkeepWorld(own.url)
    onTestFinished(() => redis.die())
    const old = { day: CUT, tenant: 'acme', key: 'ci-of-0', end: { cost: 5 } } as const
    await redis.add(Array.from({ length: 4000 }, () => old))
    const client = own.client()
    // Their ten minutes are over.
    for (let id = 1; id <= 4000; id++) await client.del(`${root}:attempt:req_${id}/1`)
    const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
    await client.config('SET', 'maxmemory', String(used - 20_000))
    await expect(redis.add([old])).rejects.toThrow('unavailable')
    await redis.retain('2026-09-01')
    await redis.add([old])
    expect(verifyLedger(await redis.copy())).toMatchObject({ attempts: 1, settled: 20_005, problems: [] })
  })

  test('killed in the middle of retention and started again, Redis goes on where it was and everything adds up', async () => {
    const own = await startRedis({ flags: ['--appendfsync', 'always'] })
    onTestFinished(() => own.remove())
    let redis = await joinRedisUpkeepWorld(own.url)
    const old = { day: CUT, tenant: 'acme', key: 'ci-of-0', task: 't1', end: { cost: 5 } } as const
    await redis.add(Array.from({ length: 400 }, () => old))
    let steps = 0
    const halted = redis.retain('2026-09-01', async () => {
      // Not waited for: it dies while the next step runs.
      if ((steps += 1) === 3) void own.stop('SIGKILL')
    })
    await expect(halted).rejects.toThrow()
    redis.die()
    await own.stop()
    // Its scripts are gone as well: NOSCRIPT is answered with their text.
    await own.start()
    await own.client().del(`${rootOf('acme')}:upkeep`)
    redis = await joinRedisUpkeepWorld(own.url)
    onTestFinished(() => redis.die())
    expect(verifyLedger(await redis.copy())).toMatchObject({ settled: 2000, problems: [] })
    await own.client().script('FLUSH')
    await redis.retain('2026-09-01')
    expect(verifyLedger(await redis.copy())).toMatchObject({ attempts: 0, settled: 2000, problems: [] })
    expect(await own.client().exists(`${rootOf('acme')}:document:task:acme/t1`, `${rootOf('acme')}:ended:t1`)).toBe(0)
  })

  test('of four gateways one at a time tidies up; when it is killed another goes on, and every sum is as before', async () => {
    const own = await startRedis()
    onTestFinished(() => own.remove())
    const client = own.client()
    const redis = await joinRedisUpkeepWorld(own.url)
    onTestFinished(() => redis.die())
    const past = `${rootOf('acme')}:past`
    const old = { day: CUT, tenant: 'acme', key: 'ci-of-0', end: { cost: 5 } } as const
    await redis.add(Array.from({ length: 5000 }, () => old))
    const start = () => {
      const child = spawn(process.execPath, [RETAINER, own.url, '2026-09-01'], { stdio: ['ignore', 'pipe', 'inherit'] })
      onTestFinished(() => void child.kill('SIGKILL'))
      let out = ''
      child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
      return { child, out: () => out, gone: new Promise<void>((resolve) => child.once('exit', () => resolve())) }
    }
    const first = start()
    await expect.poll(() => client.xlen(past), { timeout: 10_000, interval: 5 }).toBeLessThan(4500)
    first.child.kill('SIGKILL')
    await first.gone
    const left = await client.xlen(past)
    expect(left).toBeGreaterThan(0)
    const others = [start(), start(), start()]
    // New requests of the day go on being counted meanwhile.
    await redis.add(Array.from({ length: 200 }, () => ({ ...old, day: '2026-09-01' })))
    await Promise.all(others.map(({ gone }) => gone))
    expect(others.map(({ out }) => out())).toEqual(['ready\ndone\n', 'ready\ndone\n', 'ready\ndone\n'])
    expect(await client.xlen(past)).toBe(200)
    expect(await client.exists(`${rootOf('acme')}:book:key:usd:${CUT}:ci-of-0`)).toBe(0)
    expect(verifyLedger(await redis.copy())).toMatchObject({ attempts: 200, settled: 26_000, problems: [] })
  }, 60_000)
})
