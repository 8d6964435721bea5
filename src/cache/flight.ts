import type { AnswerHead, AnswerSink, Departure, JoinedFlight, LeadingFlight, SentAnswer } from '../gateway/steps.ts'
import type { AnswerChunk, Usage } from '../protocol/answer.ts'
import type { SwitchyardError } from '../shared/errors.ts'
import type { NanoUsd } from '../shared/money.ts'

/** What becomes of a flight, for the cache that it was begun by. */
export interface FlightEnds {
  landed(flight: Flight, answer: SentAnswer, cost: NanoUsd | undefined, isDoubtful: boolean): void
  ended(flight: Flight): void
}

/**
 * A call on its way that may have twins: its answer is written down from the first chunk on, so that who joins late reads it from the
 * beginning. Its own caller's pace holds it up only as long as nobody else waits, and its own caller's leaving does not end it.
 */
export class Flight implements LeadingFlight, JoinedFlight {
  chunks: AnswerChunk[] = []
  attempt = 0
  state: JoinedFlight['state'] = 'waiting'
  usage: Usage | undefined
  cost: NanoUsd | undefined
  error: SwitchyardError | undefined
  readonly #ends: FlightEnds
  readonly #departure: Departure | undefined
  readonly #waiting = new Set<() => void>()
  #joined: (() => void) | undefined

  constructor(ends: FlightEnds, departure: Departure | undefined) {
    this.#ends = ends
    this.#departure = departure
  }

  get followers(): number {
    return this.#waiting.size
  }

  lead(sink: AnswerSink): AnswerSink {
    return new LeadersSink(this, sink)
  }

  sending(): void {
    if (this.state === 'waiting') this.state = 'sending'
    this.#wake()
  }

  land(answer: SentAnswer, cost: NanoUsd | undefined, isDoubtful: boolean): void {
    if (this.#isOver) return
    this.usage = answer.usage
    this.cost = cost
    this.state = 'landed'
    this.#ends.landed(this, answer, cost, isDoubtful)
    this.#wake()
  }

  end(error: SwitchyardError | undefined): void {
    if (this.#isOver) return
    this.error = error
    this.state = 'ended'
    this.#ends.ended(this)
    this.#wake()
  }

  join(wake: () => void): void {
    this.#waiting.add(wake)
    this.#departure?.keep()
    this.#joined?.()
  }

  leave(wake: () => void): void {
    if (this.#waiting.delete(wake)) this.#departure?.release()
  }

  /** What came before was of an attempt that failed. */
  restart(): void {
    if (this.chunks.length === 0) return
    this.chunks = []
    this.attempt += 1
    this.#wake()
  }

  note(chunk: AnswerChunk): void {
    this.chunks.push(chunk)
    this.#wake()
  }

  /** Resolves when somebody joins. */
  joined(): Promise<void> {
    if (this.followers > 0) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#joined = resolve
    return promise
  }

  get #isOver(): boolean {
    return this.state === 'landed' || this.state === 'ended'
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }
}

class LeadersSink implements AnswerSink {
  readonly #flight: Flight
  readonly #sink: AnswerSink

  constructor(flight: Flight, sink: AnswerSink) {
    this.#flight = flight
    this.#sink = sink
  }

  prepare(head: AnswerHead): void {
    this.#flight.restart()
    this.#sink.prepare(head)
  }

  chunk(chunk: AnswerChunk): boolean {
    this.#flight.note(chunk)
    return this.#sink.chunk(chunk) || this.#flight.followers > 0
  }

  drained(): Promise<void> {
    return Promise.race([this.#sink.drained(), this.#flight.joined()])
  }

  close(usage: Usage, cost: NanoUsd | undefined): void {
    this.#sink.close(usage, cost)
  }

  fail(error: SwitchyardError): void {
    this.#sink.fail(error)
  }
}
