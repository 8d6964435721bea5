/** Part of the composition root: the books in Redis for a command, while no service runs on its data directory. */
import { RedisLedger } from './budget/redis/redis-ledger.ts'
import { RedisPast } from './budget/redis/redis-past.ts'
import { LEDGER_SCRIPTS, UPKEEP_SCRIPTS } from './budget/redis/redis-scripts.ts'
import { SubjectKeys } from './control/subject-keys.ts'
import { removeEventLines } from './event-lines.ts'
import type { AloneOptions } from './ledger-alone.ts'
import { newId } from './shared/ids.ts'
import { SharedUpkeep } from './shared-upkeep.ts'
import { KeyStore } from './store/key-store.ts'
import { RedisLink } from './store/redis-link.ts'
import { lockDataDir } from './store/sqlite-file.ts'
import { forgetFeedback } from './feedback-keeper.ts'
import { forgetResponses } from './stored-responses.ts'

const COMMAND_TIMEOUT_MS = 5000

/** Opens the shared books beside the gateways that use them. Throws StoreUnreachable, StoreProblem, and what `work` throws. */
export async function withSharedBooksAlone<T>(
  url: string,
  { dataDir, events, staticKeys }: AloneOptions,
  work: (upkeep: SharedUpkeep) => Promise<T>,
): Promise<T> {
  await using closing = new AsyncDisposableStack()
  // The keys and the event log are this directory's.
  closing.defer(lockDataDir(dataDir))
  const link = await RedisLink.open(url, {
    scripts: [...Object.values(LEDGER_SCRIPTS), ...Object.values(UPKEEP_SCRIPTS)],
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
  })
  closing.defer(() => link.close())
  const store = new KeyStore(dataDir)
  closing.defer(() => store.close())
  const upkeep = new SharedUpkeep({
    link,
    ledger: new RedisLedger(link, { owner: newId('command_'), now: () => performance.now() }),
    past: new RedisPast(link),
    subjectKeys: () => new SubjectKeys({ store, staticKeys: () => staticKeys, wallNow: Date.now, changed: () => {} }),
    forgetEvents: async (tenant, requests) => (events === undefined ? 0 : removeEventLines(events, tenant, requests)),
    expireEvents: () => Promise.resolve(),
    forgetResponses: async (tenant, keys) => {
      await forgetFeedback(dataDir, tenant, keys)
      return forgetResponses(dataDir, tenant, keys)
    },
    retention: () => ({ attemptsDays: Infinity, eventsDays: Infinity }),
    idleMs: () => Infinity,
    wallNow: Date.now,
    onEvent: () => {},
  })
  closing.defer(() => upkeep.close())
  return await work(upkeep)
}
