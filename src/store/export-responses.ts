import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RESPONSES_FILE } from './response-store.ts'

export interface ExportedResponse {
  readonly key: string
  readonly at: string
  /** What was new in the request. */
  readonly input: readonly unknown[]
  readonly response: unknown
}

/** The stored responses of a tenant, or of some of its keys, oldest first. Makes no file. */
export function* exportResponses(
  dataDir: string,
  tenant: string,
  keys: ReadonlySet<string> | undefined,
): Generator<ExportedResponse, void, void> {
  const path = join(dataDir, RESPONSES_FILE)
  if (!existsSync(path)) return
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  try {
    const items = db.prepare('SELECT text FROM items WHERE response = ? AND side = 0 ORDER BY at')
    const rows = db.prepare('SELECT id, key, created_ms, body FROM responses WHERE tenant = ? ORDER BY created_ms, id')
    for (const row of rows.iterate(tenant)) {
      const { id, key, created_ms: createdMs, body } = row as Readonly<Record<string, string>>
      if (keys?.has(String(key)) === false) continue
      const input = (items.all(String(id)) as { text: string }[]).map(({ text }) => JSON.parse(text) as unknown)
      const at = new Date(Number(createdMs)).toISOString()
      yield { key: String(key), at, input, response: JSON.parse(String(body)) }
    }
  } finally {
    db.close()
  }
}
