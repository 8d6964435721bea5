/** A recorded set as a chart: what share of big calls, or how many dollars, buys which quality. */
import { seededRandom } from '../../src/simulator/random.ts'
import type { Chart, Line, Look, Mark } from '../../src/report/line-chart.ts'
import type { Example } from '../router-train/outcome-sets.ts'
import { outcomeCurve, type OutcomePoint } from './outcome-curve.ts'

const TITLES: Readonly<Record<string, string>> = {
  routellm_mmlu: 'MMLU, Mixtral 8x7B to GPT-4 (1106)',
  routellm_gsm8k: 'GSM8K, Mixtral 8x7B to GPT-4 (1106)',
  bfcl_v1: 'Function calling (BFCL v1), Llama 3 8B to Claude 3.5 Sonnet',
  mmlu_pro: 'MMLU-Pro, Llama 3.1 8B to Gemini 1.5 Pro',
  routerbench_subset: 'RouterBench, at recorded prices',
}

/** RouteLLM's best published router for the set: shares of big calls that recover 50 and 80 % of the gap (arXiv 2406.18665, tables 2 and 3). */
const PUBLISHED: Readonly<Record<string, readonly [cpt50: number, cpt80: number]>> = {
  routellm_mmlu: [0.354, 0.716],
  routellm_gsm8k: [0.336, 0.633],
}

export function recordedChart(set: string, rows: readonly Example[], scores: readonly number[]): Chart {
  const hasPrices = rows.every(({ cost }) => cost !== undefined)
  const place = ({ share, quality, usd }: OutcomePoint): { x: number; y: number } => ({
    x: hasPrices ? 1000 * usd : 100 * share,
    y: 100 * quality,
  })
  const line = (name: string, look: Look, by: readonly number[]): Line => ({
    name,
    look,
    points: outcomeCurve(rows, by).map(place),
  })
  const ours = outcomeCurve(rows, scores)
  const [low, high] = [ours[0], ours.at(-1)] as [OutcomePoint, OutcomePoint]
  const [first, last] = [place(low), place(high)]
  const published = hasPrices ? [] : (PUBLISHED[set] ?? [])
  return {
    title: TITLES[set] ?? set,
    note: `${rows.length.toLocaleString('en')} recorded questions, each scored by heads that saw neither it nor its like (5 folds). Band: 95 %.`,
    xLabel: hasPrices ? 'US dollars per 1,000 calls' : '% of calls to the big model',
    yLabel: 'quality, % of the most',
    lines: [
      { ...line('Switchyard', 'ours', scores), band: bandOf(rows, scores) },
      line(
        'prompt length',
        'second',
        rows.map(({ features }) => features.counts[0] as number),
      ),
      line(
        'oracle',
        'best',
        rows.map(({ big, small }) => big - small),
      ),
      { name: 'random', look: 'plain', points: [first, last] },
    ],
    marks: [
      { name: 'all small', look: 'end', ...first },
      { name: 'all big', look: 'end', ...last },
      ...published.map((share, i): Mark => {
        const recovered = i === 0 ? 0.5 : 0.8
        const y = 100 * (low.quality + recovered * (high.quality - low.quality))
        return { name: i === 0 ? 'RouteLLM, published' : '', look: 'published', x: 100 * share, y }
      }),
    ],
    xText: (x) => (hasPrices ? `$${x}` : String(x)),
    yText: String,
  }
}

const RESAMPLES = 100

/** 95 % of samples with replacement, the same ones every time. */
function bandOf(rows: readonly Example[], scores: readonly number[]): readonly { low: number; high: number }[] {
  const random = seededRandom(1)
  const samples = Array.from({ length: RESAMPLES }, () => {
    const drawn = rows.map(() => Math.floor(random() * rows.length))
    return outcomeCurve(
      drawn.map((row) => rows[row] as Example),
      drawn.map((row) => scores[row] as number),
    )
  })
  return (samples[0] ?? []).map((_, step) => {
    const sorted = samples.map((sample) => 100 * (sample[step] as OutcomePoint).quality).toSorted((a, b) => a - b)
    const at = (share: number): number => sorted[Math.round(share * (RESAMPLES - 1))] as number
    return { low: at(0.025), high: at(0.975) }
  })
}
