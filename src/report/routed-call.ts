/** One call that a route decided, as a line of the event log or of the request log says it. */
export interface RoutedCall {
  /** Milliseconds since 1970. */
  readonly timeMs: number
  readonly route: string
  readonly isBig: boolean
  readonly reason: string
  readonly intent: string
  /** Expected gain of the big side, 0..1; undefined = a rule decided. */
  readonly score: number | undefined
  /** The small side's answer was not good enough: both were paid for. */
  readonly isEscalated: boolean
  readonly input: number
  readonly output: number
  /** US dollars; undefined = not known. */
  readonly usd: number | undefined
}

/** Which models a route has on either side, where that is known. */
export type RouteSides = Readonly<
  Record<string, { readonly small: readonly string[]; readonly big: readonly string[] }>
>

/**
 * Undefined = no call that a route decided: another event, a model asked for by name, a refusal, half a line. A route is one of `sides`;
 * where no route is known, whatever is `auto`. A model that stands on no side of it counts by its tier.
 */
export function routedCall(line: string, sides: RouteSides): RoutedCall | undefined {
  const event = parsed(line)
  if (event === undefined) return undefined
  // The request log calls `model` what the event log calls `asked`, and names the model that answered `target`.
  const isRequest = event['event'] === 'request'
  if (!isRequest && event['type'] !== 'model_call') return undefined
  const asked = isRequest ? event['model'] : event['asked']
  const target = isRequest ? event['target'] : event['model']
  const { tier, reason } = event
  const timeMs = Date.parse(String(event['time']))
  if (typeof asked !== 'string' || typeof target !== 'string' || typeof reason !== 'string') return undefined
  if ((tier !== 'local' && tier !== 'frontier') || Number.isNaN(timeMs) || event['result'] !== 'ok') return undefined
  const route = typeof event['route'] === 'string' ? event['route'] : (asked.split(':')[0] as string)
  if (route !== 'auto' && !Object.hasOwn(sides, route)) return undefined
  const own = Object.hasOwn(sides, route) ? sides[route] : undefined
  const isBig = own?.small.includes(target) ? false : own?.big.includes(target) ? true : tier === 'frontier'
  return {
    timeMs,
    route,
    isBig,
    reason,
    intent: typeof event['intent'] === 'string' ? event['intent'] : 'other',
    score: number(event['score']),
    isEscalated: reason === 'escalated',
    input: number(event['tokens_in'] ?? event['input']) ?? 0,
    output: number(event['tokens_out'] ?? event['output']) ?? 0,
    usd: event['cost_usd'] === undefined ? undefined : number(Number(event['cost_usd'])),
  }
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    // The last line of a process that was killed in the middle of it.
    return undefined
  }
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
