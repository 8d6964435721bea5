import type { EncoderState } from './encoder.ts'
import type { EncoderReporter } from './encoder-reporter.ts'
import { JobQueue, type Task } from './job-queue.ts'
import type { Job, WorkerMessage } from './jobs.ts'
import type { StartWorker, WorkerPort } from './worker-port.ts'

/** A worker that is silent on a batch for longer is stopped. */
const STUCK_MS = 10_000
const BACKOFF_FIRST_MS = 100
const BACKOFF_MOST_MS = 30_000

export interface WorkerLifeOptions {
  readonly start: StartWorker
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly reporter: EncoderReporter
  /** For the log: restarts, and why the model cannot be loaded. */
  readonly onEvent: (event: { readonly event: 'encoder'; readonly detail: string }) => void
}

/**
 * The life of the worker: started with the first need, given one batch at a time, stopped where it is stuck, started again after a crash
 * (sooner the first time, every 30 s at last). What a worker was at when it died is given up, since it may have died of that.
 */
export class WorkerLife {
  readonly queue: JobQueue = new JobQueue()
  readonly #options: WorkerLifeOptions
  readonly #running = new Map<number, Task>()
  #state: EncoderState = 'idle'
  #port: WorkerPort | undefined
  #stuck: NodeJS.Timeout | undefined
  #again: NodeJS.Timeout | undefined
  /** Deaths since the last batch that went well. */
  #deaths = 0
  #loaded: PromiseWithResolvers<void> = settledQuietly()
  #sha256: string | undefined

  constructor(options: WorkerLifeOptions) {
    this.#options = options
  }

  get state(): EncoderState {
    return this.#state
  }

  get modelSha256(): string | undefined {
    return this.#sha256
  }

  /** Resolves when the model is loaded; rejects where it cannot be. */
  load(): Promise<void> {
    if (this.#state === 'idle') this.#start()
    return this.#loaded.promise
  }

  /** Something was put into the queue. */
  wake(): void {
    if (this.#state === 'idle') this.#start()
    else if (this.#state === 'ready') this.#pump()
  }

  close(): void {
    if (this.#state !== 'closed') this.#end('closed', 'the encoder was closed')
  }

  #start(): void {
    this.#state = 'loading'
    let ended = false
    const isCurrent = (): boolean => !ended && this.#state !== 'closed' && this.#state !== 'failed'
    try {
      this.#port = this.#options.start({
        message: (message) => {
          if (isCurrent()) this.#took(message)
        },
        exit: (detail) => {
          if (isCurrent()) this.#died(detail)
          ended = true
        },
      })
      this.#port.hold(true)
    } catch (error) {
      this.#died(String(error))
    }
  }

  #took(message: WorkerMessage): void {
    switch (message.kind) {
      case 'loaded':
        this.#sha256 = message.sha256
        this.#state = 'ready'
        this.#loaded.resolve()
        this.#pump()
        return
      case 'unloadable':
        this.#options.onEvent({ event: 'encoder', detail: `cannot be loaded: ${message.sentence}` })
        this.#end('failed', message.sentence)
        return
      case 'done':
        this.#deaths = 0
        this.#options.reporter.computed(message.ms)
        this.#settle(message.id, message)
        return
      case 'failed':
        this.#options.onEvent({ event: 'encoder', detail: `a text failed: ${message.detail}` })
        this.#settle(message.id, undefined)
        return
      default:
        message satisfies never
    }
  }

  #settle(id: number, done: Parameters<Task['settle']>[0]): void {
    const task = this.#running.get(id)
    this.#running.delete(id)
    if (this.#running.size === 0) this.#pump()
    else this.#stuck?.refresh()
    task?.settle(done)
  }

  #pump(): void {
    clearTimeout(this.#stuck)
    if (this.#running.size > 0) return
    const batch = this.queue.next(this.#options.now())
    this.#port?.hold(batch.length > 0)
    if (batch.length === 0) return
    for (const task of batch) this.#running.set(task.id, task)
    this.#options.reporter.batch(batch.length)
    this.#stuck = setTimeout(() => this.#port?.kill(), STUCK_MS).unref()
    this.#port?.send(batch.map(({ id, text, maxTokens, wants }): Job => ({ id, text, maxTokens, wants })))
  }

  #died(detail: string): void {
    clearTimeout(this.#stuck)
    this.#port = undefined
    this.#state = 'waiting'
    this.#deaths += 1
    const afterMs = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** (this.#deaths - 1))
    this.#options.reporter.restarted()
    this.#options.onEvent({ event: 'encoder', detail: `its worker ended (${detail}); again in ${afterMs} ms` })
    this.#giveUp()
    this.#again = setTimeout(() => this.#start(), afterMs).unref()
  }

  /** Nothing is done any more, and nothing will be. */
  #end(state: 'closed' | 'failed', sentence: string): void {
    this.#state = state
    clearTimeout(this.#stuck)
    clearTimeout(this.#again)
    this.#loaded.reject(new Error(sentence))
    this.#port?.hold(false)
    this.#port?.kill()
    this.#port = undefined
    this.#giveUp()
  }

  #giveUp(): void {
    const running = [...this.#running.values()]
    this.#running.clear()
    for (const task of running) task.settle(undefined)
    this.queue.clear()
  }
}

/** A promise whose rejection nobody has to listen to. */
function settledQuietly(): PromiseWithResolvers<void> {
  const made = Promise.withResolvers<void>()
  made.promise.catch(() => {})
  return made
}
