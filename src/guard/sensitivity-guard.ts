import type { Call, Caller, Guard, GuardReport, RouteLimits, Screened } from '../gateway/steps.ts'
import type { ChatRequest, Message } from '../protocol/request.ts'
import { SwitchyardError } from '../shared/errors.ts'
import type { FindingKind } from './finding.ts'
import { injectionSignal, SUSPICIOUS } from './injection/injection-signal.ts'
import { mapTexts } from './map-texts.ts'
import { Screening } from './screening.ts'
import { combine, handlingOf, type NamedOptions, type Sensitivity, type SensitivityOptions } from './sensitivity.ts'

export interface GuardOptions {
  readonly everywhere: SensitivityOptions
  /** Kinds of finds that nothing is done about. */
  readonly except: readonly FindingKind[]
  readonly tenants: Readonly<Record<string, SensitivityOptions | undefined>>
  readonly routes: Readonly<Record<string, SensitivityOptions | undefined>>
  /** Name of the route that a model name means; undefined = none. Never throws. */
  readonly routeOf: (model: string) => string | undefined
}

/** Step 0 of a request: what its texts hold decides whether they may leave the house, and in which form. */
export class SensitivityGuard implements Guard {
  readonly #options: GuardOptions
  readonly #except: ReadonlySet<FindingKind>
  readonly #combined = new Map<string, Sensitivity>()

  constructor(options: GuardOptions) {
    this.#options = options
    this.#except = new Set(options.except)
  }

  screen(call: Call): Screened | undefined {
    const looked = this.#look(call.request, call.caller)
    if (looked === undefined) return undefined
    const { request, report, limits, refusal } = looked
    return {
      call: { ...call, request, ...(limits === undefined ? undefined : { limits }) },
      report,
      ...(refusal === undefined ? undefined : { refusal }),
    }
  }

  screenRequest(
    request: ChatRequest,
    caller: Caller,
  ): { readonly request: ChatRequest; readonly limits?: RouteLimits } {
    const looked = this.#look(request, caller)
    if (looked?.refusal !== undefined) throw looked.refusal
    return {
      request: looked?.request ?? request,
      ...(looked?.limits === undefined ? undefined : { limits: looked.limits }),
    }
  }

  #look(
    request: ChatRequest,
    caller: Caller,
  ):
    | {
        readonly request: ChatRequest
        readonly report: GuardReport
        readonly limits: RouteLimits | undefined
        readonly refusal: SwitchyardError | undefined
      }
    | undefined {
    const sensitivity = this.#sensitivityOf(request.model, caller.tenant)
    const { personalData, secrets, injection } = sensitivity
    const suspicion = injection === 'off' ? 0 : suspicionOf(request)
    const isSuspicious = suspicion >= SUSPICIOUS
    let clean = request
    let screening: Screening | undefined
    if (personalData !== undefined || secrets !== undefined) {
      screening = new Screening((kind) => (this.#except.has(kind) ? undefined : handlingOf(kind, sensitivity)))
      clean = mapTexts(request, screening)
      // What the body's size bounds must hold for what is sent too.
      if (screening.added > 0) clean = { ...clean, bodyBytes: clean.bodyBytes + screening.added }
    }
    const kinds = screening === undefined ? [] : [...screening.counts.keys()]
    if (kinds.length === 0 && !isSuspicious) return undefined
    const pinned = kinds.some((kind) => handlingOf(kind, sensitivity)?.pin)
    const isSteady = isSuspicious && injection === 'strict'
    const refused = kinds.filter((kind) => handlingOf(kind, sensitivity)?.refuse)
    return {
      request: clean,
      report: {
        findings: screening?.counts ?? NOTHING,
        redacted: screening?.redacted ?? NOTHING,
        suspicion: isSuspicious ? suspicion : undefined,
      },
      limits:
        pinned || isSteady ? { localBy: pinned ? sensitivity.pinnedBy.join(', ') : undefined, isSteady } : undefined,
      refusal: refused.length === 0 ? undefined : refusal(refused),
    }
  }

  /** Made once for each tenant and route. */
  #sensitivityOf(model: string, tenant: string): Sensitivity {
    const { everywhere, tenants, routes, routeOf } = this.#options
    const route = routeOf(model)
    // Only names from the configuration become keys: made keys may have any number of tenants.
    const knownTenant = Object.hasOwn(tenants, tenant) ? tenant : ''
    const key = `${knownTenant}\n${route ?? ''}`
    let combined = this.#combined.get(key)
    if (combined === undefined) {
      const places: NamedOptions[] = [
        { setting: 'sensitivity', options: everywhere },
        { setting: `tenants.${tenant}.sensitivity`, options: knownTenant === '' ? undefined : tenants[tenant] },
        { setting: `routes.${route}.sensitivity`, options: route === undefined ? undefined : routes[route] },
      ]
      combined = combine(places)
      this.#combined.set(key, combined)
    }
    return combined
  }
}

const NOTHING: ReadonlyMap<FindingKind, number> = new Map()

/** Names the kinds and never a value. */
function refusal(kinds: readonly FindingKind[]): SwitchyardError {
  return new SwitchyardError(
    'sensitive_data',
    `The request holds what this deployment does not send to a model: ${kinds.join(', ')}. Remove it and send the request again.`,
    { param: 'messages' },
  )
}

/**
 * The strongest signal of what is new in this request: what came after the model's last answer, and what tools say about themselves.
 * System and developer messages are the application's own.
 */
function suspicionOf({ messages, tools }: ChatRequest): number {
  let strongest = 0
  const see = (text: string): void => {
    if (text.length > 0) strongest = Math.max(strongest, injectionSignal(text).score)
  }
  for (let index = messages.length - 1; index >= 0; index--) {
    const message = messages[index] as Message
    if (message.role === 'assistant') break
    if (message.role === 'system' || message.role === 'developer') continue
    const { content } = message
    if (typeof content === 'string') see(content)
    else for (const part of content) if (part.type === 'text') see(part.text)
  }
  for (const { description } of tools) if (description !== undefined) see(description)
  return strongest
}
