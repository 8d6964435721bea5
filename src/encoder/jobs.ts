/** What the encoder's worker is asked and answers. Texts go there in batches, answers come one by one as they are done. */

export interface Job {
  readonly id: number
  readonly text: string
  readonly maxTokens: number
  /** `tokens` = a vector for each token, too. */
  readonly wants: 'vector' | 'tokens'
}

export interface JobDone {
  readonly kind: 'done'
  readonly id: number
  readonly vector: Float32Array
  readonly tokens: number
  readonly isCut: boolean
  /** Time in the worker, ms. */
  readonly ms: number
  readonly pieces?: readonly string[]
  readonly tokenVectors?: Float32Array
}

export type WorkerMessage =
  | { readonly kind: 'loaded'; readonly sha256: string; readonly ms: number }
  /** The model cannot be loaded; trying again would not help. */
  | { readonly kind: 'unloadable'; readonly sentence: string }
  | JobDone
  /** One text failed; the worker goes on. */
  | { readonly kind: 'failed'; readonly id: number; readonly detail: string }
