import type { Job, WorkerMessage } from '../../src/encoder/jobs.ts'
import type { StartWorker, WorkerListener } from '../../src/encoder/worker-port.ts'

/** Workers that do nothing by themselves: a test says what they answer. */
export class FakeWorkers {
  /** Batches that were sent to the running worker. */
  readonly batches: (readonly Job[])[] = []
  started = 0
  killed = 0
  #listener: WorkerListener | undefined

  readonly start: StartWorker = (listener) => {
    this.started += 1
    this.#listener = listener
    return {
      pid: undefined,
      send: (jobs) => void this.batches.push(jobs),
      hold: () => {},
      kill: () => {
        this.killed += 1
        this.exit('SIGKILL')
      },
    }
  }

  say(message: WorkerMessage): void {
    this.#listener?.message(message)
  }

  loaded(): void {
    this.say({ kind: 'loaded', sha256: 'abc', ms: 1 })
  }

  exit(detail: string): void {
    const listener = this.#listener
    this.#listener = undefined
    listener?.exit(detail)
  }

  /** Answers every job of the last batch with a vector that begins with the length of its text. */
  finish(jobs: readonly Job[] = this.batches.at(-1) ?? []): void {
    for (const { id, text, wants } of jobs) {
      const vector = new Float32Array(384)
      vector[0] = text.length
      const tokens = wants === 'tokens' ? { pieces: ['[CLS]', '[SEP]'], tokenVectors: new Float32Array(768) } : {}
      this.say({ kind: 'done', id, vector, tokens: text.length + 2, isCut: false, ms: 2, ...tokens })
    }
  }
}
