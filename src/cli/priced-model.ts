/** The models that "switchyard prices" can speak of: those of the configuration, and every other one of the price book. */
import { namesInBook, providerOf, scheduleOf } from '../budget/prices/price-book.ts'
import type { PriceSchedule } from '../budget/prices/price-schedule.ts'
import type { Config, Target } from '../config/config.ts'
import { nearest } from '../config/problems.ts'
import { UsageError } from './command.ts'

const NEAREST_SHOWN = 3

export interface PricedModel {
  readonly name: string
  /** What it is and where it runs. */
  readonly what: string
  /** Setting and line that the price comes from, where it does not come from the book. */
  readonly setBy: string | undefined
  readonly schedule: PriceSchedule
}

/** A target of the configuration. */
export function configuredModel(target: Target, config: Config): PricedModel {
  const from = config.provenance.find(({ setting }) => setting === `models.${target.name}.price.inputPerM`)?.from
  return {
    name: target.name,
    what: `${target.model} at ${target.upstream}, ${target.tier}`,
    setBy: from === undefined ? undefined : setBy(from, target),
    schedule: config.prices.get(target.name) ?? [],
  }
}

function setBy(from: string, { kind }: Target): string {
  if (from !== 'found') return `file, ${from}`
  return kind === 'simulated' ? 'made up for simulated answers' : 'assumed for an engine that was found'
}

/**
 * The models that a name means: one, or all of a route. Names of the configuration come before those of the book. Throws UsageError
 * with the nearest names where nothing has that name.
 */
export async function findModel(name: string, config: Config): Promise<readonly PricedModel[]> {
  const own = <T>(from: Readonly<Record<string, T>>, key: string): T | undefined =>
    Object.hasOwn(from, key) ? from[key] : undefined
  const meant = own(config.aliases, name) ?? name
  // A route may be named with a mode, as in auto:cheap.
  const route = own(config.routes, meant.replace(/:.*$/, ''))
  const names = route === undefined ? [meant] : [...new Set([...route.small, ...route.big])]
  const targets = names.map((each) => config.targets.get(each)).filter((target) => target !== undefined)
  if (targets.length > 0) return targets.map((target) => configuredModel(target, config))

  const book = await namesInBook()
  const found = bookModel(name, book)
  if (found !== undefined) return [found]
  const known = [
    ...config.targets.keys(),
    ...Object.keys(config.aliases),
    ...book.map(name.includes('/') ? String : bare),
  ]
  const near = nearestFew(name, [...new Set(known)])
  const hint =
    near.length === 0 ? '"switchyard prices" lists what is configured.' : `Did you mean ${near.join(' or ')}?`
  throw new UsageError(`There is no model "${name}", neither here nor in the price book. ${hint}`)
}

function bookModel(name: string, book: readonly string[]): PricedModel | undefined {
  const slash = name.indexOf('/')
  const provider = providerOf(name)
  const sellers = book.filter((each) => bare(each) === name)
  const candidates: readonly (readonly [provider: string, model: string])[] = [
    ...(slash > 0 ? [[name.slice(0, slash), name.slice(slash + 1)] as const] : []),
    ...(provider === undefined ? [] : [[provider, name] as const]),
    ...sellers.map((seller) => [seller.slice(0, seller.indexOf('/')), name] as const),
  ]
  for (const [provider, model] of candidates) {
    const schedule = scheduleOf(provider, model)
    if (schedule.length === 0) continue
    const own = `${provider}/${model}`
    const others = sellers.filter((seller) => seller !== own)
    const also = others.length === 0 ? '' : `; also sold as ${others.join(', ')}`
    return { name: own, what: `in the price book, not configured here${also}`, setBy: undefined, schedule }
  }
  return undefined
}

function bare(name: string): string {
  return name.slice(name.indexOf('/') + 1)
}

function nearestFew(wrong: string, known: readonly string[]): readonly string[] {
  const found: string[] = []
  while (found.length < NEAREST_SHOWN) {
    const next = nearest(
      wrong,
      known.filter((name) => !found.includes(name)),
    )
    if (next === undefined) break
    found.push(next)
  }
  return found
}
