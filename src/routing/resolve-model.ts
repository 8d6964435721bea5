/** From the model name that a caller wrote to what it means. Names are lookup keys in Maps and nothing else. */
import type { Target } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { nearestNames, shownName } from './model-names.ts'
import { MODES, type Mode } from './policy.ts'

export type Resolution =
  | { readonly kind: 'route'; readonly route: string; readonly mode: Mode }
  | { readonly kind: 'target'; readonly target: Target }

export interface ModelNames {
  readonly targets: ReadonlyMap<string, Target>
  /** Names of the routes, `auto` among them. */
  readonly routes: readonly string[]
  /** Name, or pattern with `*` for any run of characters -> route, route with mode, target, `upstream/model` or served name. */
  readonly aliases: Readonly<Record<string, string>>
}

export interface ModelResolver {
  /**
   * What `name` means to a key that may use `allowed` (absent = everything).
   * Throws `model_not_found` with the three nearest names, or `model_not_allowed`.
   */
  resolve(name: string, allowed: ReadonlySet<string> | undefined): Resolution
  /** The route that a name means; undefined = a model, or nothing. */
  routeOf(name: string): string | undefined
  /** Names to show, routes first. */
  readonly names: readonly string[]
}

/** No provider's name is longer; a longer one is not even compared. */
const NAME_CHARS_MOST = 256

/** Throws Error where an alias points nowhere: a configuration mistake, found at start. */
export function createModelResolver(options: ModelNames): ModelResolver {
  const exact = new Map<string, Resolution>()
  for (const route of options.routes) {
    for (const mode of MODES) exact.set(mode === 'auto' ? route : `${route}:${mode}`, { kind: 'route', route, mode })
  }
  for (const [name, target] of options.targets) exact.set(name, { kind: 'target', target })
  const served = servedNames(options.targets)
  const { literal, patterns } = resolveAliases(options.aliases, (name) => exact.get(name) ?? served.get(name))
  const aliasOf = (name: string): Resolution | undefined =>
    literal.get(name) ?? patterns.find(({ pattern }) => matchesGlob(pattern, name))?.resolution
  const lookup = (name: string): Resolution | undefined => exact.get(name) ?? aliasOf(name) ?? served.get(name)
  const suggestions = [...new Set([...exact.keys(), ...literal.keys(), ...served.keys()])]

  return {
    names: [...exact.keys(), ...literal.keys()],
    routeOf: (name) => {
      const resolution = name.length > NAME_CHARS_MOST ? undefined : lookup(name)
      return resolution?.kind === 'route' ? resolution.route : undefined
    },
    resolve: (name, allowed) => {
      const resolution = name.length > NAME_CHARS_MOST ? undefined : lookup(name)
      if (resolution === undefined) {
        const mayUse = (candidate: string): boolean => {
          const found = lookup(candidate)
          return found !== undefined && isAllowed(candidate, found, allowed)
        }
        throw notFound(name, allowed === undefined ? suggestions : suggestions.filter(mayUse))
      }
      if (!isAllowed(name, resolution, allowed)) throw notAllowed(name, allowed)
      return resolution
    },
  }
}

/** `upstream/model` for every target, and the bare model name where exactly one target serves it. */
function servedNames(targets: ReadonlyMap<string, Target>): Map<string, Resolution> {
  const served = new Map<string, Resolution>()
  const bare = new Map<string, Target[]>()
  for (const target of targets.values()) {
    const full = `${target.upstream}/${target.model}`
    if (!served.has(full)) served.set(full, { kind: 'target', target })
    bare.set(target.model, [...(bare.get(target.model) ?? []), target])
  }
  for (const [model, serving] of bare) {
    const [only] = serving
    if (only !== undefined && serving.length === 1 && !served.has(model)) {
      served.set(model, { kind: 'target', target: only })
    }
  }
  return served
}

interface Aliases {
  readonly literal: Map<string, Resolution>
  /** In the order of the file: the first that matches counts. */
  readonly patterns: readonly { readonly pattern: string; readonly resolution: Resolution }[]
}

/** Aliases do not point to aliases: no chains, no circles. */
function resolveAliases(aliases: ModelNames['aliases'], find: (name: string) => Resolution | undefined): Aliases {
  const literal = new Map<string, Resolution>()
  const patterns: { pattern: string; resolution: Resolution }[] = []
  for (const [alias, goal] of Object.entries(aliases)) {
    const resolution = find(goal)
    if (resolution === undefined) {
      throw new Error(`aliases.${alias}: there is no route or model ${shownName(goal)} that it could stand for.`)
    }
    if (alias.includes('*')) patterns.push({ pattern: alias, resolution })
    else literal.set(alias, resolution)
  }
  return { literal, patterns }
}

/** `*` stands for any run of characters, none included; everything else for itself. Linear in pattern x name, no backtracking. */
export function matchesGlob(pattern: string, name: string): boolean {
  const pieces = pattern.split('*')
  const first = pieces[0] as string
  if (pieces.length === 1) return pattern === name
  const last = pieces.at(-1) as string
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
  const end = name.length - last.length
  let from = first.length
  for (const piece of pieces.slice(1, -1)) {
    const at = name.indexOf(piece, from)
    if (at === -1 || at + piece.length > end) return false
    from = at + piece.length
  }
  return true
}

/** A key may use what it lists: the name as written, the target it means, or the route with any of its modes. */
function isAllowed(name: string, resolution: Resolution, allowed: ReadonlySet<string> | undefined): boolean {
  if (allowed === undefined || allowed.has(name)) return true
  switch (resolution.kind) {
    case 'target':
      return allowed.has(resolution.target.name)
    case 'route':
      return allowed.has(resolution.route) || allowed.has(`${resolution.route}:${resolution.mode}`)
    default:
      return resolution satisfies never
  }
}

function notFound(name: string, known: readonly string[]): SwitchyardError {
  const nearest = name.length > NAME_CHARS_MOST ? known.slice(0, 3) : nearestNames(name, known, 3)
  const hint = nearest.length === 0 ? 'GET /v1/models lists the names.' : `Nearest: ${nearest.map(quoted).join(', ')}.`
  return new SwitchyardError('model_not_found', `There is no model ${quoted(shownName(name))}. ${hint}`, {
    param: 'model',
  })
}

function notAllowed(name: string, allowed: ReadonlySet<string> | undefined): SwitchyardError {
  const some = [...(allowed ?? [])].slice(0, 10)
  const hint = some.length === 0 ? '' : ` It may use ${some.map(quoted).join(', ')}.`
  return new SwitchyardError('model_not_allowed', `This key may not use the model ${quoted(shownName(name))}.${hint}`, {
    param: 'model',
  })
}

function quoted(name: string): string {
  return `\`${name}\``
}
