/** How much memory attempts take in Redis, and how long the steps of upkeep keep it busy: `npm run redis:size -- [ATTEMPTS]`. */
import type { Redis } from 'ioredis'
import { retainInRedis } from '../src/budget/redis/redis-retention.ts'
import { UpkeepLease } from '../src/budget/redis/redis-lease.ts'
import { LimitScripts } from '../src/budget/redis/limit-scripts.ts'
import { rootOf, UPKEEP_SCRIPTS } from '../src/budget/redis/redis-scripts.ts'
import { SharedKeyLimits } from '../src/budget/redis/shared-key-limits.ts'
import { SharedTaskCalls } from '../src/budget/redis/shared-task-calls.ts'
import { newId } from '../src/shared/ids.ts'
import { openRedisLedger } from '../test/support/redis-driver.ts'
import { startRedis } from '../test/support/redis-server.ts'
import { readOptions } from './support/read-options.ts'

const { positionals } = readOptions(
  'npm run redis:size -- [ATTEMPTS], 100000 by default: what attempts take in Redis.',
  {},
)
const ATTEMPTS = Number(positionals[0] ?? 100_000)
const DAYS = 100
const AT_ONCE = 500
const server = await startRedis()
const admin = server.client()
const { ledger, link, die } = await openRedisLedger(server.url, { commandTimeoutMs: 20_000 })
await ledger.beat()

async function used(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
}

/** What the few keys take that are left, without what the server itself takes. */
async function bytesOfKeys(client: Redis): Promise<number> {
  let bytes = 0
  for (const key of await client.keys('*')) bytes += (await client.memory('USAGE', key, 'SAMPLES', 0)) ?? 0
  return bytes
}

/** Microseconds of Redis that script calls took since the last reset: mean and longest. */
async function scriptUs(client: Redis): Promise<string> {
  const info = await client.info('commandstats')
  const [, calls = '0', us = '0'] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(info) ?? []
  const slow = (await client.slowlog('GET', -1)) as [number, number, number, string[]][]
  const longest = Math.max(0, ...slow.filter(([, , , args]) => args[0] === 'evalsha').map(([, , took]) => took))
  return `${calls} calls, mean ${(Number(us) / Number(calls)).toFixed(0)} us, longest ${longest} us`
}

async function reset(client: Redis): Promise<void> {
  await client.config('RESETSTAT')
  await client.slowlog('RESET')
}

try {
  await admin.config('SET', 'slowlog-log-slower-than', '100')
  await admin.config('SET', 'slowlog-max-len', '100000')
  const empty = await used()
  const ids: string[] = []
  const settleOne = async (index: number): Promise<void> => {
    const day = new Date(Date.UTC(2026, 0, 1) + Math.floor((index / ATTEMPTS) * DAYS) * 86_400_000)
      .toISOString()
      .slice(0, 10)
    const key = `key-${index % 10}`
    const id = `${newId('req_')}/1`
    ids.push(id)
    const lines = [`key:usd:${day}:${key}`, `key:usd:${day.slice(0, 7)}:${key}`, `tenant:usd:${day}:acme`].map(
      (book) => ({ book, amount: 123_456, limit: undefined }),
    )
    const note = {
      tenant: 'acme',
      key,
      task: undefined,
      taskType: 'default',
      model: `model-${Math.floor(index / 10) % 5}`,
      upstream: 'openai',
      day,
      atMs: Date.parse(day) + index,
    }
    await ledger.reserve({ id, lines, note, sendsAtOnce: true })
    await ledger.settle(id, [98_765, 98_765, 98_765], { input: 1234, output: 567 })
  }
  for (let at = 0; at < ATTEMPTS; at += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, ATTEMPTS - at) }, (_, i) => settleOne(at + i)))
  const fresh = await used()
  for (let at = 0; at < ids.length; at += AT_ONCE)
    await admin.del(...ids.slice(at, at + AT_ONCE).map((id) => `${rootOf('acme')}:attempt:${id}`))
  const kept = await used()
  await reset(admin)
  const lease = await UpkeepLease.take(link, 'size', 'acme')
  if (lease === undefined) throw new Error('nobody else is here')
  const before = performance.now()
  await retainInRedis(lease, { before: '2027-01-01', idleBefore: Infinity, rest: () => Promise.resolve() })
  const ms = performance.now() - before
  const steps = await scriptUs(admin)
  const folded = await bytesOfKeys(admin)
  console.log(`${ATTEMPTS} attempts without a task over ${DAYS} days, 10 keys x 5 models`)
  console.log(`memory per attempt in its first ten minutes: ${((fresh - empty) / ATTEMPTS).toFixed(0)} bytes`)
  console.log(`memory per attempt until its day folds:      ${((kept - empty) / ATTEMPTS).toFixed(0)} bytes`)
  console.log(`memory per day when all have folded:         ${(folded / DAYS).toFixed(0)} bytes`)
  console.log(`retention: ${((ms * 1000) / ATTEMPTS).toFixed(1)} us per attempt without rests; steps: ${steps}`)
  await reset(admin)
  for (const tenant of ['acme']) {
    for (const day of await admin.smembers(`${rootOf(tenant)}:days`))
      await lease.step(UPKEEP_SCRIPTS['copy-month'], [tenant, day.slice(0, 7), day])
  }
  console.log(`reading one day for a copy: ${await scriptUs(admin)}`)
  await lease.drop()
  await reset(admin)
  const counted = new LimitScripts({ link, owner: 'gw_size', rootOf: (tenant) => ledger.rootOf(tenant) })
  const limits = new SharedKeyLimits(counted)
  const call = {
    tenant: 'acme',
    key: 'limited',
    tokens: 100,
    limits: { requestsPerMinute: 1_000_000, tokensPerMinute: 1_000_000_000, concurrency: 1000 },
  }
  for (let i = 0; i < 3000; i++) {
    await limits.admit(call)
    limits.release(call, 90, 1)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  console.log(`limits of a key (admit and release): ${await scriptUs(admin)}`)
  await reset(admin)
  const calls = new SharedTaskCalls(counted)
  for (let i = 0; i < 3000; i++) {
    const task = { tenant: 'acme', id: `task-${i % 100}`, concurrency: 64 }
    await calls.enter(task)
    calls.leave(task)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  console.log(`calls at the same time of a task (enter and leave): ${await scriptUs(admin)}`)
} finally {
  die()
  await server.remove()
}
