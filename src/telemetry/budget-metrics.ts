import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { TASK_STATES, type TaskState } from '../gateway/tasks.ts'
import { NANO_PER_USD } from '../shared/money.ts'

/** From a tenth of a cent to a long night: costs of tasks are spread over five orders of magnitude. */
const TASK_COST_USD = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50]

/** Half of the recorded coding sessions make more than fifty (docs/budget-defaults.md); six is the limit of `server-run`. */
const TASK_TOOL_CALLS = [0, 1, 2, 4, 6, 10, 15, 25, 50, 100, 250, 500, 1000]

/** What the budgets do. Types of tasks are those of the configuration, everything else is `other`. */
export class BudgetMetrics {
  readonly #refusals: Counter<'code'>
  readonly #lowered: Counter
  readonly #exceeded: Counter
  readonly #taskCost: Histogram<'type' | 'outcome'>
  readonly #toolCalls: Histogram<'type' | 'outcome'>
  readonly #tasks: Counter<'state'>
  readonly #registers: Registry[]

  constructor(registry: Registry) {
    const registers = [registry]
    this.#registers = registers
    this.#refusals = new Counter({
      name: 'switchyard_budget_refusals_total',
      help: 'Requests refused for money, tokens or calls, by error code.',
      labelNames: ['code'],
      registers,
    })
    this.#lowered = new Counter({
      name: 'switchyard_budget_caps_lowered_total',
      help: 'Requests sent with a smaller output cap than the caller asked for, since the budget pays for no more.',
      registers,
    })
    this.#exceeded = new Counter({
      name: 'switchyard_budget_hold_exceeded_total',
      help: 'Attempts that cost more than was held for them: the bound of their model is wrong.',
      registers,
    })
    this.#taskCost = new Histogram({
      name: 'switchyard_task_cost_usd',
      help: 'Dollars that tasks had cost when they ended.',
      labelNames: ['type', 'outcome'],
      buckets: TASK_COST_USD,
      registers,
    })
    this.#toolCalls = new Histogram({
      name: 'switchyard_task_tool_calls',
      help: 'Tool calls that tasks had made when they ended.',
      labelNames: ['type', 'outcome'],
      buckets: TASK_TOOL_CALLS,
      registers,
    })
    this.#tasks = new Counter({
      name: 'switchyard_tasks_total',
      help: 'Times that tasks entered a state; one that was opened again is counted once more.',
      labelNames: ['state'],
      registers,
    })
    for (const state of TASK_STATES) this.#tasks.inc({ state }, 0)
  }

  refused(code: string): void {
    this.#refusals.inc({ code })
  }

  lowered(): void {
    this.#lowered.inc()
  }

  exceeded(): void {
    this.#exceeded.inc()
  }

  taskEnded(type: string, outcome: string, cost: number, toolCalls: number): void {
    this.#taskCost.observe({ type, outcome }, cost / NANO_PER_USD)
    this.#toolCalls.observe({ type, outcome }, toolCalls)
  }

  taskEntered(state: TaskState): void {
    this.#tasks.inc({ state })
  }

  /** `money` is read at each scrape, in nano-dollars. */
  watch(money: () => { readonly held: number; readonly unresolved: number }): void {
    const gauge = (name: string, help: string, value: () => number): Gauge =>
      new Gauge({
        name: `switchyard_${name}`,
        help,
        registers: this.#registers,
        collect(): void {
          this.set(value() / NANO_PER_USD)
        },
      })
    gauge('budget_held_usd', 'Dollars held for requests under way; 0 when nothing is in flight.', () => money().held)
    gauge(
      'budget_unresolved_usd',
      'Dollars of requests whose cost is not known; they count as spent.',
      () => money().unresolved,
    )
  }
}
