/** What the guard allows: which models may see a request that holds something sensitive or suspicious. */
import type { RouteLimits, Target } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'

interface Sides {
  readonly small: readonly Target[]
  readonly big: readonly Target[]
  readonly isCrossTier: boolean
}

/** The route without the models that may not see the request. Throws `no_local_model` where none is left. */
export function limitedRoute<Route extends Sides>(
  model: string,
  route: Route,
  limits: RouteLimits | undefined,
): Route & { readonly isLimited?: boolean; readonly isSteady?: boolean } {
  if (limits === undefined) return route
  const isCrossTier = route.isCrossTier && !limits.isSteady
  const { isSteady } = limits
  if (limits.localBy === undefined) return { ...route, isCrossTier, isSteady }
  const small = route.small.filter(isLocal)
  const big = route.big.filter(isLocal)
  if (small.length + big.length === 0) throw noLocalModel(model, limits.localBy)
  const isLimited = small.length < route.small.length || big.length < route.big.length
  return { ...route, small, big, isCrossTier, isLimited, isSteady }
}

/** A model that was asked for by name, if it may see the request. Throws `no_local_model`. */
export function pinnedWithin(model: string, target: Target, limits: RouteLimits | undefined): Target {
  if (limits?.localBy !== undefined && !isLocal(target)) throw noLocalModel(model, limits.localBy)
  return target
}

/** Whether another model may answer in the place of the one that was asked for. */
export function mayStandIn(other: Target, target: Target, limits: RouteLimits | undefined): boolean {
  if (limits === undefined) return true
  if (limits.localBy !== undefined && !isLocal(other)) return false
  return !limits.isSteady || other.tier === target.tier
}

function isLocal({ tier }: Target): boolean {
  return tier === 'local'
}

function noLocalModel(model: string, setting: string): SwitchyardError {
  return new SwitchyardError(
    'no_local_model',
    `The request holds personal data or secrets, which stay on local models here (${setting}), and \`${model}\` has none. ` +
      'Remove them, or ask for a model of tier local.',
    { param: 'model' },
  )
}
