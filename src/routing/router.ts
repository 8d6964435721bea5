/** Step 3 of a request: hard rules, then a score, then the policy of the route. Joins the parts of this folder; decides nothing itself. */
import type {
  Admission,
  Alternative,
  Call,
  Capability,
  Reason,
  RouteLimits,
  RoutePlan,
  Router,
  Target,
} from '../gateway/steps.ts'
import type { ChatRequest } from '../protocol/request.ts'
import { marksOfEvent, scopeOf } from './answer-marks.ts'
import type { AnswerMemory } from './answer-memory.ts'
import { featuresOf } from './features.ts'
import { createPolicy, MODES, type Mode, type Policy, type RouteTarget } from './policy.ts'
import { expectedPrice, sizeOf } from './request-size.ts'
import { createModelResolver } from './resolve-model.ts'
import { limitedRoute, mayStandIn, pinnedWithin } from './residency.ts'
import { fitOf, refusal, type Fit, type Needs } from './rules.ts'
import type { Scorer } from './scorer.ts'
import { bondOf, heldTo, signerOf, type Bond } from './stickiness.ts'

export interface RouteOptions extends RouteTarget {
  /** Names of targets, in the order to try them. */
  readonly small: readonly string[]
  readonly big: readonly string[]
  /** Whether a tier that fails may be followed by the other one. */
  readonly fallback: 'tier' | 'cross-tier'
}

export interface RouterOptions {
  readonly targets: ReadonlyMap<string, Target>
  readonly routes: Readonly<Record<string, RouteOptions>>
  readonly aliases: Readonly<Record<string, string>>
  readonly scorer: Scorer
  readonly answers: AnswerMemory
  /** Capabilities that a request cannot be answered without. */
  readonly requires: (request: ChatRequest) => readonly Capability[]
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export interface ListedModel {
  readonly id: string
  readonly ownedBy: string
}

export interface ModelRouter extends Router {
  /** What `/v1/models` shows: routes with their modes, targets, aliases without a pattern. */
  listModels(): readonly ListedModel[]
  /**
   * The model that a name means, or the first of its route: for questions about a prompt that is not sent. Decides and counts nothing.
   * Throws `model_not_found` and `model_not_allowed`.
   */
  firstTarget(model: string, allowed: ReadonlySet<string> | undefined, limits?: RouteLimits): Target
  /** The route that a name means; undefined = a model, or nothing. */
  routeOf(model: string): string | undefined
}

/** Throws Error where a route, alias or fallback names a target that does not exist: a configuration mistake, found at start. */
export function createRouter(options: RouterOptions): ModelRouter {
  return new RuleThenScoreRouter(options)
}

interface Route {
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
  readonly scorer: Scorer
  readonly policies: Readonly<Record<Mode, Policy>>
}

/** What is known of a request once the rules have run. */
interface Field {
  readonly needs: Needs
  readonly small: readonly Target[]
  readonly big: readonly Target[]
}

interface Choice {
  readonly targets: readonly Target[]
  readonly reason: Reason
  readonly score: number | undefined
  /** The big side, where it may have to take over from the small one. */
  readonly escalation?: readonly Target[]
}

class RuleThenScoreRouter implements ModelRouter {
  readonly #options: RouterOptions
  readonly #routes: ReadonlyMap<string, Route>
  readonly #fallbacks: ReadonlyMap<Target, readonly Target[]>
  readonly #resolver: ReturnType<typeof createModelResolver>

