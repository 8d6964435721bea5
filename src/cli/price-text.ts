/** Prices as text for people: a table of models, and everything about one. */
import { priceAt } from '../budget/prices/price-schedule.ts'
import { dayOf } from '../shared/day.ts'
import { formatUsd, type NanoUsd } from '../shared/money.ts'
import { INPUT_RATES, OUTPUT_RATES, type Price, type RateName, type Rates, type RateTable } from '../shared/price.ts'
import { columns } from './columns.ts'
import { exampleCost, type ExampleTokens } from './example-cost.ts'
import type { PricedModel } from './priced-model.ts'
import type { Style } from './style.ts'

const UNPRICED = 'unpriced: its cost is not shown, and tasks with a budget may not use it'
const LABELS: Readonly<Record<RateName, string>> = {
  inputPerM: 'input',
  cachedInputPerM: 'input from cache',
  cacheWritePerM: 'input written to cache',
  cacheWrite1hPerM: '... for an hour',
  audioInputPerM: 'audio input',
  imageInputPerM: 'image input',
  outputPerM: 'output',
  reasoningPerM: 'reasoning',
  audioOutputPerM: 'audio output',
  imageOutputPerM: 'image output',
}

/** One line per model: the rates that most requests pay. */
export function overviewLines(models: readonly PricedModel[], at: number, style: Style): readonly string[] {
  const rows = models.map((model): readonly string[] => {
    const price = priceAt(model.schedule, at)
    if (price === undefined) return [model.name, '-', '-', '-', UNPRICED]
    const more = price.tiers?.map(({ aboveInputTokens }) => `, other rates above ${count(aboveInputTokens)} tokens in`)
    const source = `${sourceOf(model, price)}${more?.join('') ?? ''}`
    return [model.name, dollars(price.inputPerM), dollars(price.cachedInputPerM), dollars(price.outputPerM), source]
  })
  const [head = '', ...lines] = columns([['model', 'input', 'cached', 'output', 'source'], ...rows])
  return [
    `dollars per million tokens on ${dayOf(at)}`,
    style.heading(head),
    ...lines.map((line, i) => (rows[i]?.[4] === UNPRICED ? style.warning(line) : line)),
  ]
}

/** Every rate, its changes to come, and what a request costs. */
export function detailLines(model: PricedModel, at: number, example: ExampleTokens, style: Style): readonly string[] {
  const price = priceAt(model.schedule, at)
  const head = [style.heading(model.name), model.what]
  if (price === undefined) {
    const isKnown = model.schedule.length > 0
    const why = isKnown ? 'the price book knows it, but no price per token (other fees, or sold by the hour)' : UNPRICED
    return [...head, style.warning(why)]
  }
  const cost = exampleCost(price, example)
  const cached = example.cached === 0 ? '' : `, ${count(example.cached)} of them cached,`
  return [
    ...head,
    `price on ${dayOf(at)}: ${sourceOf(model, price)} ${style.faint(`(revision ${price.revision})`)}`,
    '',
    ...rateLines(price),
    '',
    ...model.schedule.flatMap((later) =>
      later.fromMs > at ? [`from ${dayOf(later.fromMs)}: ${changeText(later.price)}`] : [],
    ),
    `${count(example.input)} tokens in${cached} and ${count(example.output)} out cost $${formatUsd(cost.charged)}, and never more than $${formatUsd(cost.most)} whatever kinds of tokens they are`,
  ]
}

function rateLines(price: Price): readonly string[] {
  const bands = [
    ...bandsOf('', price),
    ...Object.entries(price.serviceTiers ?? {}).flatMap(([name, table]) => bandsOf(name, table)),
  ]
  const names = [...INPUT_RATES, ...OUTPUT_RATES].filter((name) => bands.some(({ rates }) => rates[name] !== undefined))
  return columns([
    ['dollars per million tokens', ...bands.map(({ label }) => label)],
    ...names.map((name) => [LABELS[name], ...bands.map(({ rates }) => dollars(rates[name]))]),
  ])
}

/** The table's columns: one per context tier. */
function bandsOf(name: string, table: RateTable): readonly { readonly label: string; readonly rates: Rates }[] {
  const tiers = table.tiers ?? []
  const first =
    tiers[0] === undefined ? (name === '' ? 'all prompts' : '') : `up to ${count(tiers[0].aboveInputTokens)} in`
  const labelled = (label: string): string => [name, label].filter((part) => part !== '').join(' ')
  return [
    { label: labelled(first), rates: table },
    ...tiers.map((tier) => ({ label: labelled(`above ${count(tier.aboveInputTokens)}`), rates: tier })),
  ]
}

function changeText(price: Price | undefined): string {
  if (price === undefined) return 'no price is known'
  return `$${dollars(price.inputPerM)} in, $${dollars(price.outputPerM)} out`
}

function sourceOf(model: PricedModel, price: Price): string {
  return model.setBy ?? price.source
}

function dollars(rate: NanoUsd | undefined): string {
  return rate === undefined ? '-' : formatUsd(rate)
}

function count(tokens: number): string {
  return tokens.toLocaleString('en-US')
}
