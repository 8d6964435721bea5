/** Part of the composition root: the ledger for a command, while no service runs on its directory. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { JournaledLedger } from './budget/ledger/journaled-ledger.ts'
import { LEDGER_FILE, openLedgerFile } from './budget/ledger/ledger-file.ts'
import { SqliteJournal } from './budget/ledger/sqlite-journal.ts'
import type { StaticKey } from './control/show-key.ts'
import { SubjectKeys } from './control/subject-keys.ts'
import { removeEventLines } from './event-lines.ts'
import { KeyStore } from './store/key-store.ts'
import { damaged, lockDataDir } from './store/sqlite-file.ts'
import { StoreProblem } from './store/store-problem.ts'
import { forgetFeedback } from './feedback-keeper.ts'
import { forgetResponses } from './stored-responses.ts'
import { Upkeep } from './upkeep.ts'

export interface AloneOptions {
  readonly dataDir: string
  readonly staticKeys: readonly StaticKey[]
  /** Path of the event log; undefined = there is none. */
  readonly events: string | undefined
}

/** Opens the ledger under the lock of a service, lets `work` use it and closes it. Throws StoreProblem, and what `work` throws. */
export async function withLedgerAlone<T>(options: AloneOptions, work: (upkeep: Upkeep) => Promise<T>): Promise<T> {
  const { dataDir, events, staticKeys } = options
  const path = join(dataDir, LEDGER_FILE)
  if (!existsSync(path)) throw new StoreProblem(`There is no ledger in ${dataDir}. Name its directory with --data-dir.`)
  await using closing = new AsyncDisposableStack()
  closing.defer(lockDataDir(dataDir))
  const db = openLedgerFile(path, 'power')
  closing.defer(() => db.close())
  const ledger = openJournal(new SqliteJournal(db), path)
  closing.defer(() => ledger.close())
  const store = new KeyStore(dataDir)
  closing.defer(() => store.close())
  const upkeep = new Upkeep({
    path,
    durability: 'power',
    ledger,
    tasks: undefined,
    keys: () => new SubjectKeys({ store, staticKeys: () => staticKeys, wallNow: Date.now, changed: () => {} }),
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

/** What a killed service left open becomes unresolved, as at a start. */
function openJournal(journal: SqliteJournal, path: string): JournaledLedger {
  try {
    return new JournaledLedger(journal, { defer: setImmediate })
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error))
  }
}
