import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** One question with the recorded answers of several models (format: README of the data folder, `cascade_*`). */
export interface CascadeRow {
  readonly id: string
  readonly ds: string
  readonly prompt: string
  /** `a` = normalised result, null or empty where none was found; `ok` = 1 where it is right; `oc` = characters of the answer. */
  readonly m: Readonly<Record<string, { readonly a: string | null; readonly ok: number; readonly oc: number }>>
}

/** Reads gzip JSON Lines; only LF ends a line. */
export function readCascadeRows(path: string): readonly CascadeRow[] {
  return gunzipSync(readFileSync(path))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CascadeRow)
}
