/** The books that several gateways share, kept in Redis. */
import type { Bookkeeping, BookkeepingOptions } from './bookkeeping.ts'
import { LimitScripts } from './budget/redis/limit-scripts.ts'
import { RedisLedger } from './budget/redis/redis-ledger.ts'
import { RedisPast } from './budget/redis/redis-past.ts'
import { LEDGER_SCRIPTS, UPKEEP_SCRIPTS } from './budget/redis/redis-scripts.ts'
import { SharedAdmitter } from './budget/redis/shared-admitter.ts'
import { SharedKeyLimits } from './budget/redis/shared-key-limits.ts'
import { SharedTaskCalls } from './budget/redis/shared-task-calls.ts'
import { SharedTaskService } from './budget/redis/shared-task-service.ts'
import { SharedTasks } from './budget/redis/shared-tasks.ts'
import { taskKey } from './budget/tasks/task.ts'
import type { Tasks } from './budget/tasks/tasks.ts'
import { SharedUpkeep } from './shared-upkeep.ts'
import { newId } from './shared/ids.ts'
import { toNanoUsd } from './shared/money.ts'
import { RedisLink } from './store/redis-link.ts'

/** How often calls that wait for money or a top-up look whether another gateway has made room, ms. */
const LOOK_MS = 250

/** Throws StoreUnreachable where Redis does not answer, StoreProblem where its settings or data are wrong. */
export async function openSharedBooks(url: string, options: BookkeepingOptions): Promise<Bookkeeping> {
  const { now, wallNow, lines, onEvent } = options
  let tasks: Tasks | undefined
  const link: RedisLink = await RedisLink.open(url, {
    scripts: [...Object.values(LEDGER_SCRIPTS), ...Object.values(UPKEEP_SCRIPTS)],
    onChange(reason) {
      onEvent(
        reason === undefined
          ? { event: 'ledger', what: 'written again' }
          : { event: 'ledger', what: 'cannot be written', detail: reason },
      )
      if (reason === undefined) void ledger.drain()
    },
    onReturn: (hasRestarted) => ledger.returned(hasRestarted),
  })
  const owner = newId('gateway_')
  const ledger = new RedisLedger(link, {
    owner,
    now,
    onFreed: (books) => {
      for (const book of books) lines.freed(book)
    },
    onEvent: (event) => onEvent({ event: 'ledger', ...event }),
  })
  const store = new SharedTasks(
    ledger,
    (text) => tasks?.adopt(text),
    (id) => tasks?.drop((task) => task.running === 0 && taskKey(task.tenant, task.id) === id),
  )
  const scripts = new LimitScripts({ link, owner, rootOf: (tenant) => ledger.rootOf(tenant) })
  const limits = new SharedKeyLimits(scripts)
  const calls = new SharedTaskCalls(scripts)
  const past = new RedisPast(link)
  const upkeep = new SharedUpkeep({
    ...options,
    link,
    ledger,
    past,
    // Days are counted by the clock of Redis.
    wallNow: () => ledger.serverNow() ?? wallNow(),
  })
  await ledger.start()
  upkeep.start()
  const timer = setInterval(() => void look(), LOOK_MS)
  timer.unref()

  async function look(): Promise<void> {
    for (const book of lines.busy()) lines.freed(book)
    for (const task of tasks?.waiting() ?? []) await store.load(task.tenant, task.id).catch(() => {})
    await store.written().catch(() => {})
  }

  return {
    ledger,
    store,
    desk: store,
    past,
    open: () => past.open(),
    upkeep: () => upkeep,
    openMoney() {
      const { held, unresolved } = ledger.openMoney()
      return { held: toNanoUsd(held), unresolved: toNanoUsd(unresolved) }
    },
    // The clock of Redis is the same for all, whatever this machine's does.
    wallNow: () => ledger.serverNow() ?? wallNow(),
    lastDay: undefined,
    keepDay() {},
    serve(given) {
      tasks = given
    },
    admitter: (inner, today) =>
      new SharedAdmitter({ inner, store, tasks: () => tasks as Tasks, limits, calls, today, now }),
    service: (inner) => new SharedTaskService(inner, store),
    tidy() {
      const needed = new Set(tasks?.known().map(({ tenant, id }) => taskKey(tenant, id)))
      store.evict((id) => needed.has(id))
    },
    async close() {
      clearInterval(timer)
      await upkeep.close()
      await store.written().catch(() => {})
      await ledger.close()
      link.close()
    },
  }
}
