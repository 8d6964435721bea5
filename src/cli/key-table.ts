import type { ShownKey } from '../control/show-key.ts'

const COLUMNS = ['name', 'prefix', 'tenant', 'state', 'expires', 'limits'] as const

/** Keys as a table for people; a heading and one line each. */
export function keyTable(keys: readonly ShownKey[]): readonly string[] {
  const rows = [COLUMNS, ...keys.map((key) => cells(key))]
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function cells(key: ShownKey): readonly string[] {
  const state = key.state === 'replaced' ? `replaced, valid until ${second(key.revoked_at)}` : key.state
  return [
    key.name,
    key.source === 'file' ? '(in the file)' : (key.prefix ?? ''),
    key.user === null ? key.tenant : `${key.tenant} (${key.user})`,
    state,
    second(key.expires_at),
    limits(key),
  ]
}

/** What a key may do, in words. */
export function limits(key: ShownKey): string {
  const parts = [
    key.max_usd_per_day === null ? undefined : `$${key.max_usd_per_day}/day`,
    key.max_usd_per_month === null ? undefined : `$${key.max_usd_per_month}/month`,
    key.requests_per_minute === null ? undefined : `${key.requests_per_minute} requests/min`,
    key.tokens_per_minute === null ? undefined : `${key.tokens_per_minute} tokens/min`,
    key.concurrency === null ? undefined : `${key.concurrency} at once`,
    key.models === null ? undefined : `models ${key.models.join(' ')}`,
    key.can_top_up ? 'may top up' : undefined,
    key.store ? 'may store responses' : undefined,
    key.metrics ? 'may read /metrics' : undefined,
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? '-' : parts.join(', ')
}

/** ISO 8601 to the second, UTC. */
function second(iso: string | null): string {
  return iso === null ? '-' : iso.replace(/\.\d+Z$/, 'Z')
}
