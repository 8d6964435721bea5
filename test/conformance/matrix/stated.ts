import { readFileSync } from 'node:fs'
import type { Caller } from '../../../scripts/compatibility/matrix/callers.ts'
import type { Capability } from '../../../scripts/compatibility/matrix/capabilities.ts'
import type { Egress } from '../../../scripts/compatibility/matrix/egresses.ts'

const PAGE = readFileSync(new URL('../../../docs/compatibility.md', import.meta.url), 'utf8')

/** What the page in `docs` says in the cell of a table, as its readers see it; undefined = there is no such cell. */
export function statedIn(caller: Caller, egress: Egress, capability: Capability): string | undefined {
  const [head, , ...rows] = tableOf(caller)
  const column = head?.indexOf(egress.name) ?? -1
  return column === -1 ? undefined : rows.find(([name]) => name === capability)?.[column]
}

/** Every row that a table has, for finding those that nobody runs. */
export function rowsStated(caller: Caller): readonly string[] {
  return tableOf(caller)
    .slice(2)
    .map(([name]) => name ?? '')
}

/** The sentence behind a mark such as `(c1)`. */
export function footnote(mark: string): string | undefined {
  return PAGE.split('\n').find((line) => line.startsWith(`- ${mark}: `))
}

function tableOf({ title }: Caller): readonly (readonly string[])[] {
  const from = PAGE.indexOf(`### ${title}\n`)
  const section = PAGE.slice(from, PAGE.indexOf('\n#', from + 1))
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}
