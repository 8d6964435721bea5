/** Names that point somewhere: models of routes, fallbacks, aliases and keys. */
import type { Target } from '../gateway/steps.ts'
import { nearest } from './problems.ts'
import type { FileConfig } from './schema.ts'

type Path = readonly (string | number)[]
type Report = (path: Path, sentence: string) => void

const MODES = ['cheap', 'balanced', 'best'] as const

/** Reports every name that means nothing, or that something else hides. */
export function checkNames(raw: FileConfig, targets: ReadonlyMap<string, Target>, report: Report): void {
  const models = [...targets.keys()]
  const routes = Object.keys(raw.routes)
  const meanings = new Set([...models, ...routeNames(routes), ...servedNames(targets)])
  const model = (name: string, path: Path): void => {
    if (!targets.has(name)) report(path, `there is no model "${name}".${suggestion(name, models)}`)
  }
  for (const [name, { fallbacks }] of Object.entries(raw.models)) {
    const at = ['models', name, 'fallbacks']
    fallbacks.forEach((each, i) => model(each, [...at, i]))
    if (fallbacks.includes(name)) report(at, 'a model cannot stand in for itself. Remove it from its own list.')
  }
  for (const [name, route] of Object.entries(raw.routes)) {
    const at = ['routes', name]
    route.small.forEach((each, i) => model(each, [...at, 'small', i]))
    route.big.forEach((each, i) => model(each, [...at, 'big', i]))
    if (route.cascade !== undefined && route.cascade !== 'off')
      route.cascade.secondOpinions?.forEach((each, i) => model(each, [...at, 'cascade', 'secondOpinions', i]))
    if (route.small.length + route.big.length === 0) report(at, 'it names no model. List some under small and big.')
    if (route.targetBigShare !== undefined && route.costQuality !== undefined)
      report([...at, 'costQuality'], 'targetBigShare and costQuality exclude each other. Keep one.')
    if (targets.has(name)) report(at, 'a model has this name already. Rename one of them.')
  }
  for (const [alias, meant] of Object.entries(raw.aliases)) {
    if (targets.has(alias) || routeNames(routes).includes(alias))
      report(['aliases', alias], 'a model or route has this name already, so the alias would never be used. Remove it.')
    if (!meanings.has(meant)) {
      const hint = suggestion(meant, [...models, ...routeNames(routes)])
      report(['aliases', alias], `it points to "${meant}", which is neither a route nor a model.${hint}`)
    }
  }
  const problemOf = keyModelProblem(raw, targets)
  raw.keys.forEach((key, index) =>
    key.models?.forEach((name, position) => {
      const problem = problemOf(name)
      if (problem !== undefined) report(['keys', index, 'models', position], problem)
    }),
  )
}

/** What is wrong with a name in the list of models that a key may use; undefined = nothing. */
export function keyModelProblem(
  {
    routes,
    aliases,
  }: { readonly routes: Readonly<Record<string, unknown>>; readonly aliases: Readonly<Record<string, string>> },
  targets: ReadonlyMap<string, Target>,
): (name: string) => string | undefined {
  const known = [...targets.keys(), ...routeNames(Object.keys(routes)), ...Object.keys(aliases)]
  const allowed = new Set([...known, ...servedNames(targets)])
  return (name) => (allowed.has(name) ? undefined : `there is no model "${name}".${suggestion(name, known)}`)
}

function routeNames(routes: readonly string[]): readonly string[] {
  return routes.flatMap((route) => [route, ...MODES.map((mode) => `${route}:${mode}`)])
}

/** `upstream/model`, and the bare name where one target alone serves it. */
function servedNames(targets: ReadonlyMap<string, Target>): readonly string[] {
  const all = [...targets.values()]
  const bare = all.map((target) => target.model)
  return [
    ...all.map((target) => `${target.upstream}/${target.model}`),
    ...bare.filter((model) => bare.indexOf(model) === bare.lastIndexOf(model)),
  ]
}

/** The nearest known name, or all of them. */
export function suggestion(wrong: string, known: readonly string[]): string {
  const near = nearest(wrong, known)
  return near === undefined ? ` There are: ${known.join(', ') || 'none'}.` : ` Did you mean "${near}"?`
}
