import { hash } from 'node:crypto'
import type { Target } from '../gateway/steps.ts'
import { canonicalJson } from './canonical-json.ts'
import type { CachePolicy } from './exact-cache.ts'

type Mode = 'off' | 'exact' | 'shadow' | 'semantic'
export interface PolicyOptions {
  readonly mode: Mode
  readonly routes: Readonly<
    Record<string, { readonly cache?: { readonly mode: Mode | undefined; readonly sampled: boolean } }>
  >
  readonly aliases: Readonly<Record<string, string>>
  readonly targets: ReadonlyMap<string, Target>
  /** The route that a name means; undefined = a model, or nothing. */
  routeOf(name: string): string | undefined
}

/** Names that callers write, kept so that each is worked out once; whoever makes new ones up fills no memory. */
const MOST_NAMES = 1000

/**
 * What the cache does for each name that callers write. The revision of a model is its definition and the figures it is sold at; that of
 * a route or alias covers everything that can answer it.
 */
export function cachePolicies(options: PolicyOptions): (name: string) => CachePolicy {
  const { mode, routes, targets, aliases } = options
  const all = revisionOf([routes, aliases, [...targets.values()].map(definition)])
  const known = new Map<string, CachePolicy>()
  const make = (name: string): CachePolicy => {
    const route = options.routeOf(name)
    const own = route === undefined ? undefined : routes[route]?.cache
    const target = route === undefined ? targets.get(name) : undefined
    return {
      isOn: (own?.mode ?? mode) !== 'off',
      sampled: own?.sampled ?? false,
      revision: target === undefined ? all : revisionOf(definition(target)),
      route,
    }
  }
  return (name) => {
    let policy = known.get(name)
    if (policy === undefined) {
      policy = make(name)
      if (known.size < MOST_NAMES) known.set(name, policy)
    }
    return policy
  }
}

function definition({ name, upstream, kind, model, tier, api, extraBody, price }: Target): unknown {
  return { name, upstream, kind, model, tier, api, extraBody, price: price?.revision }
}

function revisionOf(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'base64url').slice(0, 16)
}
