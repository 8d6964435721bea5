import type { DatabaseSync } from 'node:sqlite'
import { openSqliteFile, type Durability } from '../../store/sqlite-file.ts'
import { LEDGER_CHECKED, LEDGER_SCHEMA, LEDGER_UPGRADES, LEDGER_VERSION } from './sqlite-journal.ts'

/** Its name in the data directory. */
export const LEDGER_FILE = 'ledger.sqlite'

/** Opens the ledger's file, or makes it. Throws StoreProblem. */
export function openLedgerFile(path: string, durability: Durability): DatabaseSync {
  return openSqliteFile(path, {
    durability,
    version: LEDGER_VERSION,
    schema: LEDGER_SCHEMA,
    upgrades: LEDGER_UPGRADES,
    checked: LEDGER_CHECKED,
  })
}
