/** A report as one HTML file: nothing is fetched, nothing runs, and it reads on light and dark paper. */
import { escaped } from './line-chart.ts'

export interface Page {
  readonly title: string
  readonly summary: string
  /** SVG text. */
  readonly chart: string
  readonly tables: readonly { readonly title: string; readonly rows: readonly (readonly string[])[] }[]
  readonly notes: readonly string[]
}

const STYLE = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:52rem;padding:0 1rem;color:#24292f;background:#fff}
svg{max-width:100%;height:auto}table{border-collapse:collapse;margin:.5rem 0 1.5rem;font-variant-numeric:tabular-nums}th,td{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #d8dee4}
th:first-child,td:first-child{text-align:left;padding-left:0}h1{font-size:1.4rem}h2{font-size:1.1rem}p.note{color:#57606a}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th,td{border-color:#30363d}p.note{color:#9198a1}}`

export function reportPage({ title, summary, chart, tables, notes }: Page): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    // A page that can load nothing stays what it was when it was sent to somebody.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escaped(title)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${escaped(title)}</h1><p>${escaped(summary)}</p>`,
    chart,
    ...tables.map((table) => `<h2>${escaped(table.title)}</h2>${tableOf(table.rows)}`),
    ...notes.map((note) => `<p class="note">${escaped(note)}</p>`),
    '</body></html>',
    '',
  ].join('\n')
}

function tableOf([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table>`
}
