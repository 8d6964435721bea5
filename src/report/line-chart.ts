/**
 * Cost-quality curves as one SVG: no script, no fonts of its own, colours for light and dark paper. The same data give the same bytes.
 * Colours and dashes both tell lines apart (Okabe and Ito's palette, which people who see few colours can read).
 */
import { ticks } from './ticks.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

/** Which look a line has. */
export type Look = 'ours' | 'plain' | 'second' | 'best'

export interface Line {
  readonly name: string
  readonly look: Look
  readonly points: readonly Point[]
  /** Low and high of y at each point. */
  readonly band?: readonly { readonly low: number; readonly high: number }[]
}

export interface Mark extends Point {
  readonly name: string
  readonly look: 'now' | 'end' | 'published'
}

export interface Chart {
  readonly title: string
  /** One line under the title. */
  readonly note: string
  readonly xLabel: string
  readonly yLabel: string
  readonly lines: readonly Line[]
  readonly marks: readonly Mark[]
  readonly xText: (x: number) => string
  readonly yText: (y: number) => string
}

const WIDTH = 760
const HEIGHT = 460
const LEFT = 72
const RIGHT = 24
const TOP = 96
const BOTTOM = 56

const STYLE = `.paper{fill:#fff}text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:16px;font-weight:600}.soft{fill:#57606a}.name{paint-order:stroke;stroke:#fff;stroke-width:4;stroke-linejoin:round}.grid{stroke:#d8dee4}
.ours{stroke:#0072b2;fill:#0072b2}.plain{stroke:#6e7781;fill:#6e7781}.second{stroke:#b35900;fill:#b35900}.best{stroke:#00785a;fill:#00785a}
.line{fill:none;stroke-width:2}.line.ours{stroke-width:3}.line.plain{stroke-dasharray:2 4}.line.second{stroke-dasharray:7 4}.line.best{stroke-dasharray:1 3}
.band{opacity:.16;stroke:none}.end{fill:#6e7781}.now{fill:#c4264a}.published{fill:#8250a8}.mark{stroke:#fff;stroke-width:1.5}
@media(prefers-color-scheme:dark){.paper{fill:#0d1117}text{fill:#e6edf3}.soft{fill:#9198a1}.name{stroke:#0d1117}.grid{stroke:#30363d}.mark{stroke:#0d1117}
.ours{stroke:#58a6ff;fill:#58a6ff}.plain{stroke:#9198a1;fill:#9198a1}.second{stroke:#e69f00;fill:#e69f00}.best{stroke:#3fb98f;fill:#3fb98f}.end{fill:#9198a1}.now{fill:#ff7b92}.published{fill:#c297ec}.line{fill:none}}`

export function drawChart(chart: Chart): string {
  const all = [
    ...chart.lines.flatMap(({ points, band }) => [
      ...points,
      ...points.flatMap(({ x }, i) =>
        [band?.[i]?.low, band?.[i]?.high].flatMap((y) => (y === undefined ? [] : [{ x, y }])),
      ),
    ]),
    ...chart.marks,
  ]
  const xs = ticks(Math.min(...all.map(({ x }) => x)), Math.max(...all.map(({ x }) => x)), 6)
  const ys = ticks(Math.min(...all.map(({ y }) => y)), Math.max(...all.map(({ y }) => y)), 5)
  const across = scale(xs, LEFT, WIDTH - RIGHT)
  const up = scale(ys, HEIGHT - BOTTOM, TOP)
  const at = ({ x, y }: Point): string => `${place(across(x))},${place(up(y))}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(`${chart.title}. ${chart.note}`)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}"/>`,
    text(LEFT, 28, chart.title, 'title'),
    text(LEFT, 48, chart.note, 'soft'),
    ...legend(chart.lines),
    ...ys.map(
      (y) =>
        `<path class="grid" d="M${LEFT} ${place(up(y))}H${WIDTH - RIGHT}"/>${text(LEFT - 8, up(y) + 4, chart.yText(y), 'soft', 'end')}`,
    ),
    ...xs.map(
      (x) =>
        `<path class="grid" d="M${place(across(x))} ${TOP}V${HEIGHT - BOTTOM}"/>${text(across(x), HEIGHT - BOTTOM + 18, chart.xText(x), 'soft', 'middle')}`,
    ),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, chart.xLabel, '', 'middle'),
    `<text transform="translate(18 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escaped(chart.yLabel)}</text>`,
    ...chart.lines.flatMap(({ look, points, band }) => {
      if (band === undefined) return []
      const high = points.map(({ x }, i) => at({ x, y: band[i]?.high ?? 0 }))
      const low = points.map(({ x }, i) => at({ x, y: band[i]?.low ?? 0 })).toReversed()
      return [`<polygon class="band ${look}" points="${[...high, ...low].join(' ')}"/>`]
    }),
    ...chart.lines.map(({ look, points }) => `<polyline class="line ${look}" points="${points.map(at).join(' ')}"/>`),
    ...chart.marks.map((mark) => drawMark(mark, across(mark.x), up(mark.y))),
    '</svg>',
    '',
  ].join('\n')
}

/** One entry for each line, on one row under the note. */
function legend(lines: readonly Line[]): readonly string[] {
  let x = LEFT
  return lines.map(({ name, look }) => {
    const entry = `<path class="line ${look}" d="M${x} 70h26"/>${text(x + 32, 74, name)}`
    // About what a letter of 12 pixels takes.
    x += 56 + Math.ceil(name.length * 6.4)
    return entry
  })
}

/** A name stands beside its mark, away from the curve: under it where the curve rises from it, unless the axis is there. */
function drawMark({ name, look }: Mark, x: number, y: number): string {
  const isRight = x > WIDTH * 0.6
  const isUnder = look === 'now' || (look === 'end' && !isRight && y < HEIGHT - BOTTOM - 24)
  const size = look === 'now' ? 7 : 5
  return (
    `<circle class="mark ${look}" cx="${place(x)}" cy="${place(y)}" r="${size}"/>` +
    text(x + (isRight ? -12 : 12), y + (isUnder ? 18 : -8), name, 'name', isRight ? 'end' : 'start')
  )
}

function text(x: number, y: number, words: string, look = '', anchor = 'start'): string {
  const of = look === '' ? '' : ` class="${look}"`
  return `<text${of} x="${place(x)}" y="${place(y)}"${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escaped(words)}</text>`
}

function scale(marks: readonly number[], from: number, to: number): (value: number) => number {
  const low = marks[0] ?? 0
  const high = marks.at(-1) ?? 1
  return (value) => from + ((value - low) / (high - low)) * (to - from)
}

function place(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** Text of a name or a title, fit for SVG and HTML. */
export function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
