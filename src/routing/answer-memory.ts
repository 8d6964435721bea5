import { LRUCache } from 'lru-cache'

/** Which model left a mark in a conversation (`answer-marks.ts`). */
export interface AnswerMemory {
  /** Name of the target; undefined = not known, or not any more. */
  modelOf(tenant: string, mark: string): string | undefined
  remember(tenant: string, mark: string, model: string): void
}

/** Tenants that are remembered at a time, and marks of each: at most about 60 MB, a tenth of it in an ordinary service. */
const TENANTS = 128
/** Four thousand calls of tools are open or lately answered for each tenant (two marks a call); the oldest go first. */
const MARKS = 8192

/**
 * The memory of this process: enough for agents that come back to it. After a restart, or at another gateway, a conversation is known by
 * its signatures alone. A tenant cannot push out what is remembered of another.
 */
export class RecentAnswers implements AnswerMemory {
  readonly #tenants = new LRUCache<string, LRUCache<string, string>>({ max: TENANTS })

  modelOf(tenant: string, mark: string): string | undefined {
    return this.#tenants.get(tenant)?.get(mark)
  }

  remember(tenant: string, mark: string, model: string): void {
    let marks = this.#tenants.get(tenant)
    if (marks === undefined) {
      marks = new LRUCache({ max: MARKS })
      this.#tenants.set(tenant, marks)
    }
    marks.set(mark, model)
  }

  forget(tenant: string): void {
    this.#tenants.delete(tenant)
  }
}
