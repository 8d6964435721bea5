/** What would send a request to the other side. Whatever is said here was tried on a router of the same configuration. */
import type { RoutePlan } from '../../gateway/steps.ts'
import type { Mode } from '../policy.ts'
import type { RouteOptions } from '../route.ts'
import type { ExplainedScore, Goal, Side } from './explanation.ts'
import { freshPlan, sideOf, threshold, type Probe } from './probe.ts'

export interface ChangeFacts {
  readonly probe: Probe
  readonly route: string
  readonly mode: Mode
  readonly plan: RoutePlan
  readonly side: Side
  readonly score: ExplainedScore | undefined
  readonly goal: Goal | undefined
}

/** Sentences; empty = nothing that is known here. */
export async function changesOf(facts: ChangeFacts): Promise<readonly string[]> {
  return [...scoreChange(facts), ...(await settingChange(facts)), ...(await nameChange(facts))]
}

function scoreChange({ goal, score, side }: ChangeFacts): readonly string[] {
  if (goal === undefined || goal.kind === 'tier' || goal.threshold === undefined || score?.isUsed !== true) return []
  const at = goal.threshold.toFixed(3)
  const bound = side === 'small' ? `of ${at} or more` : `below ${at}`
  return [`a score ${bound}, where this one has ${score.score.toFixed(3)}, to the ${other(side)} side`]
}

async function settingChange(facts: ChangeFacts): Promise<readonly string[]> {
  const { goal, route, probe, side, mode } = facts
  if (goal === undefined || goal.kind === 'tier' || mode !== 'auto') return []
  const setting = goal.kind === 'share' ? 'targetBigShare' : 'costQuality'
  const now = goal.kind === 'share' ? goal.share : goal.costQuality
  const options = probe.options.routes[route] as RouteOptions
  const from = await threshold(async (value) => {
    const routes = { ...probe.options.routes, [route]: { ...options, [setting]: value } }
    return sideOf(await freshPlan({ ...probe, options: { ...probe.options, routes } }), options.small)
  })
  if (from === undefined) return []
  const bound = side === 'small' ? `above ${from.toFixed(3)}` : `below ${from.toFixed(3)}`
  return [`routes.${route}.${setting} ${bound}, where it is ${now}, to the ${other(side)} side`]
}

async function nameChange({ probe, route, side, plan }: ChangeFacts): Promise<readonly string[]> {
  const { options, call } = probe
  const name = `${route}:${side === 'small' ? 'best' : 'cheap'}`
  const { small } = options.routes[route] as RouteOptions
  const { models } = call.caller
  if (models !== undefined && !models.has(name) && !models.has(route)) return []
  const asked = { ...call, request: { ...call.request, model: name } }
  const then = await freshPlan({ ...probe, call: asked })
  if (sideOf(then, small) === side || then.targets[0] === plan.targets[0]) return []
  return [`model: ${name}, to ${then.targets[0].name}`]
}

function other(side: Side): Side {
  return side === 'small' ? 'big' : 'small'
}
