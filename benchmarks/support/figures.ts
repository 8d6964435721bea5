import type { FirstTokenResult } from '../scenarios/first-token.ts'
import type { LiveHeapResult } from '../scenarios/live-heap.ts'
import type { MemoryResult } from '../scenarios/memory.ts'
import type { OpenStreamsResult } from '../scenarios/open-streams.ts'
import type { Scenario, Series } from './compare.ts'
import { costRows } from './cost-table.ts'
import type { Spread } from './statistics.ts'
import { short } from './table.ts'

/** One line of what was asked against what was seen. */
export interface Figure {
  readonly what: string
  readonly asked: string
  readonly seen: string
  /** `-` where the asked comparison did not take place in this run. */
  readonly met: 'yes' | 'no' | '-'
}
export const FIGURE_HEADER: readonly string[] = ['figure', 'asked', 'seen', 'met']

const US = 'switchyard'

/** Collects the figures of one run. A scenario without our own row adds nothing. */
export class Figures {
  readonly all: Figure[] = []

  #add(what: string, asked: string, seen: string, met: boolean | undefined): void {
    this.all.push({ what, asked, seen, met: met === undefined ? '-' : met ? 'yes' : 'no' })
  }

  /** CPU of ours against everyone in the run for whom a ratio was asked; against the bare relays for orientation. */
  cost(scenario: Scenario, series: readonly Series[]): void {
    const own = costRows(scenario, series, undefined).find((row) => row.contender === US)
    if (own === undefined) return
    const unit = scenario.stream === undefined ? 'request' : 'chunk'
    const what = `CPU per ${unit}, ${scenario.title}`
    const seen = `${short(own.cpuUs.median)} us (${short(own.cpuUs.min)}-${short(own.cpuUs.max)})`
    this.#add(what, '', `${seen}, ${own.failed} failed`, own.failed === 0 ? undefined : false)
    const bounds = scenario.stream === undefined ? JSON_BOUNDS : STREAM_BOUNDS
    for (const { contender } of series) {
      if (contender === US) continue
      const ratio = costRows(scenario, series, contender).find((row) => row.contender === US)?.ratio
      if (ratio === undefined) continue
      // The ratios were asked for 1 KB requests; longer ones are shown beside them.
      const bound = scenario.name === 'json-20k' ? undefined : bounds[contender]
      const asked = bound === undefined ? '' : `<= ${times(bound)}`
      const text = `${times(ratio.median)} (${times(ratio.min)} to ${times(ratio.max)})`
      this.#add(`  against ${contender}`, asked, text, bound === undefined ? undefined : ratio.median <= bound)
    }
  }

  open(results: readonly OpenStreamsResult[], count: number): void {
    const own = results.find((one) => one.contender === US)
    if (own === undefined) return
    const seen = `${own.openAtOnce} open, ${own.cut} cut`
    this.#add(`${count} open slow streams`, 'none cut', seen, own.cut === 0 && own.openAtOnce === count)
    this.#add('  memory', '<= 400 MiB', `${own.rssMaxMiB.toFixed(0)} MiB`, own.rssMaxMiB <= 400)
    const probe = `${short(own.probeP99Ms)} ms by /healthz`
    this.#add('  event loop p99', '< 50 ms', probe, own.probeP99Ms < 50)
  }

  firstToken(rows: readonly Pick<FirstTokenResult, 'contender' | 'addedP50Ms' | 'addedP99Ms'>[]): void {
    const own = rows.find((one) => one.contender === US)
    if (own === undefined) return
    this.#add('added time to first token p50', '<= 1 ms', `${short(own.addedP50Ms)} ms`, own.addedP50Ms <= 1)
    this.#add('added time to first token p99', '<= 3 ms', `${short(own.addedP99Ms)} ms`, own.addedP99Ms <= 3)
  }

  start(rows: readonly { readonly contender: string; readonly readyMs: Spread }[]): void {
    const own = rows.find((one) => one.contender === US)?.readyMs
    if (own === undefined) return
    const seen = `${own.median.toFixed(0)} ms (${own.min.toFixed(0)}-${own.max.toFixed(0)}, n=${own.n})`
    this.#add('start to ready', '<= 1000 ms', seen, own.median <= 1000)
  }

  memory(results: readonly MemoryResult[], kept: LiveHeapResult | undefined): void {
    const own = results.find((one) => one.contender === US)
    if (own === undefined) return
    const most = Math.max(...own.rssMiB)
    this.#add(`memory over ${own.requests} requests`, '<= 220 MiB', `${most.toFixed(0)} MiB at most`, most <= 220)
    const growth = `${own.growthFromHalfPercent.toFixed(1)}%`
    const flat = own.growthFromHalfPercent <= FLAT_PERCENT
    this.#add('  resident set, second half', `<= +${FLAT_PERCENT}%`, growth, flat)
    if (kept === undefined) return
    const seen = `${kept.halfMiB.toFixed(1)} to ${kept.endMiB.toFixed(1)} MiB, ${kept.growthPercent.toFixed(1)}%`
    this.#add('  live after a full collection', `<= +${FLAT_PERCENT}%`, seen, kept.growthPercent <= FLAT_PERCENT)
  }
}

/** Upper bounds of our CPU time as a multiple of the other's. */
const JSON_BOUNDS: Readonly<Record<string, number>> = { 'vllm-router': 1.2, portkey: 1 / 6, litellm: 1 / 60 }
const STREAM_BOUNDS: Readonly<Record<string, number>> = { 'vllm-router': 2 }
/** Both figures breathe by a few percent; growth of the resident set alone can be V8 taking room, as bare relays show. */
const FLAT_PERCENT = 5

/** A ratio as people say it: 1.2x, or 1/8.5 when it is far below one. */
function times(ratio: number): string {
  return ratio < 0.25 ? `1/${(1 / ratio).toFixed(1)}` : `${ratio.toFixed(2)}x`
}