  constructor(options: RouterOptions) {
    this.#options = options
    const named = (names: readonly string[], where: string): Target[] =>
      names.map((name) => {
        const target = options.targets.get(name)
        if (target === undefined) throw new Error(`${where}: there is no model ${name}.`)
        return target
      })
    this.#routes = new Map(
      Object.entries(options.routes).map(([name, route]) => {
        const small = named(route.small, `routes.${name}.small`)
        const big = named(route.big, `routes.${name}.big`)
        if (small.length + big.length === 0) throw new Error(`routes.${name}: it names no model.`)
        const isCrossTier = route.fallback === 'cross-tier'
        const hasSigners = [...small, ...big].some((target) => signerOf(target) !== undefined)
        const scorer = scorerFor(options.scorer, small[0], big[0])
        return [name, { small, big, isCrossTier, hasSigners, scorer, policies: policiesOf(route, scorer.usualScores) }]
      }),
    )
    this.#fallbacks = new Map(
      [...options.targets.values()].map((target) => [
        target,
        named(target.fallbacks, `models.${target.name}.fallbacks`),
      ]),
    )
    this.#resolver = createModelResolver({
      targets: options.targets,
      routes: [...this.#routes.keys()],
      aliases: options.aliases,
    })
  }

  route(call: Call, admission: Admission): RoutePlan | Promise<RoutePlan> {
    const started = this.#options.now()
    const { request, caller } = call
    const meant = this.#resolver.resolve(request.model, caller.models)
    const needs: Needs = { capabilities: this.#options.requires(request), size: sizeOf(request) }
    if (meant.kind === 'target') return this.#pinned(call, meant.target, needs, started)

    const { limits } = call
    const route = limitedRoute(request.model, this.#routes.get(meant.route) as Route, limits)
    const field = fieldOf(request.model, route, needs)
    const policy = route.policies[meant.mode]
    const note = this.#noteOf(call, admission, route)
    const asked = note === undefined ? { route: meant.route } : { route: meant.route, note }
    const held = heldField(this.#bondOf(call, admission), field, meant.mode)
    const decide = (score: number | undefined): RoutePlan => {
      const choice = choose(held ?? field, route, policy, score, this.#options.random)
      return this.#planned(held === undefined ? choice : stuck(choice, field, route), field, started, asked)
    }
    const among = held ?? field
    if (among.small.length === 0 || among.big.length === 0 || !policy.wantsScore || limits?.isSteady === true)
      return decide(undefined)
    const score = this.#score(call, route.scorer)
    return typeof score === 'object' ? score.then(decide) : decide(score)
  }

  firstTarget(model: string, allowed: ReadonlySet<string> | undefined, limits?: RouteLimits): Target {
    const meant = this.#resolver.resolve(model, allowed)
    if (meant.kind === 'target') return pinnedWithin(model, meant.target, limits)
    const { small, big } = limitedRoute(model, this.#routes.get(meant.route) as Route, limits)
    return (small[0] ?? big[0]) as Target
  }

  routeOf(model: string): string | undefined {
    return this.#resolver.routeOf(model)
  }

  listModels(): readonly ListedModel[] {
    return this.#resolver.names.map((id) => ({
      id,
      ownedBy: this.#options.targets.get(id)?.upstream ?? 'switchyard',
    }))
  }

  #bondOf({ request, caller }: Call, { taskId }: Admission): Bond | undefined {
    const { answers } = this.#options
    return bondOf(
      request.messages,
      () => scopeOf(taskId, request.messages),
      (mark) => answers.modelOf(caller.tenant, mark),
    )
  }

  /** Nothing is noted of answers that can leave no mark. */
  #noteOf({ request, caller }: Call, { taskId }: Admission, route: Route): RoutePlan['note'] {
    if (request.tools.length === 0 && !route.hasSigners && request.openai.audio === undefined) return undefined
    const { answers } = this.#options
    const scope = (): string => scopeOf(taskId, request.messages)
    return (target, chunk) => {
      for (const event of chunk.events)
        for (const mark of marksOfEvent(event, scope)) answers.remember(caller.tenant, mark, target.name)
    }
  }

  /** A scorer that fails must not fail the request: the policy then decides without a score. A leaving caller still ends it. */
  #score(call: Call, scorer: Scorer): number | undefined | Promise<number | undefined> {
    try {
      const score = scorer.score(featuresOf(call.request), call.signal)
      if (typeof score === 'number') return known(score)
      return score.then(known, () => {
        call.signal.throwIfAborted()
        return undefined
      })
    } catch {
      return undefined
    }
  }

  #pinned({ request: { model }, limits }: Call, target: Target, needs: Needs, started: number): RoutePlan {
    pinnedWithin(model, target, limits)
    if (fitOf(target, needs) === 'lacks') throw refusal(model, [target], needs)
    const fallbacks = (this.#fallbacks.get(target) ?? []).filter(
      (other) => fitOf(other, needs) === 'fits' && mayStandIn(other, target, limits),
    )
    const targets = [target, ...fallbacks]
    return this.#planned({ targets, reason: 'pinned', score: undefined }, { needs, small: targets, big: [] }, started)
  }

  #planned(choice: Choice, field: Field, started: number, asked?: Pick<RoutePlan, 'route' | 'note'>): RoutePlan {
    const targets = distinct(choice.targets)
    return {
      targets,
      tier: targets[0].tier,
      reason: choice.reason,
      ...asked,
      ...(choice.escalation === undefined ? {} : { escalation: choice.escalation }),
      score: choice.score,
      intent: 'other',
      alternatives: () =>
        distinct([...targets, ...field.small, ...field.big]).map((target): Alternative => ({
          target: target.name,
          tier: target.tier,
          price: expectedPrice(field.needs.size, target.price),
        })),
      tookMs: this.#options.now() - started,
    }
  }
}

