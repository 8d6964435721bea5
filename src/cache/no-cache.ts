import type { AnswerCache, CacheLookup } from '../gateway/steps.ts'

const BYPASS: CacheLookup = { result: 'bypass' }

/** The cache of a deployment with `cache: { mode: off }`. */
export class NoCache implements AnswerCache {
  lookup(): CacheLookup {
    return BYPASS
  }

  wants(): boolean {
    return false
  }

  remember(): void {}
}
