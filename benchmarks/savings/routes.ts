/** The configuration of the service under judgement: one route per set and setting of the sweep. */
import type { SavingsSet } from './questions.ts'
import { PRICES } from './prices.ts'

export const KEY = 'sk-test-savings'

/** Settings that are swept: `costQuality` of every route, from cheap to good. */
export const SWEEP = [0.2, 0.35, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.87, 0.94] as const

/** What is asked of every question: a route at each setting, and either model by its own name. */
export type Way = number | 'small' | 'big'
export const WAYS: readonly Way[] = ['small', ...SWEEP, 'big']

/** The name to ask for. */
export function modelName(set: string, way: Way): string {
  return typeof way === 'number' ? `${set}-${way}` : `${set}.${way}`
}

/** `urls`: the server of each set's models; `weights`: folder of the router's. */
export function configuration(sets: readonly SavingsSet[], urls: ReadonlyMap<string, string>, weights: string): string {
  const upstreams = sets.map(
    ({ name }) => `  ${name}: { kind: vllm, replicas: ["${urls.get(name)}"], retries: 0, breaker: off, ask: as-asked }`,
  )
  const models = sets.flatMap(({ name, models: { small, big, opinions } }) => {
    const line = (role: string, model: string): string => {
      const price = PRICES[model]
      if (price === undefined)
        throw new Error(`There is no price for ${model}; add it to benchmarks/savings/prices.ts.`)
      const tier = role === 'big' ? 'frontier' : 'local'
      const cost = `{ inputPerM: ${price.inputPerM}, outputPerM: ${price.outputPerM} }`
      return `  ${name}.${role}: { upstream: ${name}, model: "${model}", tier: ${tier}, contextTokens: 131072, price: ${cost} }`
    }
    return [line('small', small), line('big', big), ...opinions.map((model, i) => line(`opinion${i}`, model))]
  })
  const routes = sets.flatMap((set) =>
    SWEEP.map((way) => `  ${modelName(set.name, way)}: { ${sidesOf(set)}, ${goalOf(set, way)} }`),
  )
  return `upstreams:
${upstreams.join('\n')}
models:
${models.join('\n')}
routes:
${routes.join('\n')}
keys:
  - { name: savings, key: "${KEY}", tenant: savings, requestsPerMinute: 1000000000 }
router: { folder: "${weights}" }
cache: { mode: off }
`
}

function sidesOf({ name }: SavingsSet): string {
  return `small: [${name}.small], big: [${name}.big]`
}

/**
 * The plain checks are on everywhere. Where other small models can be asked they are asked first, because three of them cost less than a
 * tenth of the big one: then the price of quality is set by the gain from which on their answers are not believed.
 */
function goalOf({ name, models: { opinions } }: SavingsSet, costQuality: number): string {
  if (opinions.length === 0) return `costQuality: ${costQuality}`
  const others = opinions.map((_, i) => `${name}.opinion${i}`).join(', ')
  const cascade = `{ secondOpinions: [${others}], maxGain: ${maxGainAt(costQuality)} }`
  return `targetBigShare: 0, cascade: ${cascade}`
}

/** Gain of equal worth at 0.5 (`src/routing/policy.ts`). */
const NEUTRAL_GAIN = 0.2

/** The gain from which on `costQuality` would pay for the big model. */
function maxGainAt(costQuality: number): number {
  return Math.min(1, Math.round((NEUTRAL_GAIN * (1 - costQuality) * 1000) / costQuality) / 1000)
}
