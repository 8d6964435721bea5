import type { KeyLimiter, LimitStanding } from '../gateway/steps.ts'
import type { Dialect } from '../protocol/dialect.ts'

const MINUTE_MS = 60_000

/** Where a key's limits per minute stand, as OpenAI's clients read it, and as Anthropic's do where one asks. Undefined = it has none. */
export function limitHeaders(
  limiter: KeyLimiter | undefined,
  dialect: Dialect['name'],
): Readonly<Record<string, string>> | undefined {
  if (limiter === undefined) return undefined
  const headers: Record<string, string> = {}
  for (const standing of limiter.standing()) {
    const { of, limit, remaining, resetMs } = standing
    headers[`x-ratelimit-limit-${of}`] = String(limit)
    headers[`x-ratelimit-remaining-${of}`] = String(remaining)
    headers[`x-ratelimit-reset-${of}`] = duration(Math.ceil(resetMs))
    if (dialect === 'anthropic-messages') Object.assign(headers, anthropicHeaders(standing, Date.now()))
  }
  return headers
}

/** https://platform.claude.com/docs/en/api/rate-limits#response-headers: the reset is a moment, RFC 3339, when all of the limit is there again. */
function anthropicHeaders({ of, limit, remaining, resetMs }: LimitStanding, nowMs: number): Record<string, string> {
  return {
    [`anthropic-ratelimit-${of}-limit`]: String(limit),
    [`anthropic-ratelimit-${of}-remaining`]: String(remaining),
    [`anthropic-ratelimit-${of}-reset`]: `${new Date(Math.ceil((nowMs + resetMs) / 1000) * 1000).toISOString().slice(0, 19)}Z`,
  }
}

/** OpenAI's form of a duration: `120ms`, `1.5s`, `6m0s`. */
function duration(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  if (ms < MINUTE_MS) return `${Math.ceil(ms / 100) / 10}s`
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
