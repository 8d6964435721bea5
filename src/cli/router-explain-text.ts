/** An explanation for people, in at most 100 columns. */
import type { Contribution, ExplainedScore, Explanation, Finding, Goal } from '../explain-routing.ts'
import { NANO_PER_USD } from '../shared/money.ts'
import { columns } from './columns.ts'
import type { Style } from './style.ts'
import { wrapText } from './wrap-text.ts'

const WIDTH = 100

export function explanationLines(explanation: Explanation, style: Style, top: number): readonly string[] {
  const { score, goal, changes } = explanation
  return [
    ...outcomeLines(explanation, style),
    ...section('Rules', ruleLines(explanation.findings, style), style),
    ...section('Gain of the big side', score === undefined ? [] : scoreLines(score, style, top), style),
    ...section('Held against', goal === undefined ? [] : goalLines(goal, score, explanation), style),
    ...section('Models', modelLines(explanation, style), style),
    ...section('What would change it', changes.length > 0 ? changes.flatMap(item) : nothingChanges(explanation), style),
  ]
}

function section(name: string, lines: readonly string[], style: Style): readonly string[] {
  return lines.length === 0 ? [] : ['', style.heading(name), ...lines.map((line) => `  ${line}`.trimEnd())]
}

function outcomeLines({ plan, refusal, model, side }: Explanation, style: Style): readonly string[] {
  if (plan === undefined)
    return wrapText(`${model} is refused: ${refusal?.message ?? ''} (${refusal?.code ?? ''})`, WIDTH).map((line) =>
      style.warning(line),
    )
  const [first, ...rest] = plan.targets
  const then = rest.map(({ name }) => name).join(', ')
  const escalation = plan.escalation?.map(({ name }) => name).join(', ')
  return [
    style.heading(`${model} -> ${first.name}`) +
      ` (${plan.tier}${side === undefined ? '' : `, ${side} side`}), reason ${plan.reason}`,
    ...(then === '' ? [] : wrapText(`If it cannot be had: ${then}`, WIDTH).map((line) => style.faint(line))),
    ...(escalation === undefined
      ? []
      : wrapText(`If its answer will not do: ${escalation}`, WIDTH).map((line) => style.faint(line))),
  ]
}

const RULE_WIDTH = 24

function ruleLines(findings: readonly Finding[], style: Style): readonly string[] {
  return findings.flatMap(({ rule, did, text }) => {
    const label = `${rule.padEnd(12)}${did.padEnd(RULE_WIDTH - 12)}`
    const lines = wrapText(text, WIDTH - RULE_WIDTH - 2).map(
      (line, i) => (i === 0 ? label : ' '.repeat(RULE_WIDTH)) + line,
    )
    return did === 'decides' || did === 'refuses' ? lines.map((line) => style.heading(line)) : lines
  })
}

function scoreLines(score: ExplainedScore, style: Style, top: number): readonly string[] {
  const { judgement, contributions } = score
  const { kind, expert, rows } = judgement
  const [base, ...rest] = contributions
  const shown = [...(base === undefined ? [] : [base]), ...rest.slice(0, top)]
  const others = rest.slice(top)
  const largest = Math.max(...shown.map(({ gain }) => Math.abs(gain)), 1e-9)
  const sumOf = (list: readonly Contribution[]): number => list.reduce((sum, { gain }) => sum + gain, 0)
  const row = (name: string, gain: number, value: string): readonly string[] => [
    signed(gain),
    bar(gain / largest),
    name,
    value,
  ]
  const rowsOf = [
    ...shown.map(({ of, name, gain, value }) =>
      row((of === 'words' ? `"${name}"` : name).slice(0, 52), gain, valueText(of, value)),
    ),
    ...(others.length === 0 ? [] : [row(`${others.length} others`, sumOf(others), '')]),
  ]
  return [
    ...wrapText(headText(score), WIDTH - 2),
    ...wrapText(
      `A request of the kind ${kind}; the expert of ${expert ?? 'all recorded pairs'} for that kind learned from ${rows} rows.`,
      WIDTH - 2,
    ),
    ...(score.isUsed ? [] : [style.faint('A rule decided before: this was worked out for the explanation alone.')]),
    '',
    ...columns(rowsOf, ['right', 'left', 'left', 'right']),
    style.heading(`${signed(judgement.gain)} gain, score ${score.score.toFixed(3)}`),
  ]
}

