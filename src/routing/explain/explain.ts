/**
 * Why a request goes where it goes. The plan is the real router's, of one that has just started; what is said beside it comes from the
 * same functions that it is made of. Counts nothing, sends nothing, and knows nothing of a running service: not which answers it gave,
 * which scores it saw last, or what a task has left.
 */
import type { Admission, Call, RoutePlan, Screened, Target } from '../../gateway/steps.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { scopeOf } from '../answer-marks.ts'
import { featuresOf } from '../features.ts'
import { scoreOf } from '../gain-score.ts'
import { expectedPrice, sizeOf } from '../request-size.ts'
import { createModelResolver, type Resolution } from '../resolve-model.ts'
import { limitedRoute } from '../residency.ts'
import { targetsNamed, type RouteOptions } from '../route.ts'
import type { RouterOptions } from '../router.ts'
import type { Needs } from '../rules.ts'
import { bondOf } from '../stickiness.ts'
import type { Scorer } from '../scorer.ts'
import { TrainedScorer } from '../trained-scorer.ts'
import { changesOf } from './changes.ts'
import { explainGain } from './contributions.ts'
import type { Considered, ExplainedScore, Explanation, Side, Sides } from './explanation.ts'
import { findingsOf, whyOut } from './findings.ts'
import { goalOf } from './goal.ts'
import { WatchedEncoder } from './watched-encoder.ts'
import { freshPlan, sideOf, type Probe } from './probe.ts'

/** What a call without a task is admitted as. */
const NO_TASK: Admission = { taskId: undefined, taskType: 'default' }

/**
 * @param asked As it arrived.
 * @param screened What the guard made of it; undefined = it found nothing.
 * @returns Also for a request that no model can take: then with its refusal. Rejects where `asked.request.model` means nothing to its key.
 */
export async function explainRoute(options: RouterOptions, asked: Call, screened?: Screened): Promise<Explanation> {
  const { call, report } = screened ?? { call: asked, report: undefined }
  const { request, caller } = call
  const { targets, routes, aliases } = options
  const meant = createModelResolver({ targets, aliases, routes: Object.keys(routes) }).resolve(
    request.model,
    caller.models,
  )
  const needs: Needs = { capabilities: options.requires(request), size: sizeOf(request) }
  const probe: Probe = { options, call, admission: NO_TASK }
  const encoder = options.encoder === undefined ? undefined : new WatchedEncoder(options.encoder)
  const watched = encoder === undefined ? probe : { ...probe, options: { ...options, encoder } }
  const { plan, refusal } =
    screened?.refusal === undefined ? await planOrRefusal(watched) : { plan: undefined, refusal: screened.refusal }
  const sides = sidesOf(meant, targets, routes)
  const allowed = plan === undefined && call.limits?.localBy !== undefined ? [] : allowedOf(request.model, sides, call)
  const side =
    plan === undefined || meant.kind === 'target'
      ? undefined
      : sideOf(
          plan,
          sides.small.map(({ name }) => name),
        )
  const score = meant.kind === 'target' ? undefined : scoreFor(options.scorer, sides, call, plan, encoder?.vector)
  const route = meant.kind === 'target' ? undefined : (routes[meant.route] as RouteOptions)
  const goal =
    meant.kind === 'target' || route === undefined || plan === undefined
      ? undefined
      : await goalOf({ probe, mode: meant.mode, route, score, needs, sides })
  const bond = bondOf(
    request.messages,
    () => scopeOf(undefined, request.messages),
    (mark) => options.answers.modelOf(caller.tenant, mark),
  )
  return {
    model: request.model,
    route: meant.kind === 'target' ? undefined : meant.route,
    mode: meant.kind === 'target' ? undefined : meant.mode,
    plan,
    refusal,
    side,
    findings: findingsOf({ call, meant, report, needs, allowed, bond, goal, plan, side }),
    score,
    goal,
    alternatives: consideredOf(sides, allowed, needs, plan),
    changes:
      meant.kind === 'target' || side === undefined || plan === undefined
        ? []
        : await changesOf({ probe, route: meant.route, mode: meant.mode, plan, side, score, goal }),
  }
}

async function planOrRefusal(
  probe: Probe,
): Promise<{ plan: RoutePlan | undefined; refusal: SwitchyardError | undefined }> {
  try {
    return { plan: await freshPlan(probe), refusal: undefined }
  } catch (error) {
    if (error instanceof SwitchyardError) return { plan: undefined, refusal: error }
    throw error
  }
}

/** Models of the route, or of the name and those that stand in for it. */
function sidesOf(meant: Resolution, targets: RouterOptions['targets'], routes: RouterOptions['routes']): Sides {
  if (meant.kind === 'target') {
    const { target } = meant
    return { small: [target, ...targetsNamed(targets, target.fallbacks, target.name)], big: [] }
  }
  const { small, big } = routes[meant.route] as RouteOptions
  return { small: targetsNamed(targets, small, meant.route), big: targetsNamed(targets, big, meant.route) }
}

function allowedOf(model: string, { small, big }: Sides, { limits }: Call): readonly Target[] {
  const limited = limitedRoute(model, { small, big, isCrossTier: true }, limits)
  return [...new Set([...limited.small, ...limited.big])]
}

/** Judged also where a rule decided before: undefined where a side of the route is empty, or nothing was trained. */
function scoreFor(
  scorer: Scorer,
  { small, big }: Sides,
  { request }: Call,
  plan: RoutePlan | undefined,
  vector: Float32Array | undefined,
): ExplainedScore | undefined {
  const [first] = small
  const [second] = big
  if (first === undefined || second === undefined || !(scorer instanceof TrainedScorer)) return undefined
  const { head } = scorer.forPair({ small: first.model, big: second.model })
  const explained = explainGain(head, featuresOf(request), vector)
  return {
    ...explained,
    head: head.choice.kind,
    pair: head.choice.pair,
    small: first.model,
    big: second.model,
    usualScores: head.usualScores,
    score: plan?.score ?? scoreOf(explained.judgement.gain),
    isUsed: plan?.score !== undefined,
  }
}

function consideredOf(
  { small, big }: Sides,
  allowed: readonly Target[],
  needs: Needs,
  plan: RoutePlan | undefined,
): readonly Considered[] {
  const isRoute = big.length > 0
  return [...new Set([...small, ...big])].map((target) => {
    const side: Side | undefined = isRoute ? (small.includes(target) ? 'small' : 'big') : undefined
    return {
      target: target.name,
      tier: target.tier,
      price: expectedPrice(needs.size, target.price),
      side,
      isOutFor: allowed.includes(target) ? whyOut(target, needs) : 'may not see it',
      isChosen: plan?.targets[0] === target,
    }
  })
}
