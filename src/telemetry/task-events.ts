import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { RotatingFile } from './rotating-file.ts'

/** The lines of one task in the event log, oldest first, as far as the log still has them. */
export async function* taskEvents(file: RotatingFile, tenant: string, taskId: string): AsyncGenerator<string> {
  file.flush()
  // A cheap look before a line is parsed: most lines are of other tasks.
  const mark = `"run_id":${JSON.stringify(taskId)},`
  for (const path of [`${file.path}.1`, file.path]) {
    if (!existsSync(path)) continue
    const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity })
    for await (const line of lines) {
      if (!line.includes(mark)) continue
      if (isOf(line, tenant, taskId)) yield line
    }
  }
}

function isOf(line: string, tenant: string, taskId: string): boolean {
  try {
    const event = JSON.parse(line) as { readonly run_id?: unknown; readonly tenant?: unknown }
    return event.run_id === taskId && event.tenant === tenant
  } catch {
    // The last line of a process that was killed in the middle of it.
    return false
  }
}
