/** An explanation as JSON: docs/routing.md lists the fields. */
import type { Explanation, Goal } from '../explain-routing.ts'

export function explanationJson(explanation: Explanation): unknown {
  const { model, route, mode, plan, refusal, side, findings, score, goal, alternatives, changes } = explanation
  return {
    model,
    route: route ?? null,
    mode: mode ?? null,
    decision:
      plan === undefined
        ? null
        : {
            target: plan.targets[0].name,
            tier: plan.tier,
            side: side ?? null,
            reason: plan.reason,
            intent: plan.intent,
            score: plan.score ?? null,
            fallbacks: plan.targets.slice(1).map(({ name }) => name),
            escalates_to: plan.escalation?.map(({ name }) => name) ?? [],
          },
    refusal:
      refusal === undefined
        ? null
        : { status: refusal.status, code: refusal.code, message: refusal.message, param: refusal.param ?? null },
    rules: findings.map(({ rule, did, text }) => ({ rule, did, text })),
    gain:
      score === undefined
        ? null
        : {
            gain: score.judgement.gain,
            score: score.score,
            used: score.isUsed,
            head: score.head,
            pair: score.pair ?? null,
            small: score.small,
            big: score.big,
            kind: score.judgement.kind,
            expert: score.judgement.expert ?? null,
            rows: score.judgement.rows,
            contributions: score.contributions.map(({ of, name, gain, value }) => ({
              of,
              name,
              gain,
              value: value ?? null,
            })),
          },
    goal: goal === undefined ? null : goalJson(goal),
    alternatives: alternatives.map(({ target, tier, side, price, isOutFor, isChosen }) => ({
      target,
      tier,
      side: side ?? null,
      expected_cost_nano_usd: price ?? null,
      out_for: isOutFor ?? null,
      chosen: isChosen,
    })),
    changes,
  }
}

function goalJson(goal: Goal): unknown {
  switch (goal.kind) {
    case 'tier':
      return { kind: goal.kind, mode: goal.mode }
    case 'share':
      return { kind: goal.kind, share: goal.share, rank: goal.rank, threshold: goal.threshold ?? null }
    case 'gain':
      return {
        kind: goal.kind,
        cost_quality: goal.costQuality,
        threshold: goal.threshold ?? null,
        small_nano_usd: goal.smallPrice ?? null,
        big_nano_usd: goal.bigPrice ?? null,
        quality_value_nano_usd: goal.qualityValue ?? null,
      }
    default:
      return goal satisfies never
  }
}
