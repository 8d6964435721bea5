/** What happens to money when the Redis that keeps the books goes away, comes back, is slow, empty, or another one. */
import { execFile } from 'node:child_process'
import { readdirSync, statSync, truncateSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { acceptPromoted } from '../../src/store/redis-admin.ts'
import { RedisLink } from '../../src/store/redis-link.ts'
import { StoreProblem } from '../../src/store/store-problem.ts'
import { StoreUnreachable } from '../../src/store/store-unreachable.ts'
import type { RedisLedgerOptions } from '../../src/budget/redis/redis-ledger.ts'
import { NOTE, reservation } from '../support/ledger-drivers.ts'
import { expireLease, openRedisLedger, type OpenedRedisLedger } from '../support/redis-driver.ts'
import { NO_REDIS, startRedis, type RedisServer } from '../support/redis-server.ts'

const RESERVER = fileURLToPath(new URL('../support/redis-reserver.ts', import.meta.url))
/** Recovery is noticed by a look every 200 ms, and a restarted server is left alone for a second. */
const SOON = { timeout: 8000, interval: 50 }

describe.skipIf(NO_REDIS !== undefined)(`with a real Redis${NO_REDIS === undefined ? '' : ` (${NO_REDIS})`}`, () => {
  const redis = async (...given: Parameters<typeof startRedis>): Promise<RedisServer> => {
    const server = await startRedis(...given)
    onTestFinished(() => server.remove())
    return server
  }
  const gateway = async (
    server: RedisServer,
    options: Partial<RedisLedgerOptions> = {},
  ): Promise<OpenedRedisLedger & { readonly task: () => Promise<unknown> }> => {
    const opened = await openRedisLedger(server.url, options)
    onTestFinished(opened.die)
    return { ...opened, task: async () => opened.ledger.balance('task', NOTE.tenant) }
  }
  const sentAtOnce = (id: string, amount: number, limit?: number): ReturnType<typeof reservation> => ({
    ...reservation(id, amount, limit),
    sendsAtOnce: true,
  })
  const took = async <T>(work: Promise<T>): Promise<readonly [T, number]> => {
    const before = performance.now()
    const result = await work
    return [result, performance.now() - before]
  }

  test('an acknowledged hold survives kill -9 of Redis, and the budget goes on where it was', async () => {
    const server = await redis()
    const { ledger, task } = await gateway(server)
    await ledger.reserve(sentAtOnce('a', 600))
    await server.stop('SIGKILL')
    await server.start()
    const { kind } = await ledger.reserve(reservation('b', 500))
    expect(['refused', 'unavailable']).toContain(kind)
    await vi.waitFor(
      async () => expect(await ledger.reserve(reservation('c', 400))).toEqual({ kind: 'admitted' }),
      SOON,
    )
    expect(await task()).toEqual({ settled: 0, held: 1000, unresolved: 0 })
  })

  test('what Redis forgot when it was killed is told again by the gateways that live, before anything new is admitted', async () => {
    const server = await redis()
    const { ledger, task } = await gateway(server)
    await ledger.reserve(sentAtOnce('before', 100))
    const files = appendFiles(server)
    const sizes = files.map((file) => statSync(file).size)
    await ledger.reserve(sentAtOnce('held', 500))
    await ledger.reserve(sentAtOnce('settled', 300))
    // More than was held: what was admitted before has no room under the limit any more, and was admitted all the same.
    await ledger.settle('settled', [460])
    await ledger.settle('before', [50])
    await server.stop('SIGKILL')
    // The end of the file that a flush had not reached.
    for (const [index, file] of files.entries()) truncateSync(file, sizes[index])
    await server.start()
    await vi.waitFor(async () => {
      expect(await ledger.reserve(reservation('more', 1))).toMatchObject({ kind: 'refused' })
    }, SOON)
    expect(await task()).toEqual({ settled: 510, held: 500, unresolved: 0 })
    await ledger.settle('held', [490])
    expect(await ledger.reserve(reservation('more', 1))).toMatchObject({ kind: 'refused' })
    expect(await task()).toEqual({ settled: 1000, held: 0, unresolved: 0 })
  })

  test('without Redis nothing is reserved, the answer comes at once, and steps of running calls are told when it is back', async () => {
    const server = await redis()
    const { ledger, task } = await gateway(server)
    await ledger.reserve(sentAtOnce('a', 600))
    await server.stop('SIGTERM')
    const [result, ms] = await took(ledger.reserve(reservation('b', 1)))
    expect(result).toMatchObject({ kind: 'unavailable' })
    expect(ms).toBeLessThan(1000)
    expect(await ledger.settle('a', [650])).toEqual({ kind: 'done', exceeded: ['task'] })
    expect(await ledger.settle('a', [650])).toEqual({ kind: 'same' })
    expect(await ledger.settle('a', [1])).toEqual({ kind: 'conflict' })
    await server.start()
    await vi.waitFor(async () => expect(await task()).toEqual({ settled: 650, held: 0, unresolved: 0 }), SOON)
  })

  test('a Redis that answers after 30 s costs callers less than a second, and holds nothing for those that were turned away', async () => {
    const server = await redis()
    const { ledger, task } = await gateway(server)
    await ledger.reserve(sentAtOnce('a', 600))
    server.signal('SIGSTOP')
    const times: number[] = []
    for (let i = 0; i < 10; i++) {
      const [result, ms] = await took(ledger.reserve(sentAtOnce(`slow${i}`, 10)))
      expect(result).toMatchObject({ kind: 'unavailable' })
      times.push(ms)
    }
    expect(Math.max(...times)).toBeLessThan(1000)
    // After three without an answer nobody waits any more.
    expect(times.slice(4).every((ms) => ms < 50)).toBe(true)
    server.signal('SIGCONT')
    await vi.waitFor(async () => {
      expect(await ledger.reserve(reservation('b', 400))).toEqual({ kind: 'admitted' })
      expect(await task()).toEqual({ settled: 0, held: 1000, unresolved: 0 })
    }, SOON)
  })

  test('a reservation that arrives after its caller has gone finds its place taken', async () => {
    const server = await redis()
    const { ledger, link } = await gateway(server)
    await ledger.reserve(reservation('a', 1))
    const { LEDGER_SCRIPTS, rootOf } = await import('../../src/budget/redis/redis-scripts.ts')
    await link.run(LEDGER_SCRIPTS.move, rootOf(NOTE.tenant), [link.epoch, 'late', 'abandon', '60000'])
    expect(await ledger.reserve(reservation('late', 10))).toEqual({ kind: 'conflict' })
    expect(await ledger.balance('task', NOTE.tenant)).toMatchObject({ held: 1 })
  })

  test('books that are gone are never taken for empty ones, with the gateway running or starting', async () => {
    const server = await redis()
    const { ledger } = await gateway(server)
    await ledger.reserve(sentAtOnce('a', 600))
    await server.client().flushall()
    for (let i = 0; i < 3; i++) {
      expect(await ledger.reserve(reservation(`b${i}`, 1))).toMatchObject({ kind: 'unavailable' })
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    await expect(openRedisLedger(server.url)).rejects.toThrow(/it holds no books\. .*"switchyard store begin"/)
  })

  test('new books behind the back of a running gateway are not its books', async () => {
    const server = await redis()
    const { ledger } = await gateway(server)
    await ledger.reserve(sentAtOnce('a', 600))
    await server.client().flushall()
    const { beginBooks } = await import('../../src/store/redis-admin.ts')
    await beginBooks(server.url)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await ledger.reserve(reservation('b', 1))).toMatchObject({ kind: 'unavailable' })
  })

  test('a Redis that comes back without its append-only file is not used', async () => {
    const server = await redis()
    const { ledger } = await gateway(server)
    await ledger.reserve(sentAtOnce('a', 600))
    await server.stop('SIGTERM')
    await server.start('--appendonly', 'no')
    await vi.waitFor(async () => {
      const result = await ledger.reserve(reservation('b', 1))
      expect(result).toMatchObject({ kind: 'unavailable' })
      expect((result as { reason: string }).reason).toContain('appendonly is no')
    }, SOON)
  })

  test('a replica takes no books, and a promoted one only when an operator accepts it', async () => {
    const server = await redis()
    const primary = await startRedis({ flags: [] })
    onTestFinished(() => primary.remove())
    const admin = server.client()
    const { ledger, task } = await gateway(server)
    await ledger.reserve(sentAtOnce('a', 600))
    // Sockets have no address for replication, so that this replica never reaches its primary: its role is what counts.
    await admin.replicaof('127.0.0.1', '1')
    await vi.waitFor(
      async () => expect(await ledger.reserve(reservation('b', 1))).toMatchObject({ kind: 'unavailable' }),
      SOON,
    )
    await admin.replicaof('NO', 'ONE')
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await ledger.reserve(reservation('c', 1))).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringContaining('"switchyard store accept"') as string,
    })
    await acceptPromoted(server.url)
    await vi.waitFor(
      async () => expect(await ledger.reserve(reservation('d', 400))).toEqual({ kind: 'admitted' }),
      SOON,
    )
    expect(await task()).toEqual({ settled: 0, held: 1000, unresolved: 0 })
  })

  test.each([
    [['--appendonly', 'no'], /appendonly is no: .* "appendonly yes"/],
    [['--maxmemory-policy', 'allkeys-lru'], /maxmemory-policy is allkeys-lru: .* "maxmemory-policy noeviction"/],
    [['--appendfsync', 'no'], /appendfsync is no: .* "appendfsync everysec"/],
  ])('with %s the service refuses to start, naming the setting and the line that mends it', async (flags, sentence) => {
    const server = await redis({ flags, hasBooks: false })
    const opening = RedisLink.open(server.url, { scripts: [] })
    await expect(opening).rejects.toThrow(sentence)
    await expect(opening).rejects.toBeInstanceOf(StoreProblem)
    await expect(opening).rejects.not.toBeInstanceOf(StoreUnreachable)
  })

  test('without a server at its address it refuses to start as one that misses a service', async () => {
    await expect(RedisLink.open('redis://:hush@127.0.0.1:1', { scripts: [] })).rejects.toBeInstanceOf(StoreUnreachable)
    await expect(RedisLink.open('redis://:hush@127.0.0.1:1', { scripts: [] })).rejects.not.toThrow('hush')
  })

  test('of two or more gateways on one budget all together get exactly what fits', async () => {
    const server = await redis()
    const run = promisify(execFile)
    const outputs = await Promise.all(
      [1, 2, 3, 4].map((n) => run(process.execPath, [RESERVER, server.url, `p${n}`, '250', '50', '10000'])),
    )
    const kinds = outputs.map(({ stdout }) => JSON.parse(stdout) as Record<string, number>)
    expect(kinds.reduce((sum, each) => sum + (each['admitted'] ?? 0), 0)).toBe(200)
    expect(kinds.reduce((sum, each) => sum + (each['refused'] ?? 0), 0)).toBe(800)
    const { ledger, task } = await gateway(server)
    expect(await task()).toEqual({ settled: 0, held: 10_000, unresolved: 0 })
    expect(await ledger.reserve(reservation('more', 1, 10_000))).toMatchObject({ kind: 'refused' })
  })

  test('holds of a gateway that died count as spent after its lease, and what it never sent is given back', async () => {
    const server = await redis()
    const dead = await gateway(server, { leaseMs: 300 })
    const alive = await gateway(server, { leaseMs: 300 })
    await dead.ledger.start()
    await dead.ledger.reserve(sentAtOnce('sent', 600))
    await dead.ledger.reserve(reservation('reserved', 300))
    dead.die()
    await alive.ledger.start()
    expect(await alive.task()).toMatchObject({ held: 900 })
    await vi.waitFor(async () => expect(await alive.task()).toEqual({ settled: 0, held: 0, unresolved: 600 }), SOON)
    await vi.waitFor(() => expect(alive.ledger.openMoney()).toEqual({ held: 0, unresolved: 600 }), SOON)
    expect(await alive.ledger.reserve(reservation('b', 500))).toMatchObject({ kind: 'refused', isHeldOnly: false })
    // Late evidence settles it, whoever brings it.
    expect(await alive.ledger.settle('sent', [200])).toEqual({ kind: 'done', exceeded: [] })
    expect(await alive.task()).toEqual({ settled: 200, held: 0, unresolved: 0 })
  })

  test('a long stream of a living gateway keeps its hold for many leases', async () => {
    const server = await redis()
    const streaming = await gateway(server, { leaseMs: 200 })
    const other = await gateway(server, { leaseMs: 200 })
    await streaming.ledger.start()
    await other.ledger.start()
    await streaming.ledger.reserve(sentAtOnce('a', 600))
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(await other.task()).toEqual({ settled: 0, held: 600, unresolved: 0 })
    expect(await streaming.ledger.settle('a', [500])).toEqual({ kind: 'done', exceeded: [] })
  })

  test('a gateway that was only asleep may neither send what was given back nor get money back twice', async () => {
    const server = await redis()
    const asleep = await gateway(server, { owner: 'asleep' })
    const other = await gateway(server)
    await asleep.ledger.reserve(reservation('reserved', 300))
    await asleep.ledger.reserve(sentAtOnce('sent', 600))
    await expireLease(server.client(), 'asleep')
    await other.ledger.beat()
    expect(await asleep.ledger.sent('reserved')).toEqual({ kind: 'conflict' })
    expect(await asleep.ledger.void('sent')).toEqual({ kind: 'conflict' })
    expect(await asleep.ledger.settle('sent', [10])).toEqual({ kind: 'done', exceeded: [] })
    expect(await other.task()).toEqual({ settled: 10, held: 0, unresolved: 0 })
  })

  test.each([-3_600_000, 3_600_000])('when the clock of a gateway steps by %i ms no hold ends', async (stepMs) => {
    const server = await redis()
    let step = 0
    const stepping = await gateway(server, { now: () => performance.now() + step })
    const other = await gateway(server)
    await stepping.ledger.reserve(sentAtOnce('a', 600))
    step = stepMs
    await stepping.ledger.beat()
    await other.ledger.beat()
    await stepping.ledger.beat()
    expect(await other.task()).toEqual({ settled: 0, held: 600, unresolved: 0 })
  })

  test('when the clock of Redis jumps an hour ahead no living gateway loses its holds, and a dead one still does', async () => {
    const server = await redis()
    const admin = server.client()
    const living = await gateway(server, { owner: 'living', leaseMs: 300 })
    const other = await gateway(server, { owner: 'other', leaseMs: 300 })
    await living.ledger.beat()
    await living.ledger.reserve(sentAtOnce('a', 600))
    await other.ledger.beat()
    // To signs of life of an hour ago, an hour's jump looks just like this.
    for (const owner of ['living', 'other']) await admin.hincrby('switchyard:{acme}:owners', owner, -3_600_000)
    await other.ledger.beat()
    expect(await other.task()).toMatchObject({ held: 600, unresolved: 0 })
    await living.ledger.beat()
    living.die()
    await vi.waitFor(async () => {
      await other.ledger.beat()
      expect(await other.task()).toEqual({ settled: 0, held: 0, unresolved: 600 })
    }, SOON)
  })

  test('when the clock of Redis jumps an hour back a dead gateway does not live for an hour', async () => {
    const server = await redis()
    const dead = await gateway(server, { owner: 'dead', leaseMs: 200 })
    const other = await gateway(server, { owner: 'other', leaseMs: 200 })
    await dead.ledger.beat()
    await dead.ledger.reserve(sentAtOnce('a', 600))
    dead.die()
    await server.client().hincrby('switchyard:{acme}:owners', 'dead', 3_600_000)
    await vi.waitFor(async () => {
      await other.ledger.beat()
      expect(await other.task()).toEqual({ settled: 0, held: 0, unresolved: 600 })
    }, SOON)
  })

  test('a reservation is one command of Redis, and so is a settlement', async () => {
    const server = await redis()
    const { ledger } = await gateway(server)
    await ledger.reserve(sentAtOnce('first', 1))
    const admin = server.client()
    await admin.config('RESETSTAT')
    for (let i = 0; i < 50; i++) await ledger.reserve(sentAtOnce(`a${i}`, 1))
    for (let i = 0; i < 50; i++) await ledger.settle(`a${i}`, [1])
    const calls = (await admin.info('commandstats'))
      .split('\r\n')
      .flatMap((line) => /^cmdstat_(\w+):calls=(\d+)/.exec(line)?.slice(1, 3) ?? [])
    expect(calls[calls.indexOf('evalsha') + 1]).toBe('100')
  })

  test('sums stay exact up to the last safe integer', async () => {
    const server = await redis()
    const { ledger, task } = await gateway(server)
    const most = Number.MAX_SAFE_INTEGER
    await ledger.reserve(reservation('a', most - 2, most))
    await ledger.reserve(reservation('b', 1, most))
    expect(await ledger.reserve(reservation('c', 2, most))).toMatchObject({ kind: 'refused' })
    expect(await ledger.settle('a', [most - 5])).toEqual({ kind: 'done', exceeded: [] })
    expect(await task()).toEqual({ settled: most - 5, held: 1, unresolved: 0 })
    expect(await ledger.settle('b', [6])).toMatchObject({ kind: 'invalid' })
    expect(await ledger.settle('b', [5])).toEqual({ kind: 'done', exceeded: ['task'] })
    expect(await task()).toEqual({ settled: most, held: 0, unresolved: 0 })
  })

  test.each(['acme', 'a}b{c', '{}', '%7B', 'tenant with spaces: and more', 'ü'])(
    'every key of tenant %s carries one hash tag, which no other tenant has',
    async (tenant) => {
      const server = await redis()
      const { ledger } = await gateway(server)
      const mine = { ...sentAtOnce('a', 600), note: { ...NOTE, tenant } }
      await ledger.reserve(mine)
      await ledger.settle('a', [600], { input: 3, output: 4 })
      await ledger.reserve({ ...mine, id: 'b', lines: [{ book: 'x', amount: 1, limit: 1 }] })
      await ledger.unresolve('b')
      await ledger.write(tenant, { kind: 'task', id: 't', version: 0, text: '{}' })
      await ledger.beat()
      const keys = (await server.client().keys('*')).filter((key) => key.includes('{'))
      expect(new Set(keys.map((key) => /\{([^}]+)\}/.exec(key)?.[1])).size).toBe(1)
      expect(keys.length).toBeGreaterThanOrEqual(8)
      expect(await ledger.reserve({ ...sentAtOnce('c', 600), note: { ...NOTE, tenant: 'other' } })).toEqual({
        kind: 'admitted',
      })
    },
  )

  test('money keys never expire; only ended attempts do', async () => {
    const server = await redis()
    const { ledger } = await gateway(server)
    await ledger.reserve(sentAtOnce('ended', 100))
    await ledger.settle('ended', [70], { input: 3, output: 4 })
    await ledger.reserve(sentAtOnce('open', 100))
    await ledger.beat()
    const admin = server.client()
    const expiring: string[] = []
    for (const key of await admin.keys('*')) if ((await admin.pttl(key)) >= 0) expiring.push(key)
    expect(expiring).toEqual(['switchyard:{acme}:attempt:ended'])
  })
})

/** The files of the append-only log that hold what was written since it was begun. */
function appendFiles(server: RedisServer): readonly string[] {
  const dir = join(dirname(server.socket), 'appendonlydir')
  return readdirSync(dir)
    .filter((name) => name.endsWith('.incr.aof'))
    .map((name) => join(dir, name))
}
