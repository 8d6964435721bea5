import type { DatabaseSync } from 'node:sqlite'
import { isBusy, transact } from './transact.ts'

/** A piece of work; true = there is no more. */
export type Step = () => boolean

/** Works through the parts in their order, one small transaction per step; `false` = the file was busy, and the same step comes again. */
export function* upkeepSteps(db: DatabaseSync, parts: readonly Step[]): Generator<boolean, void, void> {
  for (const step of parts) {
    for (;;) {
      let isDone = false
      try {
        isDone = transact(db, step)
      } catch (error) {
        if (!isBusy(error)) throw error
        yield false
        continue
      }
      yield true
      if (isDone) break
    }
  }
}
