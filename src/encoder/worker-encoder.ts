import {
  EncoderBusy,
  MAX_TOKENS,
  type EmbeddedText,
  type EmbedOptions,
  type Encoder,
  type EncoderState,
  type TokenVectors,
} from './encoder.ts'
import { WorkerLife, type WorkerLifeOptions } from './worker-life.ts'
import type { Task } from './job-queue.ts'
import type { JobDone } from './jobs.ts'
import { readableText } from './readable-text.ts'
import { digestOf, VectorStore } from './vector-store.ts'

/** `[CLS]`, a token and `[SEP]`. */
const LEAST_TOKENS = 3
const BUSY_RETRY_MS = 1000
const FAILED_RETRY_MS = 60_000

export interface WorkerEncoderOptions extends WorkerLifeOptions {
  /** Longest wait where a caller names none, ms. */
  readonly deadlineMs: number
  /** Memory for vectors that were made. */
  readonly storeBytes: number
}

interface Question {
  readonly text: string
  readonly isCut: boolean
  readonly maxTokens: number
  readonly digest: string
}

/** The encoder in a worker of its own. Texts that are asked for more than once are computed once. */
export class WorkerEncoder implements Encoder {
  readonly #options: WorkerEncoderOptions
  readonly #life: WorkerLife
  readonly #store: VectorStore
  /** Questions under way, by digest and length. */
  readonly #pending = new Map<string, { readonly task: Task; readonly answer: Promise<EmbeddedText | undefined> }>()
  #lastId = 0

  constructor(options: WorkerEncoderOptions) {
    this.#options = options
    this.#life = new WorkerLife(options)
    this.#store = new VectorStore(options.storeBytes)
  }

  get state(): EncoderState {
    return this.#life.state
  }

  get modelSha256(): string | undefined {
    return this.#life.modelSha256
  }

  peek(text: string, maxTokens?: number): Float32Array | undefined {
    const question = questionOf(text, maxTokens)
    return this.#store.get(question.digest, question.maxTokens)?.vector
  }

