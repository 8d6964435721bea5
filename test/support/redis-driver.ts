/** The Redis ledger as the contract suite sees it. */
import type { Redis } from 'ioredis'
import { RedisLedger, type RedisLedgerOptions } from '../../src/budget/redis/redis-ledger.ts'
import { LEDGER_SCRIPTS, rootOf, UPKEEP_SCRIPTS } from '../../src/budget/redis/redis-scripts.ts'
import { newId } from '../../src/shared/ids.ts'
import { beginBooks } from '../../src/store/redis-admin.ts'
import { RedisLink } from '../../src/store/redis-link.ts'
import { NOTE, type LedgerDriver } from './ledger-drivers.ts'
import type { RedisServer } from './redis-server.ts'

export interface OpenedRedisLedger {
  readonly ledger: RedisLedger
  readonly link: RedisLink
  /** Ends the process's part without a word, as kill -9 does. */
  readonly die: () => void
}

/** A ledger on a server, as a gateway process opens it, but without a heart that beats by itself. */
export async function openRedisLedger(
  url: string,
  options: Partial<RedisLedgerOptions> & { readonly commandTimeoutMs?: number } = {},
): Promise<OpenedRedisLedger> {
  let ledger: RedisLedger | undefined
  const link = await RedisLink.open(url, {
    scripts: [...Object.values(LEDGER_SCRIPTS), ...Object.values(UPKEEP_SCRIPTS)],
    ...(options.commandTimeoutMs === undefined ? {} : { commandTimeoutMs: options.commandTimeoutMs }),
    onChange: (reason) => {
      if (reason === undefined) void ledger?.drain()
    },
    onReturn: async (hasRestarted) => ledger?.returned(hasRestarted),
  })
  ledger = new RedisLedger(link, { owner: newId('gw_'), now: () => performance.now(), ...options })
  return { ledger, link, die: () => link.close() }
}

/** A driver on fresh books. */
export async function redisDriver(server: RedisServer, admin: Redis): Promise<LedgerDriver> {
  await admin.flushall()
  await beginBooks(server.url)
  return driver(server, admin)
}

async function driver(server: RedisServer, admin: Redis): Promise<LedgerDriver> {
  const owner = newId('gw_')
  const { ledger, die } = await openRedisLedger(server.url, { owner })
  await ledger.beat()
  return {
    // The suite's books have no tenant in their names, and all are of one.
    ledger: boundTo(ledger),
    crash: async () => {
      die()
      await expireLease(admin, owner)
      await forgetEnded(admin)
      return driver(server, admin)
    },
    disk: {
      fill: async () => void (await admin.config('SET', 'maxmemory', '1')),
      free: async () => void (await admin.config('SET', 'maxmemory', '0')),
    },
    close: async () => die(),
  }
}

function boundTo(ledger: RedisLedger): LedgerDriver['ledger'] {
  return {
    reserve: (reservation) => ledger.reserve(reservation),
    sent: (id) => ledger.sent(id),
    settle: (id, amounts, tokens) => ledger.settle(id, amounts, tokens),
    void: (id) => ledger.void(id),
    unresolve: (id) => ledger.unresolve(id),
    balance: (book) => ledger.balance(book, NOTE.tenant),
  }
}

/** Makes the last sign of life of a gateway an old one. */
export async function expireLease(admin: Redis, owner: string, tenant: string = NOTE.tenant): Promise<void> {
  await admin.hset(`${rootOf(tenant)}:owners`, owner, '1')
}

/** Lets the memory of ended attempts run out. */
async function forgetEnded(admin: Redis): Promise<void> {
  for (const key of await admin.keys(`${rootOf(NOTE.tenant).replace(/[[\]]/g, '?')}:attempt:*`)) {
    const state = await admin.hget(key, 'st')
    if (state === 'settled' || state === 'voided') await admin.del(key)
  }
}
