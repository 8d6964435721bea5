import { holdFor } from '../../src/budget/hold/hold.ts'
import type { NanoUsd } from '../../src/shared/money.ts'
import type { Price } from '../../src/shared/price.ts'
import type { HoldRule } from './hold-size.ts'
import type { PromptBytes } from './prompt-bytes.ts'
import { cachedAllSession, costOf, type CachedTokens } from './recorded-cost.ts'
import type { RecordedCall, Session } from './sessions.ts'

/** Output cap that Claude Code sends. */
const CAP = 32_000
/** Tokens that the trace compares at once. */
const BLOCK = 64

/** One way of sizing holds, and what the calls really cost then. */
export interface TrialSetup {
  readonly prompt: 'bytes' | 'beginning' | 'exact'
  readonly rate: string
  readonly rule: HoldRule
  readonly costOf: (call: RecordedCall) => NanoUsd
}

/** All setups, from the plainest to the tightest: those that are proven, one for callers without a prompt cache, and one that only hopes. */
export function trialSetups(opus: Price, bytes: PromptBytes, sessions: readonly Session[]): readonly TrialSetup[] {
  const { cacheWrite1hPerM: _hour, ...noHour } = opus
  const { cacheWritePerM: _write, ...noWrites } = noHour
  const byBytes = ({ input }: RecordedCall): number => Math.ceil(input * bytes.bodyPerToken)
  const byBeginning = knownBeginnings(sessions, bytes.bodyPerToken)
  const exactly = ({ input }: RecordedCall): number => input
  const withCache = (call: RecordedCall): NanoUsd => costOf(call, opus, cachedAllSession)
  const setup = (prompt: TrialSetup['prompt'], rate: string, price: Price, lowersCap: boolean): TrialSetup => {
    const bound = { bytes: byBytes, beginning: byBeginning, exact: exactly }[prompt]
    return { prompt, rate, rule: { holdAt: holdOf(price, bound), cap: CAP, lowersCap }, costOf: withCache }
  }
  const nothingCached: CachedTokens = () => 0
  return [
    setup('bytes', 'dearest of all', opus, false),
    setup('bytes', 'dearest of all', opus, true),
    setup('bytes', '5 min cache write', noHour, true),
    setup('beginning', 'dearest of all', opus, true),
    setup('beginning', '5 min cache write', noHour, false),
    setup('beginning', '5 min cache write', noHour, true),
    setup('exact', 'dearest of all', opus, false),
    setup('exact', 'dearest of all', opus, true),
    setup('exact', '5 min cache write', noHour, false),
    setup('exact', '5 min cache write', noHour, true),
    ...[false, true].map((lowersCap) => ({
      ...setup('exact', 'input, nothing is cached', noWrites, lowersCap),
      costOf: (call: RecordedCall) => costOf(call, noWrites, nothingCached),
    })),
    {
      ...setup('exact', 'as if the cache held (not proven)', opus, true),
      rule: {
        holdAt: (call, cap) => costOf({ ...call, output: cap }, noHour, cachedAllSession),
        cap: CAP,
        lowersCap: true,
      },
    },
  ]
}

/**
 * What the ledger knows of a prompt by what was billed before: the previous prompt of the same agent where that is the beginning of this
 * one, and the bytes of the rest; else all bytes. The trace compares whole blocks of 64 tokens, and where the start of the answer ends in
 * a block of its own, or reaches into the next one, a beginning seems to end up to two blocks early.
 */
export function knownBeginnings(sessions: readonly Session[], bytesPerToken: number): (call: RecordedCall) => number {
  const bounds = new Map<RecordedCall, number>()
  for (const { calls } of sessions) {
    const last = new Map<string, RecordedCall>()
    for (const call of calls) {
      const before = last.get(call.agent)
      last.set(call.agent, call)
      if (before === undefined || before.input > call.input || before.input - call.cached > 2 * BLOCK) continue
      bounds.set(call, before.input + Math.ceil((call.input - before.input) * bytesPerToken))
    }
  }
  return (call) => bounds.get(call) ?? Math.ceil(call.input * bytesPerToken)
}

/** The worst case of a call by the ledger's own rule. Throws RangeError beyond all amounts. */
export function holdOf(price: Price, bound: (call: RecordedCall) => number): HoldRule['holdAt'] {
  return (call, cap) => {
    const tokens = bound(call)
    const decision = holdFor({
      request: { n: 1, maxOutputTokens: cap },
      price,
      bound: { tokens, mediaTokens: 0, extraOutputTokens: 0, unbounded: [], isExact: false },
      remaining: undefined,
      contextTokens: undefined,
    })
    if (decision.kind === 'refused') throw new RangeError(`no amount holds ${tokens} tokens`)
    return decision.amount
  }
}
