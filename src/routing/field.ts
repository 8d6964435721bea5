/** Which models of a route a request can go to at all. */
import type { Target } from '../gateway/steps.ts'
import type { Mode } from './policy.ts'
import type { Route } from './route.ts'
import { fitOf, refusal, type Fit, type Needs } from './rules.ts'
import type { WarmTarget } from './switch-cost.ts'
import type { WarmPrefix } from './warm-prefix.ts'
import { heldTo, type Bond } from './stickiness.ts'

/** What is known of a request once the rules have run. */
export interface Field {
  readonly needs: Needs
  readonly small: readonly Target[]
  readonly big: readonly Target[]
  /** Whose prompt cache has the conversation; absent = nobody's, or not known. */
  readonly warm?: WarmTarget
  /** As `PolicyInput.bar`. */
  readonly bar?: number
}

/** The targets of a route that can take the request; where none surely fits, those that might. Throws the refusal where none can. */
export function fieldOf(model: string, route: Route, needs: Needs): Field {
  const fit = (target: Target): Fit => fitOf(target, needs)
  for (const wanted of ['fits', 'tight'] as const) {
    const small = having(route.small, wanted, fit)
    const big = having(route.big, wanted, fit)
    if (small.length + big.length > 0) return { needs, small, big }
  }
  throw refusal(model, [...route.small, ...route.big], needs)
}

function having(targets: readonly Target[], wanted: Fit, fit: (target: Target) => Fit): readonly Target[] {
  return targets.every((target) => fit(target) === wanted)
    ? targets
    : targets.filter((target) => fit(target) === wanted)
}

/** The part of the field that a conversation is held to; undefined = it is free, or none of these can keep it. `cheap` and `best` are the caller's own choice of tier, which goes before. */
export function heldField(bond: Bond | undefined, field: Field, mode: Mode): Field | undefined {
  if (bond === undefined) return undefined
  const all = mode === 'cheap' ? field.small : mode === 'best' ? field.big : [...field.small, ...field.big]
  const held = heldTo(bond, all)
  if (held.length === 0) return undefined
  const within = (side: readonly Target[]): readonly Target[] => side.filter((target) => held.includes(target))
  return { ...field, small: within(field.small), big: within(field.big) }
}

/** The field with its warm model first on its side. A conversation that is warm at a model outside of the field is not warm. */
export function warmField(field: Field, prefix: WarmPrefix): Field {
  const led = (side: readonly Target[], target: Target): readonly Target[] =>
    side.includes(target) && side[0] !== target ? [target, ...side.filter((other) => other !== target)] : side
  const { small, big } = field
  const target = small.find(({ name }) => name === prefix.target) ?? big.find(({ name }) => name === prefix.target)
  if (target === undefined) return field
  return { ...field, small: led(small, target), big: led(big, target), warm: { target, tokens: prefix.tokens } }
}
