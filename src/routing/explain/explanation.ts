/** What an explanation of one decision holds. */
import type { Alternative, RoutePlan, Target } from '../../gateway/steps.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import type { NanoUsd } from '../../shared/money.ts'
import type { Mode } from '../policy.ts'
import type { ExplainedGain } from './contributions.ts'

export type Rule = 'name' | 'guard' | 'capability' | 'stickiness' | 'intent' | 'budget' | 'goal'

/** `decides`: the choice is this rule's; `narrows`: it took models away; `passes`: it left the request as it was; `unknown`: only a running service could say. */
export interface Finding {
  readonly rule: Rule
  readonly did: 'decides' | 'narrows' | 'passes' | 'refuses' | 'unknown'
  readonly text: string
}

export type Side = 'small' | 'big'

/** The models of a route. */
export interface Sides {
  readonly small: readonly Target[]
  readonly big: readonly Target[]
}

/** The route's goal as it stands for this request. `threshold` = score from which it goes to the big side; undefined = no score would change the side. */
export type Goal =
  | { readonly kind: 'tier'; readonly mode: Mode }
  | {
      readonly kind: 'share'
      readonly share: number
      /** Share of the head's usual scores that are lower, 0..1. */
      readonly rank: number
      readonly threshold: number | undefined
    }
  | {
      readonly kind: 'gain'
      readonly costQuality: number
      readonly threshold: number | undefined
      readonly smallPrice: NanoUsd | undefined
      readonly bigPrice: NanoUsd | undefined
      /** What a whole unit of quality is worth to this request, nano-dollars; undefined = unpriced, or no score matters. */
      readonly qualityValue: number | undefined
    }

export interface ExplainedScore extends ExplainedGain {
  readonly head: 'own' | 'nearest' | 'general'
  /** The recorded pair whose head judges; undefined = all of them together. */
  readonly pair: string | undefined
  readonly small: string
  readonly big: string
  /** Scores that a rank is taken among before there was traffic. */
  readonly usualScores: readonly number[]
  /** The gain as the policy sees it, 0..1. */
  readonly score: number
  /** False = a rule decided before anybody asked for it. */
  readonly isUsed: boolean
}

export interface Considered extends Alternative {
  readonly side: Side | undefined
  /** Why it cannot take this request; undefined = it can. */
  readonly isOutFor: string | undefined
  readonly isChosen: boolean
}

export interface Explanation {
  /** Name that was asked for. */
  readonly model: string
  readonly route: string | undefined
  readonly mode: Mode | undefined
  readonly plan: RoutePlan | undefined
  readonly refusal: SwitchyardError | undefined
  readonly side: Side | undefined
  readonly findings: readonly Finding[]
  readonly score: ExplainedScore | undefined
  readonly goal: Goal | undefined
  readonly alternatives: readonly Considered[]
  /** Sentences: what would send this request to the other side. */
  readonly changes: readonly string[]
}
