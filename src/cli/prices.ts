import type { ParseArgsOptionsConfig } from 'node:util'
import { priceAt } from '../budget/prices/price-schedule.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { dayOf, midnightOf } from '../shared/day.ts'
import { formatUsd } from '../shared/money.ts'
import { EXIT, UsageError, type Command } from './command.ts'
import { CONFIG_FLAGS_HELP, CONFIG_OPTIONS, configFlagsOf, parseFlags } from './config-flags.ts'
import { exampleCost, type ExampleTokens } from './example-cost.ts'
import { detailLines, overviewLines } from './price-text.ts'
import { configuredModel, findModel, type PricedModel } from './priced-model.ts'
import { styleFor } from './style.ts'

const OPTIONS = {
  ...CONFIG_OPTIONS,
  json: { type: 'boolean' },
  date: { type: 'string' },
  input: { type: 'string' },
  cached: { type: 'string' },
  output: { type: 'string' },
} satisfies ParseArgsOptionsConfig
/** A request of an agent in the middle of its work; only an example. */
const EXAMPLE = { input: 10_000, cached: 0, output: 1000 }

export const prices: Command = {
  name: 'prices',
  summary: 'show what models cost and where the figures come from',
  usage: `switchyard prices [MODEL] [flags]

Without MODEL a table of every model that is configured or found. With MODEL all rates of it, the day on which they change, and what
a request of so many tokens would be charged. MODEL is a name that callers use, or one of the price book, as in gpt-5.1 or
anthropic/claude-sonnet-5.

  --json            as JSON, in nano-dollars (1e-9 USD) per million tokens
  --date DAY        prices of another day, as in 2027-01-01 (default: today, UTC)
  --input NUMBER    tokens of the example's prompt (default ${EXAMPLE.input})
  --cached NUMBER   of these, read from the provider's cache (default ${EXAMPLE.cached})
  --output NUMBER   tokens of its answer (default ${EXAMPLE.output})
${CONFIG_FLAGS_HELP}`,
  async run(args, io) {
    const { values, positionals } = parseFlags(args, OPTIONS, true)
    const [name, ...rest] = positionals
    if (rest.length > 0) throw new UsageError(`prices takes one MODEL; ${rest.join(' ')} is too much.`)
    const at = values['date'] === undefined ? Date.now() : dateOf(String(values['date']))
    const example = exampleOf(values)
    const config = await loadConfig(configFlagsOf(values), { env: io.env, cwd: io.cwd })
    const models = name === undefined ? configuredModels(config) : await findModel(name, config)
    const style = styleFor(io.stdout, io.env)
    const lines =
      values['json'] === true
        ? [JSON.stringify(asJson(models, at, example), undefined, 2)]
        : name !== undefined && models.length === 1
          ? models.flatMap((model) => detailLines(model, at, example, style))
          : overviewLines(models, at, style)
    for (const line of lines) io.stdout.write(`${line}\n`)
    return EXIT.ok
  },
}

function configuredModels(config: Config): readonly PricedModel[] {
  return [...config.targets.values()].map((target) => configuredModel(target, config))
}

function asJson(models: readonly PricedModel[], at: number, example: ExampleTokens): unknown {
  return {
    date: dayOf(at),
    unit: 'nano-dollars per million tokens',
    models: models.map(({ schedule, ...model }) => {
      const price = priceAt(schedule, at)
      const cost = price === undefined ? undefined : exampleCost(price, example)
      return {
        ...model,
        price: price ?? null,
        changes: schedule
          .filter(({ fromMs }) => fromMs > at)
          .map((later) => ({ from: dayOf(later.fromMs), price: later.price ?? null })),
        example:
          cost === undefined
            ? null
            : { ...example, cost_nano_usd: cost.charged, cost_usd: formatUsd(cost.charged), most_nano_usd: cost.most },
      }
    }),
  }
}

/** Throws UsageError for what is no number of tokens. */
function exampleOf(values: Readonly<Record<string, unknown>>): ExampleTokens {
  const count = (name: keyof typeof EXAMPLE): number => {
    const text = values[name]
    if (text === undefined) return EXAMPLE[name]
    if (typeof text === 'string' && /^\d{1,9}$/.test(text)) return Number(text)
    throw new UsageError(`--${name} ${String(text)} is no number of tokens. Write it as in --${name} ${EXAMPLE.input}.`)
  }
  const example = { input: count('input'), cached: count('cached'), output: count('output') }
  if (example.cached <= example.input) return example
  throw new UsageError(`--cached ${example.cached} is more than --input ${example.input}, which it is a part of.`)
}

/** Throws UsageError for what is no day. */
function dateOf(text: string): number {
  const ms = midnightOf(text)
  if (ms === undefined) throw new UsageError(`--date ${text} is no day. Write it as in 2027-01-01.`)
  return ms
}
