/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the same tenant, key and body within 24 h joins the running
 * answer or replays the finished one at cost 0, so that an SDK's retry is never billed twice.
 */
import type { AnswerChunk, Usage } from '../protocol/answer.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { ZERO_USD, type NanoUsd } from '../shared/money.ts'
import type { AnswerHead, AnswerSink } from './steps.ts'

/** A finished answer, ready to be shown again in any form. */
export interface RecordedAnswer {
  readonly head: AnswerHead
  readonly chunks: readonly AnswerChunk[]
  readonly usage: Usage
}
export interface IdempotencyEntry {
  /** SHA-256 of path and body, hex. */
  readonly fingerprint: string
  /** Undefined = the first try failed, was cut, or was too large to keep. */
  readonly answer: Promise<RecordedAnswer | undefined>
}
/** Bounded memory of idempotency keys; `id` already names the tenant. */
export interface IdempotencyStore {
  get(id: string): IdempotencyEntry | undefined
  /** `size` of the finished answer is told later by `resize`, in bytes. */
  set(id: string, entry: IdempotencyEntry): void
  resize(id: string, bytes: number): void
  delete(id: string): void
}

/** Largest answer that is kept for replay, in characters of its content. */
const MAX_RECORDED = 4 * 1024 * 1024

/**
 * Runs `run` once per id and replays its answer to everybody else. Throws `idempotency_conflict` when the id was used with
 * another body. Resolves with whether the answer was a replay.
 */
export async function answerOnce(
  store: IdempotencyStore,
  id: string,
  fingerprint: string,
  sink: AnswerSink,
  run: (sink: AnswerSink) => Promise<unknown>,
): Promise<{ readonly replayed: RecordedAnswer | undefined }> {
  for (;;) {
    const entry = store.get(id)
    if (entry === undefined) break
    if (entry.fingerprint !== fingerprint) {
      throw new SwitchyardError(
        'idempotency_conflict',
        'This Idempotency-Key was used with another request body. Use a new key for a new request.',
        {
          param: 'Idempotency-Key',
        },
      )
    }
    const answer = await entry.answer
    if (answer !== undefined) {
      await replay(answer, sink)
      return { replayed: answer }
    }
    // The first try came to nothing; one of those who waited becomes the next first.
    if (store.get(id) === entry) store.delete(id)
  }
  const recorder = new Recorder(sink)
  store.set(id, { fingerprint, answer: recorder.answer })
  try {
    await run(recorder)
  } finally {
    recorder.giveUp()
  }
  if (recorder.isKept) store.resize(id, recorder.size)
  else store.delete(id)
  return { replayed: undefined }
}

async function replay(answer: RecordedAnswer, sink: AnswerSink): Promise<void> {
  sink.prepare({ ...answer.head, tier: 'cache', reason: 'cache', cache: 'join', attempts: 0 })
  for (const chunk of answer.chunks) {
    if (!sink.chunk(chunk)) await sink.drained()
  }
  sink.close(answer.usage, ZERO_USD)
}

/** Passes an answer on and keeps a copy of it. */
class Recorder implements AnswerSink {
  readonly answer: Promise<RecordedAnswer | undefined>
  size = 0
  isKept = false
  readonly #sink: AnswerSink
  readonly #chunks: AnswerChunk[] = []
  #head: AnswerHead | undefined
  readonly #resolve: (answer: RecordedAnswer | undefined) => void

  constructor(sink: AnswerSink) {
    this.#sink = sink
    const { promise, resolve } = Promise.withResolvers<RecordedAnswer | undefined>()
    this.answer = promise
    this.#resolve = resolve
  }

  prepare(head: AnswerHead): void {
    this.#head = head
    this.#sink.prepare(head)
  }

  chunk(chunk: AnswerChunk): boolean {
    this.size += sizeOf(chunk)
    if (this.size <= MAX_RECORDED) this.#chunks.push(chunk)
    else this.#chunks.length = 0
    return this.#sink.chunk(chunk)
  }

  drained(): Promise<void> {
    return this.#sink.drained()
  }

  close(usage: Usage, cost: NanoUsd | undefined): void {
    this.#sink.close(usage, cost)
    if (this.#head === undefined || this.size > MAX_RECORDED) return
    this.isKept = true
    this.#resolve({ head: this.#head, chunks: this.#chunks, usage })
  }

  fail(error: SwitchyardError): void {
    this.#sink.fail(error)
  }

  /** Lets those who wait know that there is nothing to wait for; does nothing after `close`. */
  giveUp(): void {
    this.#resolve(undefined)
  }
}

function sizeOf(chunk: AnswerChunk): number {
  let size = 64 + (chunk.wire?.length ?? 0)
  for (const event of chunk.events) {
    size += 64
    if ('text' in event) size += event.text.length
    else if ('arguments' in event) size += event.arguments.length
  }
  return size
}