function headText({ head, pair, small, big }: ExplainedScore): string {
  const models = `${small} and ${big}`
  switch (head) {
    case 'own':
      return `Judged by the head of this pair (${pair}): its outcomes are recorded.`
    case 'nearest':
      return `No outcomes of ${models} are recorded. Judged by the head of the pair nearest in strength, ${pair}.`
    case 'general':
      return `No outcomes of ${models}, or of a pair about as strong, are recorded. Judged by the head of all recorded pairs.`
    default:
      return head satisfies never
  }
}

function valueText(of: Contribution['of'], value: number | undefined): string {
  if (value === undefined) return ''
  return of === 'words' ? `${value} x` : String(Math.round(value * 100) / 100)
}

const BAR = 10

function bar(share: number): string {
  return (share < 0 ? '-' : '+').repeat(Math.round(Math.abs(share) * BAR))
}

function goalLines(goal: Goal, score: ExplainedScore | undefined, { side }: Explanation): readonly string[] {
  switch (goal.kind) {
    case 'tier':
      return [`${goal.mode}: the caller chose the side, no score is asked for.`]
    case 'share': {
      const held = `The big side is to have ${percent(goal.share)} of the requests, those that gain most.`
      if (score?.isUsed !== true) return [held]
      return wrapText(
        `${held} This one scores above ${percent(goal.rank)} of what is usual for its head; the big side begins at ${
          goal.threshold === undefined ? 'no score' : `a score of ${goal.threshold.toFixed(3)}`
        } in a service that has just started. A running one compares with the last scores it saw.`,
        WIDTH - 2,
      )
    }
    case 'gain':
      return gainLines(goal, score, side)
    default:
      return goal satisfies never
  }
}

function gainLines(
  goal: Extract<Goal, { kind: 'gain' }>,
  score: ExplainedScore | undefined,
  side: Explanation['side'],
): readonly string[] {
  const { costQuality, smallPrice, bigPrice, qualityValue, threshold } = goal
  const head = `costQuality ${costQuality}: big where the gain is worth what the big side costs more.`
  if (score?.isUsed !== true) return [head]
  if (qualityValue === undefined || smallPrice === undefined || bigPrice === undefined)
    return wrapText(
      `${head} ${threshold === undefined ? 'No score would change the side.' : `That is from a score of ${threshold.toFixed(3)}; prices are not known on both sides.`}`,
      WIDTH - 2,
    )
  const worth = score.score * qualityValue
  const difference = bigPrice - smallPrice
  return [
    head,
    ...columns(
      [
        ['score', score.score.toFixed(3), ''],
        ['x value of quality', usd(qualityValue), 'what a right answer in the place of a wrong one is worth here'],
        ['= worth of the gain', usd(worth), ''],
        ['big side', usd(bigPrice), ''],
        ['- small side', usd(smallPrice), ''],
        ['= costs more', usd(difference), ''],
        ['utility of big', usd(worth - difference), `${side ?? ''} side`],
      ],
      ['left', 'right', 'left'],
    ),
  ]
}

function modelLines({ alternatives }: Explanation, style: Style): readonly string[] {
  const [head = '', ...lines] = columns(
    [
      ['', 'model', 'tier', 'side', 'expected cost', ''],
      ...alternatives.map(({ target, tier, side, price, isOutFor, isChosen }) => [
        isChosen ? '>' : '',
        target.slice(0, 34),
        tier,
        side ?? '',
        price === undefined ? 'unpriced' : usd(price),
        (isOutFor ?? '').slice(0, 26),
      ]),
    ],
    ['left', 'left', 'left', 'left', 'right', 'left'],
  )
  return [
    style.faint(head),
    ...lines.map((line, i) => (alternatives[i]?.isChosen === true ? style.heading(line) : line)),
  ]
}

function nothingChanges({ plan }: Explanation): readonly string[] {
  return plan === undefined ? [] : ['Nothing that a setting of the route or another score could.']
}

function item(text: string): readonly string[] {
  return wrapText(text, WIDTH - 6).map((line, i) => (i === 0 ? `- ${line}` : `  ${line}`))
}

function signed(gain: number): string {
  return `${gain < 0 ? '-' : '+'}${Math.abs(gain).toFixed(4)}`
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}

/** Nano-dollars with six places: a cheap call costs a few millionths of a dollar. */
function usd(nano: number): string {
  return `${nano < 0 ? '-' : ''}$${(Math.abs(nano) / NANO_PER_USD).toFixed(6)}`
}