/** The targets in their order, each once. */
function distinct(targets: readonly Target[]): RoutePlan['targets'] {
  const [first, second] = targets
  // Nearly always one of either side.
  if (targets.length === 1 || (targets.length === 2 && first !== second)) return targets as RoutePlan['targets']
  return [...new Set(targets)] as unknown as RoutePlan['targets']
}

function policiesOf(route: RouteOptions, usualScores: readonly number[] | undefined): Record<Mode, Policy> {
  return Object.fromEntries(MODES.map((mode) => [mode, createPolicy(mode, route, usualScores)])) as Record<Mode, Policy>
}

/** The targets of a route that can take the request; where none surely fits, those that might. Throws the refusal where none can. */
function fieldOf(model: string, route: Route, needs: Needs): Field {
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

function choose(field: Field, route: Route, policy: Policy, score: number | undefined, random: () => number): Choice {
  const { small, big } = field
  if (route.isLimited === true && (small.length === 0 || big.length === 0))
    return { targets: small.length === 0 ? big : small, reason: 'residency', score: undefined }
  if (small.length === 0) return { targets: big, reason: 'capability', score: undefined }
  if (big.length === 0) return { targets: small, reason: 'capability', score: undefined }
  const decision = policy.decide({
    score,
    smallPrice: expectedPrice(field.needs.size, small[0]?.price),
    bigPrice: expectedPrice(field.needs.size, big[0]?.price),
    chance: random(),
  })
  const [first, second] = decision.isBig ? [big, small] : [small, big]
  return {
    targets: route.isCrossTier ? [...first, ...second] : first,
    reason: route.isLimited === true ? 'residency' : decision.reason,
    score,
    // Who asks for the cheap side gets it.
    ...(decision.isBig || decision.reason === 'pinned' || route.isSteady === true ? {} : { escalation: big }),
  }
}

/** The part of the field that a conversation is held to; undefined = it is free, or none of these can keep it. `cheap` and `best` are the caller's own choice of tier, which goes before. */
function heldField(bond: Bond | undefined, field: Field, mode: Mode): Field | undefined {
  if (bond === undefined) return undefined
  const all = mode === 'cheap' ? field.small : mode === 'best' ? field.big : [...field.small, ...field.big]
  const held = heldTo(bond, all)
  if (held.length === 0) return undefined
  const within = (side: readonly Target[]): readonly Target[] => side.filter((target) => held.includes(target))
  return { ...field, small: within(field.small), big: within(field.big) }
}

/** A choice among those that a conversation is held to, with the others behind it as they would be for any request. Nothing is escalated: that would be a change, too. */
function stuck({ targets, score }: Choice, { small, big }: Field, { isCrossTier }: Route): Choice {
  const first = targets[0] as Target
  const [own, other] = small.includes(first) ? [small, big] : [big, small]
  return { targets: [...targets, ...own, ...(isCrossTier ? other : [])], reason: 'sticky', score }
}

/** The first of either side stands for it. */
function scorerFor(scorer: Scorer, small: Target | undefined, big: Target | undefined): Scorer {
  if (scorer.forPair === undefined) return scorer
  return scorer.forPair({
    ...(small === undefined ? {} : { small: small.model }),
    ...(big === undefined ? {} : { big: big.model }),
  })
}

/** A score that is no number is no score. */
function known(score: number): number | undefined {
  return Number.isFinite(score) ? Math.min(1, Math.max(0, score)) : undefined
}
