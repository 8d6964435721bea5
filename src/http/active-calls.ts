import type { AnswerSink } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'

interface ActiveCall {
  readonly sink: AnswerSink
  readonly abort: AbortController
  /** Its place in the list. */
  at: number
}

/** The calls under way, so that a drain can wait for them and, at its end, cut them. */
export class ActiveCalls {
  /** A list and not a Set, whose tables would drag calls that are over into the old generation (see `shared/id-table.ts`). */
  readonly #calls: ActiveCall[] = []
  #waiting: (() => void)[] = []

  get size(): number {
    return this.#calls.length
  }

  /** Notes a call; the returned function takes it off again. */
  add(sink: AnswerSink, abort: AbortController): () => void {
    const call = { sink, abort, at: this.#calls.length }
    this.#calls.push(call)
    return () => {
      const last = this.#calls.pop() as ActiveCall
      if (last !== call) {
        this.#calls[call.at] = last
        last.at = call.at
      }
      if (this.#calls.length > 0) return
      for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  /** Resolves when no call is under way. */
  whenIdle(): Promise<void> {
    if (this.#calls.length === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  /** Ends every call: an error frame or response for its caller, an abort for its upstream. */
  cut(): void {
    for (const { sink, abort } of this.#calls.slice()) {
      sink.fail(
        new SwitchyardError('draining', 'The service is shutting down. Send the request again.', {
          retryAfterMs: 1000,
        }),
      )
      abort.abort()
    }
  }
}
