import { isContent, type AnswerChunk } from '../protocol/answer.ts'
import type { RequestTrace } from './request-trace.ts'
import type {
  Admission,
  AnswerHead,
  AnswerSink,
  Call,
  ChunkConsumer,
  LeadingFlight,
  RoutePlan,
  Steps,
  Verdict,
  Watch,
} from './steps.ts'

/** What is the same for all attempts of one call. */
export interface Job {
  readonly call: Call
  readonly admission: Admission
  readonly plan: RoutePlan
  readonly sink: AnswerSink
  readonly steps: Steps
  readonly trace: RequestTrace
  /** Present = others may wait for the answer. */
  readonly flight: LeadingFlight | undefined
}

/** Carries an attempt's chunks to the sink: notes the first content, shows each to the router, holds back what a judge has the last word on. */
export class AnswerWay implements ChunkConsumer {
  kept: AnswerChunk[] = []
  /** What the beginning of a stream came to; undefined = nobody asked, or it could not be said yet. */
  verdict: Verdict | undefined
  readonly #job: Job
  readonly #sink: AnswerSink
  #head: AnswerHead
  readonly #trace: RequestTrace
  readonly #note: ((chunk: AnswerChunk) => void) | undefined
  #watch: Watch
  #hidesLogprobs = false
  readonly #stop: AbortController | undefined
  #isPrepared = false

  /** `note` is shown every chunk. */
  constructor(job: Job, head: AnswerHead, watch: Watch, note: ((chunk: AnswerChunk) => void) | undefined) {
    this.#job = job
    this.#sink = job.sink
    this.#head = head
    this.#trace = job.trace
    this.#watch = watch
    this.#note = note
    if (watch === 'beginning') this.#stop = new AbortController()
    if (watch === 'nothing') this.#prepare()
  }

  /** Nothing of the answer was shown yet. */
  get isHolding(): boolean {
    return this.#watch !== 'nothing'
  }

  /** Aborted where the beginning was refused, so that nobody pays for the rest. */
  get stop(): AbortSignal | undefined {
    return this.#stop?.signal
  }

  chunk(chunk: AnswerChunk): boolean {
    if (!this.#trace.hasContent && chunk.events.some(isContent)) this.#trace.firstContent()
    if (this.#note !== undefined) this.#note(chunk)
    if (this.#watch === 'nothing') return this.#sink.chunk(chunk)
    this.kept.push(chunk)
    if (this.#watch === 'beginning' && this.verdict === undefined) return this.#begin()
    return true
  }

  drained(): Promise<void> {
    return this.#sink.drained()
  }

  /** A whole answer, or a stream before its first chunk, still can say so. */
  dropped(names: readonly string[]): void {
    this.#change({ dropped: [...this.#head.dropped, ...names] })
  }

  /** The budget pays for a shorter answer than was asked for, which the head has to say. */
  lowered(cap: number): void {
    this.#change({ loweredCap: cap })
  }

  /** The judge asked for log-probabilities that the caller did not. */
  hideLogprobs(): void {
    this.#hidesLogprobs = true
  }

  /** Sends what was held back; a promise where the caller has to take some of it first. */
  release(): Promise<void> | undefined {
    if (this.#watch === 'nothing') return undefined
    this.#watch = 'nothing'
    // Second opinions were calls, too.
    if (this.#head.attempts !== this.#trace.attempts) this.#change({ attempts: this.#trace.attempts })
    this.#prepare()
    if (this.#hidesLogprobs) this.kept = this.kept.map(withoutLogprobs)
    for (let at = 0; at < this.kept.length; at++) {
      if (!this.#sink.chunk(this.kept[at] as AnswerChunk)) return this.#releaseSlowly(at + 1)
    }
    return undefined
  }

  async #releaseSlowly(from: number): Promise<void> {
    await this.#sink.drained()
    for (const chunk of this.kept.slice(from)) {
      if (!this.#sink.chunk(chunk)) await this.#sink.drained()
    }
  }

  #begin(): boolean {
    const { call, plan, steps } = this.#job
    this.verdict = steps.judge.begins(call, plan, this.kept)
    if (this.verdict === undefined) return true
    if (!this.verdict.accept) {
      this.#stop?.abort()
      return true
    }
    this.#watch = 'nothing'
    this.#prepare()
    let goesOn = true
    for (const chunk of this.kept) goesOn = this.#sink.chunk(chunk)
    this.kept = []
    return goesOn
  }

  #change(part: Partial<AnswerHead>): void {
    this.#head = { ...this.#head, ...part }
    if (this.#isPrepared) this.#sink.prepare(this.#head)
  }

  #prepare(): void {
    if (this.#isPrepared) return
    this.#isPrepared = true
    this.#sink.prepare(this.#head)
  }
}

function withoutLogprobs({ events }: AnswerChunk): AnswerChunk {
  return { events: events.filter((event) => event.type !== 'logprobs') }
}
