type Fields = Readonly<Record<string, unknown>>

export interface Limits {
  readonly timeouts?: { readonly totalMs: number }
  readonly retries?: number
  readonly breaker?: Readonly<Record<string, number>>
}

/** Times, retries and breaker of an upstream from LiteLLM's parameters of a deployment and its general settings; what they do not say is left out. */
export function limitsOf(params: Fields, settings: Fields): Limits {
  const timeout = Number(params['timeout'] ?? settings['request_timeout'] ?? settings['timeout'])
  const retries = Number(params['num_retries'] ?? params['max_retries'] ?? settings['num_retries'])
  return {
    ...(Number.isFinite(timeout) && timeout > 0 ? { timeouts: { totalMs: Math.round(timeout * 1000) } } : {}),
    ...(Number.isInteger(retries) && retries >= 0 ? { retries: Math.min(10, retries) } : {}),
    ...breakerOf(settings),
  }
}

/** LiteLLM takes a deployment out once more than `allowed_fails` calls have failed, for `cooldown_time` seconds. */
function breakerOf(settings: Fields): Pick<Limits, 'breaker'> {
  const allowed = Number(settings['allowed_fails'])
  const seconds = Number(settings['cooldown_time'])
  const failures = Number.isInteger(allowed) && allowed >= 0 ? { failures: allowed + 1 } : {}
  const openMs = seconds > 0 && seconds <= 86_400 ? { openMs: Math.round(seconds * 1000) } : {}
  const breaker = { ...failures, ...openMs }
  return Object.keys(breaker).length === 0 ? {} : { breaker }
}
