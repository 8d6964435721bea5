/** What of recorded agent sessions a smaller model could take over by the size of its window, and what that would change on the bill. */
import { anthropicPrice, costOf } from '../../scripts/report-spend/recorded-cost.ts'
import type { RecordedCall, Session } from '../../scripts/report-spend/sessions.ts'
import type { Price } from '../../src/shared/price.ts'

/** What moves as one: each call, the calls from one ask of a person to the next (a tool call may not change its model), or all of a session. */
export const UNITS = ['call', 'turn', 'session'] as const
export type Unit = (typeof UNITS)[number]

/** Of one session; dollars. */
export interface Moved {
  readonly calls: number
  readonly movedCalls: number
  /** As it was recorded, at today's prices. */
  readonly usd: number
  /** Part of `usd` that was charged for the calls that move. */
  readonly movedUsd: number
  /** What the hosted models are then charged for the calls that stay. */
  readonly hostedUsd: number
  /** What the local model is then charged. */
  readonly localUsd: number
}

export function moveSession(session: Session, unit: Unit, window: number, local: Price, nowMs: number): Moved {
  const agents = [...Map.groupBy(session.calls, ({ agent }) => agent).values()]
  const units = unit === 'session' ? [session.calls] : agents.flatMap((calls) => unitsOf(calls, unit))
  const moved = new Set(units.filter((calls) => calls.every((call) => fits(call, window))).flat())
  let [usd, movedUsd, hostedUsd, localUsd] = [0, 0, 0, 0]
  for (const calls of agents) {
    const sent = { hosted: 0, local: 0 }
    for (const call of calls) {
      const price = hostedPrice(call.model, nowMs)
      const recorded = costOf(call, price, ({ cached }) => cached) / 1e9
      usd += recorded
      if (moved.has(call)) {
        movedUsd += recorded
        localUsd += costOf(call, local, cachedAt(sent.local)) / 1e9
        sent.local = Math.max(sent.local, call.input)
      } else {
        hostedUsd += costOf(call, price, cachedAt(sent.hosted)) / 1e9
        sent.hosted = Math.max(sent.hosted, call.input)
      }
    }
  }
  return { calls: session.calls.length, movedCalls: moved.size, usd, movedUsd, hostedUsd, localUsd }
}

const PRICES = new Map<string, Price>()

/** Looking into the book takes longer than all the rest. */
function hostedPrice(model: string, nowMs: number): Price {
  let price = PRICES.get(model)
  if (price === undefined) PRICES.set(model, (price = anthropicPrice(model, nowMs)))
  return price
}

/** A side has in its cache no more than what it was sent itself. */
function cachedAt(sent: number): (call: RecordedCall) => number {
  return (call) => Math.min(call.cached, sent)
}

function fits({ input, output }: RecordedCall, window: number): boolean {
  return input + output <= window
}

function unitsOf(calls: readonly RecordedCall[], unit: Exclude<Unit, 'session'>): RecordedCall[][] {
  const units: RecordedCall[][] = []
  for (const call of calls) {
    if (unit === 'call' || !call.answersTool || units.length === 0) units.push([])
    units.at(-1)?.push(call)
  }
  return units
}
