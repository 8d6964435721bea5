/**
 * The small local model that turns a text into a vector of unit length, so that the cosine of two texts is their dot product. Whoever asks
 * on the way of a request says how long it may wait, and decides without the vector where there is none by then.
 */

/** Length of a vector (all-MiniLM-L6-v2). */
export const DIMENSIONS = 384
/** Most tokens of a text that are read, `[CLS]` and `[SEP]` among them: what the model was made for. */
export const MAX_TOKENS = 256

/**
 * `off` = not configured; `idle` = not needed yet; `loading`; `ready`; `waiting` = the worker has died and is started again after a while;
 * `failed` = it cannot be loaded, which only a restart can mend; `closed`.
 */
export type EncoderState = 'off' | 'idle' | 'loading' | 'ready' | 'waiting' | 'failed' | 'closed'

export interface EmbedOptions {
  /** Longest wait, ms; default: `encoder.deadlineMs` of the configuration. Infinity = until it is done, for work beside requests. */
  readonly deadlineMs?: number
  /** Tokens to read, 3 to 256; default 256. */
  readonly maxTokens?: number
}

/** A vector for each token of a text, `[CLS]` first and `[SEP]` last. */
export interface TokenVectors {
  /** Pieces of words as the vocabulary has them: lower case, `##` before what continues a word. */
  readonly pieces: readonly string[]
  /** `pieces.length` rows of 384 numbers, not normalised; their mean, normalised, is the text's vector. */
  readonly vectors: Float32Array
}

/** A text for which somebody waits until it is done. */
export interface EmbeddedText {
  readonly vector: Float32Array
  /** Tokens that were read, `[CLS]` and `[SEP]` among them. */
  readonly tokens: number
  /** The text had more than was read. */
  readonly isCut: boolean
}

export interface Encoder {
  readonly state: EncoderState
  /** SHA-256 of the weights; vectors of other weights do not compare. Undefined where there is none. */
  readonly modelSha256: string | undefined
  /**
   * The vector of a text, shared with everybody who asks for the same: not to be changed. Undefined = not in time, or not at all. A late
   * vector is kept for the next who asks. Never rejects, whatever the text is.
   */
  embed(text: string, options?: EmbedOptions): Promise<Float32Array | undefined>
  /** The same where it is known already; asks nobody. */
  peek(text: string, maxTokens?: number): Float32Array | undefined
  /** A vector per token. They are not kept: they are large. */
  embedTokens(text: string, options?: EmbedOptions): Promise<TokenVectors | undefined>
  /**
   * All texts of a list, behind whatever has a deadline. Rejects with `EncoderBusy` where too many wait or no worker runs, and with the
   * signal's reason when it is aborted.
   */
  embedAll(texts: readonly string[], signal: AbortSignal): Promise<readonly EmbeddedText[]>
  /** Starts the worker and loads the model, unless that has been done; rejects with a sentence where it cannot be loaded. */
  load(): Promise<void>
  close(): void
}

/** There is no room, or no worker, for the moment. */
export class EncoderBusy extends Error {
  readonly retryAfterMs: number

  constructor(retryAfterMs: number) {
    super('the encoder is busy')
    this.name = 'EncoderBusy'
    this.retryAfterMs = retryAfterMs
  }
}
