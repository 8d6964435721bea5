import type { Call, RoutePlan, Router, Target } from '../gateway/steps.ts'
import type { BudgetAdmission } from './budget-admitter.ts'

/** Sends the last request of a task to the cheapest of the models that can take it; all others where the router behind it says. */
export class WrapUpRouter implements Router {
  readonly #router: Router

  constructor(router: Router) {
    this.#router = router
  }

  route(call: Call, admission: BudgetAdmission): RoutePlan | Promise<RoutePlan> {
    const plan = this.#router.route(call, admission)
    if (admission.isWrapUp !== true) return plan
    return plan instanceof Promise ? plan.then(cheapestFirst) : cheapestFirst(plan)
  }
}

function cheapestFirst(plan: RoutePlan): RoutePlan {
  const targets = plan.targets.toSorted((a, b) => costOf(a) - costOf(b)) as unknown as RoutePlan['targets']
  if (targets[0] === plan.targets[0]) return plan
  return { ...plan, targets, tier: targets[0].tier, reason: 'budget' }
}

/** An answer's tokens cost more each, a prompt has more of them: neither decides alone. */
function costOf({ price }: Target): number {
  return price === undefined ? Infinity : price.inputPerM + price.outputPerM
}
