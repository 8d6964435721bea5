/** Step 3 of a request: hard rules, then a score, then the policy of the route. Joins the parts of this folder; decides nothing itself. */
import type {
  Admission,
  Alternative,
  Call,
  Capability,
  RouteLimits,
  RoutePlan,
  Router,
  Target,
} from '../gateway/steps.ts'
import type { ChatRequest } from '../protocol/request.ts'
import { marksOfEvent, scopeOf } from './answer-marks.ts'
import type { AnswerMemory } from './answer-memory.ts'
import { NO_INTENT, type Assessment, type RoutingEncoder } from './assessment.ts'
import { choose, inputOf, stuck, type Choice } from './choice.ts'
import { budgetBar } from './budget-bar.ts'
import { fieldOf, heldField, warmField, type Field } from './field.ts'
import { expectedPrice, promptTokens, sizeOf } from './request-size.ts'
import { createModelResolver } from './resolve-model.ts'
import { limitedRoute, mayStandIn, pinnedWithin } from './residency.ts'
import { routeFor, targetsNamed, type Route, type RouteOptions } from './route.ts'
import { fitOf, refusal, type Needs } from './rules.ts'
import type { Scorer } from './scorer.ts'
import { bondOf, type Bond } from './stickiness.ts'
import { CACHEABLE_TOKENS, type WarmPrefixes } from './warm-prefix.ts'

export interface RouterOptions {
  readonly targets: ReadonlyMap<string, Target>
  readonly routes: Readonly<Record<string, RouteOptions>>
  readonly aliases: Readonly<Record<string, string>>
  readonly scorer: Scorer
  /** Asked where a score alone leaves the policy undecided; absent = nobody is. */
  readonly encoder?: RoutingEncoder
  /** How near to its threshold a score asks the encoder (`encoder.routingBand`); default 0 = none does. */
  readonly encoderBand?: number
  readonly answers: AnswerMemory
  /** Whose prompt cache has which conversation; absent = not remembered. */
  readonly prefixes?: Pick<WarmPrefixes, 'of' | 'answered'>
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

class RuleThenScoreRouter implements ModelRouter {
  readonly #options: RouterOptions
  readonly #routes: ReadonlyMap<string, Route>
  readonly #fallbacks: ReadonlyMap<Target, readonly Target[]>
  readonly #resolver: ReturnType<typeof createModelResolver>

  constructor(options: RouterOptions) {
    this.#options = options
    const { targets, scorer } = options
    this.#routes = new Map(
      Object.entries(options.routes).map(([name, route]) => [name, routeFor(name, route, targets, scorer, options)]),
    )
    this.#fallbacks = new Map(
      [...targets.values()].map((target) => [
        target,
        targetsNamed(targets, target.fallbacks, `models.${target.name}.fallbacks`),
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
    const field = this.#circumstances(call, admission, fieldOf(request.model, route, needs))
    const policy = route.policies[meant.mode]
    const note = this.#noteOf(call, admission, route, needs)
    const asked = note === undefined ? { route: meant.route } : { route: meant.route, note }
    const held = heldField(this.#bondOf(call, admission), field, meant.mode)
    const decide = (known: Assessment | undefined): RoutePlan => {
      const choice = choose(held ?? field, route, policy, known?.score, this.#options.random)
      const kept = held === undefined ? choice : stuck(choice, field, route)
      return this.#planned(kept, known?.intent ?? NO_INTENT, field, started, asked)
    }
    const among = held ?? field
    if (among.small.length === 0 || among.big.length === 0 || !policy.wantsScore || limits?.isSteady === true)
      return decide(undefined)
    const known = route.assessor.assess(call)
    if (known instanceof Promise) return known.then(decide)
    if (!policy.isUndecided(inputOf(known.score, among, HALF)) || !route.assessor.canRefine(known)) return decide(known)
    return route.assessor.refine(known, call).then(decide)
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

  /** The field with what the conversation and the task bring along; most requests bring nothing. */
  #circumstances({ request, caller }: Call, { taskId, standing }: Admission, field: Field): Field {
    const { size } = field.needs
    let known = field
    if (request.messages.length > 2 && promptTokens(size) >= CACHEABLE_TOKENS) {
      const prefix = this.#options.prefixes?.of(caller.tenant, taskId, request.messages)
      if (prefix !== undefined) known = warmField(field, prefix)
    }
    if (standing === undefined) return known
    const bar = budgetBar(standing.spent(), standing.remaining(), expectedPrice(size, known.big[0]?.price))
    return bar === 1 ? known : { ...known, bar }
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
  #noteOf({ request, caller }: Call, { taskId }: Admission, route: Route, needs: Needs): RoutePlan['note'] {
    const { answers } = this.#options
    const prefixes = promptTokens(needs.size) < CACHEABLE_TOKENS ? undefined : this.#options.prefixes
    const leavesMark = request.tools.length > 0 || route.hasSigners || request.openai.audio !== undefined
    if (!leavesMark && prefixes === undefined) return undefined
    const scope = (): string => scopeOf(taskId, request.messages)
    return (target, chunk) => {
      for (const event of chunk.events) {
        if (event.type === 'usage') {
          prefixes?.answered(caller.tenant, taskId, request.messages, target, event.usage)
          continue
        }
        if (!leavesMark) continue
        for (const mark of marksOfEvent(event, scope)) answers.remember(caller.tenant, mark, target.name)
      }
    }
  }

  #pinned({ request: { model }, limits }: Call, target: Target, needs: Needs, started: number): RoutePlan {
    pinnedWithin(model, target, limits)
    if (fitOf(target, needs) === 'lacks') throw refusal(model, [target], needs)
    const fallbacks = (this.#fallbacks.get(target) ?? []).filter(
      (other) => fitOf(other, needs) === 'fits' && mayStandIn(other, target, limits),
    )
    const targets = [target, ...fallbacks]
    const field = { needs, small: targets, big: [] }
    return this.#planned({ targets, reason: 'pinned', score: undefined }, NO_INTENT, field, started)
  }

  #planned(
    choice: Choice,
    intent: string,
    field: Field,
    started: number,
    asked?: Pick<RoutePlan, 'route' | 'note'>,
  ): RoutePlan {
    const targets = distinct(choice.targets)
    return {
      targets,
      tier: targets[0].tier,
      reason: choice.reason,
      ...asked,
      ...(choice.escalation === undefined ? {} : { escalation: choice.escalation }),
      score: choice.score,
      intent,
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

/** Chance for a question that is not a decision. */
const HALF = 0.5

/** The targets in their order, each once. */
function distinct(targets: readonly Target[]): RoutePlan['targets'] {
  const [first, second] = targets
  // Nearly always one of either side.
  if (targets.length === 1 || (targets.length === 2 && first !== second)) return targets as RoutePlan['targets']
  return [...new Set(targets)] as unknown as RoutePlan['targets']
}
