import { ALLOWANCE_USD, BANDS_USD, DEFAULT_USD, FACTORS, type Trial } from './budget-trials.ts'
import type { Ceilings } from './ceilings.ts'
import type { PromptBytes } from './prompt-bytes.ts'
import { SECONDS_MARK, TOOL_CALLS_MARK, USD_MARKS, type SpendFigures } from './spend-figures.ts'

export interface PageInput {
  readonly figures: SpendFigures
  readonly trials: readonly Trial[]
  readonly most: Ceilings
  readonly bytes: PromptBytes
  /** Where the prices come from. */
  readonly source: string
}

const WORDS: Readonly<Record<Trial['prompt'], string>> = {
  bytes: 'bytes',
  beginning: 'known beginning',
  exact: 'exact',
}

/** The report as Markdown tables. */
export function spendPage({ figures, trials, most, bytes, source }: PageInput): string {
  const { sessions, calls, costs, shareAboveSeconds, shareAboveToolCalls } = figures
  const setup = ({ prompt, rate, cap }: Trial): readonly string[] => [WORDS[prompt], rate, cap]
  const setupHeader = ['prompt', 'rate of a prompt token', 'cap of 32,000']
  const bands = BANDS_USD.map((from, at) => {
    const to = BANDS_USD[at + 1]
    return to === undefined ? `above $${from}` : `$${from} to ${to}`
  })
  return [
    `${sessions} sessions, ${calls} calls; prices: ${source}.`,
    `Recorded prompts of coding agents (n = ${bytes.prompts}): ${bytes.textPerToken.toFixed(2)} bytes of text and ${bytes.bodyPerToken.toFixed(2)} bytes of body per token (o200k_base).`,
    '',
    '**Cost of a session, USD**',
    '',
    markdown(
      ['priced as', 'p50', 'p95', 'max', 'all', ...USD_MARKS.map((mark) => `above $${mark}`)],
      costs.map(({ name, p50, p95, max, total, shareAbove }) => [
        name,
        ...[p50, p95, max].map((usd) => usd.toFixed(2)),
        total.toFixed(0),
        ...shareAbove.map(inPercent),
      ]),
    ),
    '',
    `${inPercent(shareAboveToolCalls)} of the sessions pass ${TOOL_CALLS_MARK} tool calls, ${inPercent(shareAboveSeconds)} pass ${SECONDS_MARK} s. At most ${figures.concurrencyMax} calls of one session were under way at once.`,
    '',
    '**Sessions that pass whole, by budget as a multiple of their true cost**',
    '',
    markdown(
      [
        ...setupHeader,
        ...FACTORS.map((factor) => `${factor}x`),
        `${FACTORS[0]}x + $${ALLOWANCE_USD}`,
        'needed above the cost, p50 / p95',
      ],
      trials.map((trial) => [
        ...setup(trial),
        ...trial.passed.map(inPercent),
        inPercent(trial.passedWithAllowance),
        `$${trial.neededP50.toFixed(2)} / $${trial.neededP95.toFixed(2)}`,
      ]),
    ),
    '',
    `**The most that any proven hold can pass: exact prompts, the true length of each answer, calls one after the other**`,
    '',
    markdown(
      [
        'rate of a prompt token',
        'USD per million',
        `${FACTORS[0]}x passes at most`,
        'the same without any hold for output',
        `$${DEFAULT_USD} refuses at least`,
      ],
      most.rates.map(({ rate, usdPerM, passed, passedWithoutOutput, refusedByDefault }) => [
        rate,
        `$${usdPerM.toFixed(2)}`,
        inPercent(passed),
        inPercent(passedWithoutOutput),
        percent(refusedByDefault, 2),
      ]),
    ),
    '',
    `The last call alone is more than ${Math.round((FACTORS[0] - 1) * 100)} % of the cost in ${most.lastCallTooDear} sessions.`,
    '',
    `**With ${FACTORS[0]}x: what happened, and who passed by what the session cost**`,
    '',
    markdown(
      [...setupHeader, 'refused', 'only cut short', 'calls that waited', 'sent again', ...bands],
      trials.map((trial) => [
        ...setup(trial),
        inPercent(trial.refused),
        inPercent(trial.cutShort),
        percent(trial.waited, 3),
        percent(trial.sentAgain, 3),
        ...trial.passedByBand.map(inPercent),
      ]),
    ),
    '',
    `**With the built-in default of $${DEFAULT_USD}**`,
    '',
    markdown(
      [...setupHeader, 'refused', 'only cut short', 'budget that 95 % pass with'],
      trials.map((trial) => [
        ...setup(trial),
        percent(trial.refusedByDefault, 2),
        percent(trial.cutByDefault, 2),
        `$${trial.budgetFor95.toFixed(2)}`,
      ]),
    ),
  ].join('\n')
}

function inPercent(share: number): string {
  return percent(share, 1)
}

function percent(share: number, digits: number): string {
  return `${(share * 100).toFixed(digits)} %`
}

function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
