/** The event log's lines of a tenant, in the log and in the part of it that was put aside: for export and for forgetting. */
import { linesOf, removeLines } from './store/line-file.ts'

/** Whether a line is of the tenant, and of one of the requests where some are given. */
function isLineOf(line: string, tenant: string, requests: ReadonlySet<string> | undefined): boolean {
  // A cheap look before a line is parsed.
  if (!line.includes(JSON.stringify(tenant))) return false
  try {
    const event = JSON.parse(line) as { readonly tenant?: unknown; readonly request_id?: unknown }
    return event.tenant === tenant && (requests === undefined || requests.has(String(event.request_id)))
  } catch {
    // The last line of a process that was killed in the middle of it.
    return false
  }
}

/** The lines of a subject, oldest first. */
export async function* eventLines(
  path: string,
  tenant: string,
  requests: ReadonlySet<string> | undefined,
): AsyncGenerator<string, void, void> {
  for (const file of [`${path}.1`, path])
    for await (const line of linesOf(file)) if (isLineOf(line, tenant, requests)) yield line
}

/** Takes the lines of a subject out of the log, to which nobody may write meanwhile. Returns how many went. */
export async function removeEventLines(
  path: string,
  tenant: string,
  requests: ReadonlySet<string> | undefined,
): Promise<number> {
  let removed = 0
  for (const file of [`${path}.1`, path]) removed += await removeLines(file, (line) => isLineOf(line, tenant, requests))
  return removed
}

/** Takes lines of before a moment (unix ms) out of the log, to which nobody may write meanwhile. Returns how many went. */
export async function removeOldEventLines(path: string, beforeMs: number): Promise<number> {
  let removed = 0
  for (const file of [`${path}.1`, path])
    if (await startsBefore(file, beforeMs)) removed += await removeLines(file, (line) => timeOf(line) < beforeMs)
  return removed
}

/** Lines are in the order of time, so that the first says whether there is anything to do. */
async function startsBefore(file: string, beforeMs: number): Promise<boolean> {
  for await (const line of linesOf(file)) return timeOf(line) < beforeMs
  return false
}

/** Unix ms; Infinity for a line that has no time. */
function timeOf(line: string): number {
  const ms = Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? '')
  return Number.isNaN(ms) ? Infinity : ms
}