  async embed(text: string, options: EmbedOptions = {}): Promise<Float32Array | undefined> {
    const { reporter } = this.#options
    const question = questionOf(text, options.maxTokens)
    const known = this.#store.get(question.digest, question.maxTokens)
    if (known !== undefined) {
      reporter.asked('known')
      return known.vector
    }
    const deadlineMs = options.deadlineMs ?? this.#options.deadlineMs
    const neededUntilMs = this.#options.now() + deadlineMs
    const pendingKey = `${question.digest} ${question.maxTokens}`
    const pending = this.#pending.get(pendingKey)
    if (pending !== undefined) {
      pending.task.neededUntilMs = Math.max(pending.task.neededUntilMs, neededUntilMs)
      return (await this.#timely(pending.answer, deadlineMs, 'joined'))?.vector
    }
    if (!this.#mayAsk('prompt')) return undefined
    const { task, done } = this.#task(question, { lane: 'prompt', wants: 'vector', neededUntilMs })
    const answer = done.then((each) => {
      this.#pending.delete(pendingKey)
      return each === undefined ? undefined : this.#keep(question, each)
    })
    this.#pending.set(pendingKey, { task, answer })
    this.#ask([task])
    return (await this.#timely(answer, deadlineMs, 'made'))?.vector
  }

  async embedTokens(text: string, options: EmbedOptions = {}): Promise<TokenVectors | undefined> {
    if (!this.#mayAsk('prompt')) return undefined
    const question = questionOf(text, options.maxTokens)
    const deadlineMs = options.deadlineMs ?? this.#options.deadlineMs
    const neededUntilMs = this.#options.now() + deadlineMs
    const { task, done } = this.#task(question, { lane: 'prompt', wants: 'tokens', neededUntilMs })
    const kept = done.then((each) => {
      if (each !== undefined) this.#keep(question, each)
      return each
    })
    this.#ask([task])
    const made = await this.#timely(kept, deadlineMs, 'made')
    return made?.pieces === undefined || made.tokenVectors === undefined
      ? undefined
      : { pieces: made.pieces, vectors: made.tokenVectors }
  }

  async embedAll(texts: readonly string[], signal: AbortSignal): Promise<readonly EmbeddedText[]> {
    signal.throwIfAborted()
    const questions = texts.map((text) => questionOf(text, MAX_TOKENS))
    const known = questions.map(({ digest, maxTokens }) => this.#store.get(digest, maxTokens))
    const unknown = known.filter((each) => each === undefined).length
    if (unknown > 0 && !this.#mayAsk('bulk', unknown)) throw new EncoderBusy(this.#retryMs())
    const tasks: Task[] = []
    const answers = questions.map((question, at) => {
      const kept = known[at]
      this.#options.reporter.asked(kept === undefined ? 'made' : 'known')
      if (kept !== undefined) return kept
      const { task, done } = this.#task(question, { lane: 'bulk', wants: 'vector', neededUntilMs: Infinity, signal })
      tasks.push(task)
      return done.then((each) => {
        if (each === undefined) throw new EncoderBusy(this.#retryMs())
        return this.#keep(question, each)
      })
    })
    this.#ask(tasks)
    return await untilAborted(Promise.all(answers), signal)
  }

  load(): Promise<void> {
    return this.#life.load()
  }

  close(): void {
    this.#life.close()
  }

  #mayAsk(lane: Task['lane'], texts: number = 1): boolean {
    const { state, queue } = this.#life
    const hasWorker = state === 'idle' || state === 'loading' || state === 'ready'
    if (hasWorker && queue.hasRoom(lane, texts)) return true
    this.#options.reporter.asked(hasWorker ? 'full' : 'unavailable')
    return false
  }

  #ask(tasks: readonly Task[]): void {
    for (const task of tasks) this.#life.queue.add(task)
    if (tasks.length > 0) this.#life.wake()
  }

  #task(
    { text, maxTokens }: Question,
    how: Pick<Task, 'lane' | 'wants' | 'neededUntilMs'> & { readonly signal?: AbortSignal },
  ): { readonly task: Task; readonly done: Promise<JobDone | undefined> } {
    const { promise, resolve } = Promise.withResolvers<JobDone | undefined>()
    const { signal, ...rest } = how
    const isWanted = (): boolean => signal?.aborted !== true
    return { task: { ...rest, id: (this.#lastId += 1), text, maxTokens, isWanted, settle: resolve }, done: promise }
  }

  #keep(question: Question, { vector, tokens, isCut }: JobDone): EmbeddedText {
    const embedded = { vector, tokens, isCut: isCut || question.isCut }
    this.#store.set(question.digest, question.maxTokens, embedded)
    return embedded
  }

  #retryMs(): number {
    return this.state === 'failed' || this.state === 'closed' ? FAILED_RETRY_MS : BUSY_RETRY_MS
  }

  /** The answer, or undefined once the time is over. */
  async #timely<Answer>(
    answer: Promise<Answer | undefined>,
    deadlineMs: number,
    how: 'made' | 'joined',
  ): Promise<Answer | undefined> {
    const { reporter } = this.#options
    if (deadlineMs === Infinity) {
      const waited = await answer
      reporter.asked(waited === undefined ? 'unavailable' : how)
      return waited
    }
    const { promise, resolve } = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => resolve('late'), deadlineMs)
    const first = await Promise.race([answer, promise])
    clearTimeout(timer)
    if (first === 'late') {
      reporter.asked('late')
      return undefined
    }
    reporter.asked(first === undefined ? 'unavailable' : how)
    return first
  }
}

function questionOf(text: string, maxTokens: number = MAX_TOKENS): Question {
  const tokens = Math.min(MAX_TOKENS, Math.max(LEAST_TOKENS, Math.floor(maxTokens)))
  const readable = readableText(text, tokens)
  const digest = digestOf(readable.text)
  // What is no whole text must not be taken for the whole text that it looks like.
  return { ...readable, maxTokens: tokens, digest: readable.isCut ? `${digest}+` : digest }
}

/** Rejects with the signal's reason where that comes first. */
function untilAborted<Answer>(answer: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const onAbort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  answer.then(resolve, reject)
  return promise.finally(() => signal.removeEventListener('abort', onAbort))
}
