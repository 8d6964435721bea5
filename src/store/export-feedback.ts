import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { FEEDBACK_FILE } from './feedback-store.ts'

/** `quality`: what was said of the answer itself, or else of its task; null = nothing was. */
const DECISIONS = `SELECT d.*, coalesce(own.quality, whole.quality) AS quality FROM decisions d
  LEFT JOIN feedback own ON own.tenant = d.tenant AND own.kind = 'request' AND own.subject = d.id
  LEFT JOIN feedback whole ON whole.tenant = d.tenant AND whole.kind = 'task' AND whole.subject = d.task
  WHERE d.tenant = ? ORDER BY d.at_ms, d.id`

/** What was answered to a tenant, or to some of its keys, and what they said of it, oldest first. Makes no file. */
export function* exportFeedback(
  dataDir: string,
  tenant: string,
  keys: ReadonlySet<string> | undefined,
): Generator<Readonly<Record<string, unknown>>, void, void> {
  const path = join(dataDir, FEEDBACK_FILE)
  if (!existsSync(path)) return
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  try {
    for (const [type, sql] of [
      ['decision', DECISIONS],
      ['feedback', 'SELECT * FROM feedback WHERE tenant = ? ORDER BY created_ms'],
    ] as const) {
      for (const row of db.prepare(sql).iterate(tenant))
        if (keys?.has(String(row['key'])) !== false) yield { type, ...row }
    }
  } finally {
    db.close()
  }
}
