/** The routes of a configuration, put together once at start. */
import type { Target } from '../gateway/steps.ts'
import { ScoreAssessor, type Assessor, type RoutingEncoder } from './assessment.ts'
import { createPolicy, MODES, type Mode, type Policy, type PolicyKnowledge, type RouteTarget } from './policy.ts'
import type { Scorer } from './scorer.ts'
import { signerOf } from './stickiness.ts'

export interface RouteOptions extends RouteTarget {
  /** Names of targets, in the order to try them. */
  readonly small: readonly string[]
  readonly big: readonly string[]
  /** Whether a tier that fails may be followed by the other one. */
  readonly fallback: 'tier' | 'cross-tier'
}

export interface Route {
  /** The guard has taken models out of it. */
  readonly isLimited?: boolean
  /** It may not change its mind: the request is suspicious. */
  readonly isSteady?: boolean
  readonly small: readonly Target[]
  readonly big: readonly Target[]
  readonly isCrossTier: boolean
  /** Some of its models sign what they think. */
  readonly hasSigners: boolean
  /** Judges between this route's models. */
  readonly assessor: Assessor
  readonly policies: Readonly<Record<Mode, Policy>>
}

/** The names as targets. Throws Error naming `where` for one that does not exist. */
export function targetsNamed(
  targets: ReadonlyMap<string, Target>,
  names: readonly string[],
  where: string,
): readonly Target[] {
  return names.map((name) => {
    const target = targets.get(name)
    if (target === undefined) throw new Error(`${where}: there is no model ${name}.`)
    return target
  })
}

/** Throws Error for a route that names no model, or one that does not exist. */
export function routeFor(
  name: string,
  options: RouteOptions,
  targets: ReadonlyMap<string, Target>,
  anyScorer: Scorer,
  { encoder, encoderBand = 0 }: { readonly encoder?: RoutingEncoder; readonly encoderBand?: number },
): Route {
  const small = targetsNamed(targets, options.small, `routes.${name}.small`)
  const big = targetsNamed(targets, options.big, `routes.${name}.big`)
  if (small.length + big.length === 0) throw new Error(`routes.${name}: it names no model.`)
  const scorer = scorerFor(anyScorer, small[0], big[0])
  return {
    small,
    big,
    isCrossTier: options.fallback === 'cross-tier',
    hasSigners: [...small, ...big].some((target) => signerOf(target) !== undefined),
    assessor: new ScoreAssessor(scorer, encoder),
    policies: policiesOf(options, {
      usualScores: scorer.usualScores,
      undecidedBand: encoder === undefined ? 0 : encoderBand,
    }),
  }
}

function policiesOf(route: RouteOptions, knowledge: PolicyKnowledge): Record<Mode, Policy> {
  return Object.fromEntries(MODES.map((mode) => [mode, createPolicy(mode, route, knowledge)])) as Record<Mode, Policy>
}

/** The first of either side stands for it. */
function scorerFor(scorer: Scorer, small: Target | undefined, big: Target | undefined): Scorer {
  if (scorer.forPair === undefined) return scorer
  return scorer.forPair({
    ...(small === undefined ? {} : { small: small.model }),
    ...(big === undefined ? {} : { big: big.model }),
  })
}
