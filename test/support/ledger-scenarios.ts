/** The scripts of `badinput/money`, row by row, against a driver. Rows about HTTP, prices, Redis and tools are tested where those live. */
import { expect, onTestFinished, test } from 'vitest'
import type { Balance, StepResult } from '../../src/budget/ledger/ledger.ts'
import { reservation, type LedgerDriver, type OpenDriver } from './ledger-drivers.ts'
import { readFixture } from './vectors.ts'

interface Step {
  readonly op: string
  readonly id?: string
  readonly amount?: number | string
  readonly actual?: number
  readonly result?: string
  readonly scopes?: Readonly<Record<string, number>>
  readonly do?: string
  readonly heartbeats?: boolean
  readonly n?: number
  readonly processes?: number
  readonly each?: Step
}
interface Scenario {
  readonly id: string
  readonly title: string
  readonly budget_micro: number
  readonly steps: readonly Step[]
  readonly expect: Readonly<Record<string, unknown>>
}

/** Steps that say something about a ledger of one process. */
const KNOWN = [
  'reserve',
  'settle',
  'void',
  'send',
  'crash',
  'recover',
  'sweep',
  'advance_s',
  'clock',
  'heartbeat',
  'stream',
  'client_disconnect',
  'cancel',
  'disk',
  'price_reload',
  'cache_hit',
  'parallel',
]
const DISK = ['full', 'free']
/** Rows that say something about any ledger. */
export const scenarios: readonly Scenario[] = readFixture<Scenario>('badinput/money/ledger_scenarios.jsonl').filter(
  (row) =>
    row.steps.every(
      (step) =>
        KNOWN.includes(step.op) && (step.op !== 'disk' || DISK.includes(step.do ?? '')) && (step.processes ?? 1) === 1,
    ),
)

export function ledgerScenarios(_name: string, open: OpenDriver): void {
  test.for(scenarios.map((row) => [row.id, row.title, row] as const))('%s: %s', async ([, , row], context) => {
    const needsMore = row.steps.some((step) => ['crash', 'recover', 'disk'].includes(step.op) || isOwnerGone(step))
    const run = new Run(await start(open), row.budget_micro)
    onTestFinished(() => run.driver.close())
    if (needsMore && run.driver.crash === undefined) context.skip('This driver cannot crash.')
    if (row.steps.some((step) => step.op === 'disk') && run.driver.disk === undefined)
      context.skip('This driver has no disk.')
    for (const step of row.steps) await run.step(step)
    await run.check(row.expect)
  })
}

function start(open: OpenDriver): Promise<LedgerDriver> {
  return open()
}

/** Time that passes without a heartbeat is the time of a dead owner. The owner of a hold in these drivers is the process. */
function isOwnerGone(step: Step): boolean {
  return step.op === 'advance_s' && step.heartbeats !== true
}

class Run {
  driver: LedgerDriver
  readonly #budget: number
  readonly #alarms: string[] = []

  constructor(driver: LedgerDriver, budget: number) {
    this.driver = driver
    this.#budget = budget
  }

  async step(step: Step): Promise<void> {
    const { ledger, disk } = this.driver
    const id = step.id ?? ''
    switch (step.op) {
      case 'reserve': {
        const lines = Object.entries(step.scopes ?? { task: this.#budget }).map(([book, limit]) => ({
          book,
          amount: step.amount as number,
          limit,
        }))
        const { kind } = await ledger.reserve(reservation(id, lines))
        const said = {
          admitted: 'ok',
          replayed: 'same',
          refused: 'deny',
          conflict: 'conflict',
          invalid: 'error',
          unavailable: '503',
        }[kind]
        expect(said).toBe(step.result)
        return
      }
      case 'settle':
        this.#expect(await ledger.settle(id, [step.amount as number]), step.result)
        return
      case 'cancel':
        this.#expect(await ledger.settle(id, [step.actual as number]), 'ok')
        return
      case 'void':
        this.#expect(await ledger.void(id), step.result)
        return
      case 'send':
        this.#expect(await ledger.sent(id), 'ok')
        return
      case 'advance_s':
        if (isOwnerGone(step)) await this.#crash()
        return
      case 'crash':
        await this.#crash()
        return
      case 'disk':
        if (step.do === 'full') await disk?.fill()
        else await disk?.free()
        return
      case 'parallel': {
        const each = step.each as Step
        await Promise.all(
          Array.from({ length: step.n ?? 0 }, (_, i) =>
            ledger.reserve(reservation((each.id ?? '').replace('{i}', String(i)), each.amount as number, this.#budget)),
          ),
        )
        return
      }
      default:
        // Nothing happens in a ledger that has no clock, sees no stream and recovers when it is opened.
        expect(KNOWN).toContain(step.op)
    }
  }

  async check(expected: Scenario['expect']): Promise<void> {
    const balance = async (book: string): Promise<Balance> => this.driver.ledger.balance(book)
    const task = await balance('task')
    const found: Record<string, unknown> = {
      ...task,
      task_held: task.held,
      key_held: (await balance('key')).held,
      alarm: this.#alarms[0],
      verdict: task.settled > this.#budget ? 'violation' : 'kept',
    }
    for (const [name, value] of Object.entries(expected)) {
      if (!(name in found)) throw new Error(`The row expects ${name}, which nothing here looks at.`)
      expect({ [name]: found[name] }).toEqual({ [name]: value })
    }
  }

  async #crash(): Promise<void> {
    this.driver = await (this.driver.crash as NonNullable<LedgerDriver['crash']>)()
  }

  #expect(result: StepResult, said: string | undefined): void {
    if (result.kind === 'done' && result.exceeded.length > 0) this.#alarms.push('budget_exceeded')
    const words = { done: 'ok', same: 'same', conflict: 'conflict', unknown: 'error', invalid: 'error' }
    expect(words[result.kind]).toBe(said?.replace('_alarm', '') ?? 'ok')
  }
}
