import type { Job, JobDone } from './jobs.ts'

export interface Task extends Job {
  /** `prompt` = somebody waits for it on the way of a request; `bulk` = work of its own, which waits behind that. */
  readonly lane: 'prompt' | 'bulk'
  /** Monotonic milliseconds until which somebody waits. */
  neededUntilMs: number
  /** False = nobody wants it any more. */
  readonly isWanted: () => boolean
  /** Undefined = it could not be done. */
  readonly settle: (done: JobDone | undefined) => void
}

/** Few enough that what comes next does not wait long. */
const BATCH_TEXTS = 16
const BATCH_TOKENS = 512
const PROMPTS_MOST = 64
const LATE_MOST = 32
export const BULK_MOST = 1024

/**
 * What waits for the worker. A batch is what has come in while the worker was at work: first what still has time, then bulk, one text at a
 * time, then what is late already and only of use to the next who asks.
 */
export class JobQueue {
  #prompts: Task[] = []
  #bulk: Task[] = []

  get size(): number {
    return this.#prompts.length + this.#bulk.length
  }

  hasRoom(lane: Task['lane'], texts: number): boolean {
    return lane === 'bulk' ? this.#bulk.length + texts <= BULK_MOST : this.#prompts.length < PROMPTS_MOST + LATE_MOST
  }

  add(task: Task): void {
    const lane = task.lane === 'bulk' ? this.#bulk : this.#prompts
    lane.push(task)
  }

  next(nowMs: number): readonly Task[] {
    const timely: Task[] = []
    const late: Task[] = []
    for (const task of this.#prompts) (task.neededUntilMs > nowMs ? timely : late).push(task)
    if (timely.length > 0) return this.#batchOf(timely, late)
    while (this.#bulk.length > 0) {
      const task = this.#bulk.shift() as Task
      if (task.isWanted()) return [task]
      task.settle(undefined)
    }
    const last = this.#prompts.pop()
    return last === undefined ? [] : [last]
  }

  /** Everything that waits is given up. */
  clear(): void {
    const all = [...this.#prompts, ...this.#bulk]
    this.#prompts = []
    this.#bulk = []
    for (const task of all) task.settle(undefined)
  }

  #batchOf(timely: readonly Task[], late: readonly Task[]): readonly Task[] {
    let texts = 0
    let tokens = 0
    for (const task of timely) {
      tokens += mostTokens(task)
      if (texts > 0 && (texts === BATCH_TEXTS || tokens > BATCH_TOKENS)) break
      texts += 1
    }
    const kept = late.slice(-LATE_MOST)
    for (const task of late.slice(0, late.length - kept.length)) task.settle(undefined)
    this.#prompts = [...kept, ...timely.slice(texts)]
    return timely.slice(0, texts)
  }
}

/** A token has at least one character; `[CLS]` and `[SEP]` stand around them. */
function mostTokens({ text, maxTokens }: Job): number {
  return Math.min(text.length + 2, maxTokens)
}
