import { Worker } from 'node:worker_threads'
import type { CountJob, CountResult, Encoding } from './tokenizer-worker.ts'

/** Vocabulary, ranks and cache of both encodings take about 180 MB at most. */
const WORKER_HEAP_MB = 256
/** A worker that works on one job for longer than this is stopped; the next need starts another. */
const STUCK_MS = 5000
const DEADLINE_MS = 250
/** The first count also starts the thread and loads a vocabulary. */
const COLD_DEADLINE_MS = 1500

export interface TokenCounterOptions {
  /** Longest wait for a count, ms. Default 250. */
  readonly deadlineMs?: number
  /** Longest wait for the first count of a thread, ms. Default 1,500. */
  readonly coldDeadlineMs?: number
  readonly spawn?: () => Worker
}

interface Pending {
  readonly finish: (tokens: number | undefined) => void
}

/**
 * Counts texts in one worker thread. The thread starts with the first need, is started anew after a crash, does not keep the process
 * alive, and ends with `close`.
 */
export class TokenCounter {
  readonly #options: TokenCounterOptions
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #isWarm = false
  #isClosed = false
  #lastId = 0

  constructor(options: TokenCounterOptions = {}) {
    this.#options = options
  }

  /** Sum of the texts' tokens; undefined when it is not known in time, after a crash, or once closed. Never throws. */
  count(encoding: Encoding, texts: readonly string[], signal: AbortSignal): Promise<number | undefined> {
    if (this.#isClosed || signal.aborted) return Promise.resolve(undefined)
    const worker = this.#thread()
    if (worker === undefined) return Promise.resolve(undefined)
    const { deadlineMs = DEADLINE_MS, coldDeadlineMs = COLD_DEADLINE_MS } = this.#options
    const id = (this.#lastId += 1)
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    const giveUp = (): void => resolve(undefined)
    const late = setTimeout(giveUp, this.#isWarm ? deadlineMs : coldDeadlineMs)
    const stuck = setTimeout(() => this.#drop(worker), STUCK_MS)
    stuck.unref()
    signal.addEventListener('abort', giveUp, { once: true })
    this.#pending.set(id, {
      finish: (tokens) => {
        clearTimeout(stuck)
        resolve(tokens)
      },
    })
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
    worker.postMessage({ id, encoding, texts } satisfies CountJob)
    return promise.finally(() => {
      clearTimeout(late)
      signal.removeEventListener('abort', giveUp)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const worker = this.#worker
    if (worker === undefined) return
    this.#drop(worker)
    await worker.terminate()
  }

  /** The thread, started if there is none; undefined where the system gives none. */
  #thread(): Worker | undefined {
    try {
      return (this.#worker ??= this.#start())
    } catch {
      return undefined
    }
  }

  #start(): Worker {
    const worker =
      this.#options.spawn?.() ??
      new Worker(new URL('./tokenizer-worker.ts', import.meta.url), {
        resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
      })
    worker.unref()
    worker.on('message', ({ id, tokens }: CountResult) => {
      this.#isWarm = true
      this.#pending.get(id)?.finish(tokens)
      this.#pending.delete(id)
    })
    // An error is followed by the exit.
    worker.on('error', () => {})
    worker.on('exit', () => this.#drop(worker))
    return worker
  }

  /** Gives up a worker and all that it was asked. */
  #drop(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#isWarm = false
    for (const { finish } of this.#pending.values()) finish(undefined)
    this.#pending.clear()
    void worker.terminate()
  }
}
