import { closeSync, createReadStream, existsSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'

const BATCH_CHARS = 64 * 1024

/** The lines of a file that may be absent; what stands after the last line end of a killed process counts as a line. */
export async function* linesOf(path: string): AsyncGenerator<string, void, void> {
  if (!existsSync(path)) return
  const input = createReadStream(path)
  try {
    yield* createInterface({ input, crlfDelay: Infinity })
  } finally {
    // Whoever stops early leaves no file open.
    input.destroy()
  }
}

/** Rewrites a file without some of its lines, as one step for whoever reads it; nobody may write to it meanwhile. Returns how many went. */
export async function removeLines(path: string, isGone: (line: string) => boolean): Promise<number> {
  if (!existsSync(path)) return 0
  const part = `${path}.part`
  const file = openSync(part, 'w', 0o600)
  let removed = 0
  try {
    let batch = ''
    for await (const line of linesOf(path)) {
      if (isGone(line)) removed += 1
      else batch += `${line}\n`
      if (batch.length < BATCH_CHARS) continue
      writeSync(file, batch)
      batch = ''
    }
    writeSync(file, batch)
    closeSync(file)
    if (removed > 0) renameSync(part, path)
  } finally {
    rmSync(part, { force: true })
  }
  return removed
}
