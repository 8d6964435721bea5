import type { AnswerSink } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'

interface ActiveCall {
  readonly sink: AnswerSink
  readonly abort: AbortController
}

/** The calls under way, so that a drain can wait for them and, at its end, cut them. */
export class ActiveCalls {
  readonly #calls = new Set<ActiveCall>()
  #waiting: (() => void)[] = []

  get size(): number {
    return this.#calls.size
  }

  /** Notes a call; the returned function takes it off again. */
  add(sink: AnswerSink, abort: AbortController): () => void {
    const call = { sink, abort }
    this.#calls.add(call)
    return () => {
      this.#calls.delete(call)
      if (this.#calls.size > 0) return
      for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  /** Resolves when no call is under way. */
  whenIdle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  /** Ends every call: an error frame or response for its caller, an abort for its upstream. */
  cut(): void {
    for (const { sink, abort } of this.#calls) {
      sink.fail(
        new SwitchyardError('draining', 'The service is shutting down. Send the request again.', {
          retryAfterMs: 1000,
        }),
      )
      abort.abort()
    }
  }
}
