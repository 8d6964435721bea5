import type { AnswerCache, CacheLookup } from '../gateway/steps.ts'

const BYPASS: CacheLookup = { result: 'bypass' }

/** The cache of a deployment that wants none anywhere. */
export class NoCache implements AnswerCache {
  lookup(): CacheLookup {
    return BYPASS
  }
}
