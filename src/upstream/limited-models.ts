import type { RoutePlan, Router, Sender, SendResult, Target } from '../gateway/steps.ts'
import type { ErrorCode } from '../shared/errors.ts'

/** Refusals that say when to come back. */
const LIMITS: ReadonlySet<ErrorCode> = new Set(['upstream_rate_limited', 'upstream_overloaded'])

/**
 * Models whose server has said when to come back (`retry-after` of a 429 or 503). Until then they stand last in every plan: nobody
 * waits for them, nobody is refused without asking them, and a model that can answer is not tried in vain first. One answer of
 * theirs ends it. Wraps the steps before and after the attempt, so that neither knows of it.
 */
export class LimitedModels {
  readonly #now: () => number
  /** By the model as its upstream knows it: limits count there, whatever we call it. */
  readonly #untilMs = new Map<string, number>()

  /** @param now Monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The sender, with its refusals noted. */
  noting(sender: Sender): Sender {
    return {
      send: (call, hold, consumer) =>
        sender.send(call, hold, consumer).then((result) => {
          this.#note(hold.attempt.target, result)
          return result
        }),
    }
  }

  /** The router, with limited models behind the others of its plan. */
  behind(router: Router): Router {
    return {
      route: (call, admission) => {
        const plan = router.route(call, admission)
        if (this.#untilMs.size === 0) return plan
        return plan instanceof Promise ? plan.then((each) => this.#order(each)) : this.#order(plan)
      },
    }
  }

  #note(target: Target, { outcome }: SendResult): void {
    if (outcome.kind === 'complete') {
      if (this.#untilMs.size > 0) this.#untilMs.delete(keyOf(target))
    } else if (outcome.kind === 'failed' && LIMITS.has(outcome.error.code)) {
      const { retryAfterMs } = outcome.error
      if (retryAfterMs !== undefined) this.#untilMs.set(keyOf(target), this.#now() + retryAfterMs)
    }
  }

  #order(plan: RoutePlan): RoutePlan {
    const [first, ...others] = [
      ...plan.targets.filter((target) => !this.#isLimited(target)),
      ...plan.targets.filter((target) => this.#isLimited(target)),
    ]
    if (first === undefined || first === plan.targets[0]) return plan
    return { ...plan, targets: [first, ...others], reason: 'fallback' }
  }

  #isLimited(target: Target): boolean {
    const key = keyOf(target)
    const untilMs = this.#untilMs.get(key)
    if (untilMs === undefined) return false
    if (this.#now() < untilMs) return true
    this.#untilMs.delete(key)
    return false
  }
}

function keyOf(target: Target): string {
  return `${target.upstream}\n${target.model}`
}
