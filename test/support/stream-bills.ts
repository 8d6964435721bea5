/**
 * What a broken stream has to cost (`expect.bill` of `test/fixtures/badinput/sse.jsonl`), judged against a task's page in nano-dollars.
 * A try whose cost nobody knows stays booked with its whole hold as unresolved, which is never less than any estimate of it; so an
 * estimate may also be met that way. A count that no answer can have (0, 9e15) is taken for no report, and our own upper count settled.
 */
import { expect } from 'vitest'
import type { Seen } from './stream-callers.ts'
import type { StreamRow } from './stream-rows.ts'

export interface Booked {
  readonly spent: { readonly nano_usd: number; readonly tokens: number; readonly model_calls: number }
  readonly held_nano_usd: number
  readonly unresolved_nano_usd: number
}
/** Nano-dollars a token. */
interface Rate {
  readonly input: number
  readonly output: number
}

/** No fewer tokens than `ping` and its frame are in any tokenizer; the gateway's bound must not be below it. */
const LEAST_INPUT = 2

/** Judges what a task holds after `runs` runs of one row, each of one request, that ended alike. */
export function judgeBill(row: StreamRow, seen: Seen, booked: Booked, rate: Rate, runs: number): void {
  const { spent, held_nano_usd: held, unresolved_nano_usd: unresolved } = booked
  const { bill } = row.expect
  const exactly = (input: number, output: number): void => {
    expect(unresolved).toBe(0)
    expect(spent.nano_usd).toBe(runs * (input * rate.input + output * rate.output))
  }
  const reported = reportedUsage(row)
  expect(held).toBe(0)
  for (const amount of [spent.nano_usd, unresolved]) expect(Number.isSafeInteger(amount) && amount >= 0).toBe(true)
  expect(spent.nano_usd === 0 || unresolved === 0, 'one try is booked once').toBe(true)
  switch (bill) {
    case 'hold_until_known':
      expect(spent.nano_usd).toBe(0)
      expect(unresolved).toBeGreaterThan(0)
      return
    case 'zero_if_provider_says_so':
      // A refusal says so; an error event in a 200 does not.
      expect(spent.nano_usd).toBe(0)
      if (row.upstream.status >= 400) expect(unresolved).toBe(0)
      else expect(unresolved).toBeGreaterThan(0)
      return
    case 'input_upper':
      expect(spent.nano_usd + unresolved).toBeGreaterThanOrEqual(runs * LEAST_INPUT * rate.input)
      return
    case 'usage':
    case 'usage_or_estimate':
    case 'usage_or_estimate_max':
    case 'last_usage_not_sum':
      if (seen.terminal === 'done' && reported !== undefined) exactly(reported.input, reported.output)
      else atLeastEstimate(seen, booked, rate, runs)
      return
    case 'usage:in=25,out=15':
      exactly(25, 15)
      return
    case 'in=25,out=estimate_upper':
      expect(unresolved).toBe(0)
      expect(spent.nano_usd).toBeGreaterThan(25 * rate.input)
      expect((spent.nano_usd - 25 * rate.input) % rate.output).toBe(0)
      return
    case 'ceil':
      exactly(2, 3)
      return
    case 'max_of_both':
      exactly(5, 9999 - 5)
      return
    case 'cap_at_hold_and_alarm':
    case 'provider_zero_flagged':
    case 'estimate_upper':
      atLeastEstimate(seen, booked, rate, runs)
      return
    default:
      throw new Error(`Unknown bill ${bill}.`)
  }
}

/** What was said must be paid, with the prompt: a token for every four characters that the caller saw, and at least one. */
function atLeastEstimate(
  seen: Seen,
  { spent, unresolved_nano_usd: unresolved }: Booked,
  rate: Rate,
  runs: number,
): void {
  const characters = [...seen.content.values()].reduce((sum, text) => sum + text.length, 0)
  const output = Math.max(1, Math.ceil(characters / 4))
  expect(spent.nano_usd + unresolved).toBeGreaterThanOrEqual(runs * (LEAST_INPUT * rate.input + output * rate.output))
  // What was booked is what the caller was told.
  if (seen.terminal === 'done' && seen.usage !== undefined && unresolved === 0 && spent.tokens > 0)
    expect(spent.nano_usd).toBeLessThanOrEqual(runs * (seen.usage.input * rate.input + seen.usage.output * rate.output))
}

/** The last usage in the row's bytes, if they hold one that may be true: no answer has fewer tokens than pieces. */
function reportedUsage(row: StreamRow): { readonly input: number; readonly output: number } | undefined {
  const text = Buffer.from(row.upstream.body_b64 ?? '', 'base64').toString()
  const input = [...text.matchAll(/"prompt_tokens":\D*(\d+)/g)].at(-1)?.[1]
  const output = [...text.matchAll(/"completion_tokens":\D*(\d+)/g)].at(-1)?.[1]
  const pieces = text.match(/"content":"[^"]/g)?.length ?? 0
  return input === undefined || output === undefined || Number(output) < pieces
    ? undefined
    : { input: Number(input), output: Number(output) }
}
