import type { Target } from '../gateway/steps.ts'
import type { AnswerChunk, AnswerEvent, Usage } from '../protocol/answer.ts'
import type { EncodeSend } from '../protocol/openai-chat/encode-request.ts'
import type { ChatRequest } from '../protocol/request.ts'
import type { SwitchyardError } from '../shared/errors.ts'
import type { Extra } from './unsaid.ts'

export interface EncodedRequest {
  /** Path below the replica's base URL. */
  readonly path: string
  readonly body: string
  /** Headers that this request needs besides those of every request. */
  readonly headers?: Readonly<Record<string, string>>
  readonly dropped: readonly string[]
}

/** What an answer answers, for wires whose answers do not say it. */
export interface Sent {
  readonly request: ChatRequest
  readonly target: Target
}

/** `usage` beside an error: what the provider bills although there is no answer. */
export type WholeAnswer =
  | { readonly events: readonly AnswerEvent[]; readonly usage: Usage }
  | { readonly error: SwitchyardError; readonly usage?: Usage }

/** Reads a streamed answer. */
export interface AnswerDecoder {
  readonly error: SwitchyardError | undefined
  readonly isDone: boolean
  readonly hasFinish: boolean
  readonly hasChoices: boolean
  /** The bytes so far end inside an event. */
  readonly isMidEvent: boolean
  feed(bytes: Buffer): AnswerChunk | undefined
  end(): AnswerChunk | undefined
  usage(): Usage
}

/** What a provider's wire format needs: encode, decode, and what its refusals mean. Conversion lives in pure files beside each adapter. */
export interface Adapter {
  /** What it has words for beside the fields of a chat; the sender names or refuses the rest. */
  readonly says: ReadonlySet<Extra>
  /** Headers of every request; `key` is the provider's, where there is one, and `header` where the operator wants it. */
  headers(key: string | undefined, header?: 'authorization' | 'api-key'): Readonly<Record<string, string>>
  /** Throws `unsupported_parameter` for what this wire cannot say. */
  encode(request: ChatRequest, target: Target, send: EncodeSend): EncodedRequest
  stream(requestBytes: number, choices: number, sent: Sent): AnswerDecoder
  whole(body: string, requestBytes: number, sent: Sent): WholeAnswer
  refusal(status: number, headers: Readonly<Record<string, unknown>>, body: string): SwitchyardError
}
