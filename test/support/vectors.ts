/** Reads vector files (JSON Lines) and expands the generators that keep them small. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Rows of a fixture in `test/fixtures/`. */
export function readFixture<Row>(name: string): readonly Row[] {
  return parseLines<Row>(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8'))
}

/** Rows of a data file beside the repository, or undefined where that folder is absent. */
export function readShared<Row>(name: string): readonly Row[] | undefined {
  const path = fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url))
  return existsSync(path) ? parseLines<Row>(readFileSync(path, 'utf8')) : undefined
}

function parseLines<Row>(text: string): readonly Row[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}
