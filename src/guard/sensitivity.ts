/** What a deployment does with personal data, secrets and text that tries to take a model over. */
import { isSecret, type FindingKind } from './finding.ts'
import type { Handling } from './screening.ts'

export const DATA_ACTIONS = ['off', 'pin-local', 'redact', 'refuse'] as const
export type DataAction = (typeof DATA_ACTIONS)[number]
export const INJECTION_ACTIONS = ['off', 'flag', 'strict'] as const
export type InjectionAction = (typeof INJECTION_ACTIONS)[number]

/** One place's settings; absent = it says nothing. */
export interface SensitivityOptions {
  readonly personalData?: DataAction | undefined
  readonly secrets?: DataAction | undefined
  readonly injection?: InjectionAction | undefined
}

export interface Sensitivity {
  readonly personalData: Handling | undefined
  readonly secrets: Handling | undefined
  readonly injection: InjectionAction
  /** Settings that keep requests on local models, for the sentence of a refusal. */
  readonly pinnedBy: readonly string[]
}

/** One place's settings, and the name of the place in the configuration. */
export interface NamedOptions {
  readonly setting: string
  readonly options: SensitivityOptions | undefined
}

/** Settings of several places together: what one of them asks for is done. */
export function combine(places: readonly NamedOptions[]): Sensitivity {
  const ask = (field: 'personalData' | 'secrets'): DataAction[] =>
    places.flatMap(({ options }) => options?.[field] ?? [])
  const injections = places.flatMap(({ options }) => options?.injection ?? [])
  return {
    personalData: handling(ask('personalData')),
    secrets: handling(ask('secrets')),
    injection: INJECTION_ACTIONS.findLast((action) => injections.includes(action)) ?? 'off',
    pinnedBy: places.flatMap(({ setting, options }) =>
      (['personalData', 'secrets'] as const)
        .filter((field) => options?.[field] === 'pin-local')
        .map((field) => `${setting}.${field}: pin-local`),
    ),
  }
}

function handling(actions: readonly DataAction[]): Handling | undefined {
  const asked = actions.filter((action) => action !== 'off')
  if (asked.length === 0) return undefined
  return { pin: asked.includes('pin-local'), redact: asked.includes('redact'), refuse: asked.includes('refuse') }
}

export function handlingOf(kind: FindingKind, sensitivity: Sensitivity): Handling | undefined {
  return isSecret(kind) ? sensitivity.secrets : sensitivity.personalData
}
