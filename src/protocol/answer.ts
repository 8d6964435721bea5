/**
 * The one internal model of an answer: a list of events, the same for streamed and whole answers and for every upstream.
 * An adapter decodes its wire format into events; a dialect encodes events for its callers.
 */
import type { JsonObject, Phase, Signer } from './request.ts'

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call'

/** One token's log-probability as OpenAI writes it: `{token, logprob, bytes, top_logprobs}`. */
export type TokenLogprob = JsonObject

export type AnswerEvent =
  | {
      readonly type: 'start'
      readonly id: string
      readonly model: string
      /** Unix seconds. */
      readonly created: number
      readonly fingerprint?: string
      readonly serviceTier?: string
    }
  | {
      readonly type: 'text'
      readonly choice: number
      readonly text: string
      /** Comes with the first fragment of a message that has one, which is not empty, and begins that message. */
      readonly phase?: Phase
    }
  | {
      readonly type: 'reasoning'
      readonly choice: number
      readonly text: string
      /** The provider's own id of this piece of thinking; fragments of another id begin another piece. */
      readonly id?: string
      /** Comes with or after the last fragment of its text. */
      readonly signature?: string
      readonly redacted?: string
      readonly signedBy?: Signer
    }
  | {
      readonly type: 'refusal'
      readonly choice: number
      readonly text: string
      /** As of a text. */
      readonly phase?: Phase
      /** The provider says it beside the content (Anthropic's `stop_details`), with its kind of refusal where it names one. */
      readonly aside?: { readonly category: string | null }
    }
  | {
      /** `index` counts the calls of a choice from 0 without gaps. The first fragment carries `id` and `name`, later ones only `arguments`. */
      readonly type: 'tool-call'
      readonly choice: number
      readonly index: number
      readonly id?: string
      readonly kind?: 'function' | 'custom'
      readonly name?: string
      readonly arguments: string
      readonly signature?: string
      readonly signedBy?: Signer
    }
  | {
      readonly type: 'logprobs'
      readonly choice: number
      readonly content: readonly TokenLogprob[] | null
      readonly refusal: readonly TokenLogprob[] | null
    }
  | { readonly type: 'annotations'; readonly choice: number; readonly annotations: readonly JsonObject[] }
  | { readonly type: 'audio'; readonly choice: number; readonly audio: JsonObject }
  | { readonly type: 'finish'; readonly choice: number; readonly reason: FinishReason; readonly stopSequence?: string }
  | { readonly type: 'usage'; readonly usage: Usage }

/**
 * Tokens of one attempt. `input` is the whole prompt, cached tokens included, whatever the provider's own convention is;
 * `output` includes reasoning. All are safe integers >= 0.
 */
export interface Usage {
  readonly input: number
  readonly cachedInput: number
  /** Tokens written to a prompt cache that the provider bills apart (part of `input`). */
  readonly cacheWrite: number
  /** Of `cacheWrite`, those that are kept for an hour; absent = 0. */
  readonly cacheWrite1h?: number
  readonly output: number
  readonly reasoning: number
  readonly audioInput: number
  readonly audioOutput: number
  /** Tokens of images and video (part of `input`); absent = 0. */
  readonly imageInput?: number
  /** The same of `output`; absent = 0. */
  readonly imageOutput?: number
  /** Service tier that the provider says it used, where it is not the ordinary one. */
  readonly serviceTier?: string
  /** True where the upstream reported nothing usable and the numbers are our own count. */
  readonly estimated: boolean
}

/** A group of events that arrived together. */
export interface AnswerChunk {
  readonly events: readonly AnswerEvent[]
  /**
   * The SSE frames (`data: {...}\n\n`, one or more) that say exactly `events` in the OpenAI chat dialect, when the upstream
   * already sent them in a form that needs no change: they may be relayed as they are. Never holds usage, `[DONE]` or errors.
   */
  readonly wire?: string
}

/** True for events that a caller can see as content: after the first one an attempt is never repeated elsewhere. */
export function isContent(event: AnswerEvent): boolean {
  switch (event.type) {
    case 'text':
    case 'reasoning':
    case 'refusal':
      return event.text !== ''
    case 'tool-call':
    case 'audio':
      return true
    case 'start':
    case 'logprobs':
    case 'annotations':
    case 'finish':
    case 'usage':
      return false
    default:
      return event satisfies never
  }
}
