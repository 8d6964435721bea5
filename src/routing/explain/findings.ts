/** What each hard rule found, in the order in which the router asks them. */
import type { GuardReport, RoutePlan, Target } from '../../gateway/steps.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { promptTokens } from '../request-size.ts'
import type { Resolution } from '../resolve-model.ts'
import { fitOf, type Needs } from '../rules.ts'
import { heldTo, type Bond } from '../stickiness.ts'
import type { Call } from '../../gateway/steps.ts'
import type { Finding, Goal, Side } from './explanation.ts'

export interface Facts {
  readonly call: Call
  readonly meant: Resolution
  readonly report: GuardReport | undefined
  readonly needs: Needs
  /** Targets that the guard leaves. */
  readonly allowed: readonly Target[]
  readonly bond: Bond | undefined
  readonly goal: Goal | undefined
  /** Undefined = refused. */
  readonly plan: RoutePlan | undefined
  readonly side: Side | undefined
}

export function findingsOf(facts: Facts): readonly Finding[] {
  const { call, meant, plan } = facts
  const name: Finding = {
    rule: 'name',
    did: meant.kind === 'target' ? 'decides' : 'passes',
    text:
      meant.kind === 'target'
        ? `${call.request.model} is a model; it is asked for by name`
        : `${call.request.model} is the route ${meant.route}${meant.mode === 'auto' ? '' : `, as ${meant.mode}`}`,
  }
  const rules: Finding[] = [name, guardFinding(facts), capabilityFinding(facts)]
  if (meant.kind === 'target') return rules
  return [
    ...rules,
    stickinessFinding(facts),
    plan?.reason === 'intent'
      ? { rule: 'intent', did: 'decides', text: `a rule for ${plan.intent} decides` }
      : { rule: 'intent', did: 'passes', text: plan === undefined ? 'not asked' : `${plan.intent}: no rule for it` },
    { rule: 'budget', did: 'unknown', text: 'what a task has spent is known to the running service alone' },
    goalFinding(facts),
  ]
}

function guardFinding({ call, report, plan, side }: Facts): Finding {
  const kinds = [...(report?.findings ?? [])].map(([kind, count]) => `${count} ${kind}`)
  const seen = [
    ...kinds,
    ...(report?.suspicion === undefined ? [] : [`suspicion ${report.suspicion.toFixed(2)}`]),
  ].join(', ')
  const { limits } = call
  if (limits?.localBy !== undefined) {
    const did =
      plan === undefined ? 'refuses' : plan.reason === 'residency' && side !== undefined ? 'decides' : 'narrows'
    return { rule: 'guard', did, text: `${seen}: only local models may see it (${limits.localBy})` }
  }
  if (limits?.isSteady === true)
    return { rule: 'guard', did: 'narrows', text: `${seen}: its text has no say in which model answers` }
  return {
    rule: 'guard',
    did: 'passes',
    text: seen === '' ? 'nothing found' : `${seen}: nothing follows for the route`,
  }
}

function capabilityFinding({ needs, allowed, plan }: Facts): Finding {
  const { size, capabilities } = needs
  const wants = [`about ${promptTokens(size)} tokens in`, ...capabilities].join(', ')
  const out = allowed.filter((target) => fitOf(target, needs) === 'lacks')
  if (out.length === 0) return { rule: 'capability', did: 'passes', text: `${wants}: every model can take it` }
  const names = out.map((target) => `${target.name} (${whyOut(target, needs) ?? ''})`).join(', ')
  const did = plan === undefined ? 'refuses' : plan.reason === 'capability' ? 'decides' : 'narrows'
  return { rule: 'capability', did, text: `${wants}; out: ${names}` }
}

/** Why a model cannot take a request; undefined = it can. */
export function whyOut(target: Target, needs: Needs): string | undefined {
  const lacks = needs.capabilities.filter((capability) => !target.capabilities.has(capability))
  if (lacks.length > 0) return `lacks ${lacks.join(', ')}`
  switch (fitOf(target, needs)) {
    case 'fits':
      return undefined
    case 'tight':
      return `${target.contextTokens ?? 0} tokens of context may be too few`
    case 'lacks':
      return `${target.contextTokens ?? 0} tokens of context are too few`
    default:
      throw new SwitchyardError('internal_error', 'There is no such fit.')
  }
}

function stickinessFinding({ bond, allowed, plan }: Facts): Finding {
  if (bond === undefined)
    return { rule: 'stickiness', did: 'passes', text: 'nothing in the conversation holds it to a model' }
  const held = heldTo(bond, allowed).map(({ name }) => name)
  const by = bond.model ?? `${bond.signer}'s signed thinking`
  if (plan?.reason === 'sticky')
    return { rule: 'stickiness', did: 'decides', text: `held by ${by}: ${held.join(', ')}` }
  return { rule: 'stickiness', did: 'passes', text: `${by}, but no model of the route can go on with it` }
}

function goalFinding({ goal, plan }: Facts): Finding {
  if (goal === undefined || plan === undefined) return { rule: 'goal', did: 'passes', text: 'not asked' }
  const isIts = plan.reason === 'share' || plan.reason === 'gain' || plan.reason === 'degraded'
  switch (goal.kind) {
    case 'tier':
      return {
        rule: 'goal',
        did: plan.reason === 'pinned' ? 'decides' : 'passes',
        text: `${goal.mode}: the caller's own choice`,
      }
    case 'share':
      return {
        rule: 'goal',
        did: isIts ? 'decides' : 'passes',
        text: `${percent(goal.share)} of requests to the big side`,
      }
    case 'gain':
      return { rule: 'goal', did: isIts ? 'decides' : 'passes', text: `costQuality ${goal.costQuality}` }
    default:
      return goal satisfies never
  }
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}
