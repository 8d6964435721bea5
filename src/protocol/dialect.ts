/** What an API that callers speak needs: its requests decoded, its answers and errors written. One folder per dialect beside this file. */
import type { NanoUsd } from '../shared/money.ts'
import type { SwitchyardError } from '../shared/errors.ts'
import type { AnswerChunk, Usage } from './answer.ts'
import type { ChatRequest, JsonObject } from './request.ts'

export interface DecodeOptions {
  /** Size of the accepted body in bytes. */
  readonly bodyBytes: number
  /** What happens to names that nobody knows: left out and named in a header, or refused. */
  readonly unknownFields: 'drop' | 'refuse'
  /** Fields that the operator lets through to an upstream although we do not know them. */
  readonly passFields?: ReadonlySet<string>
  /** Most characters of text in a body; images do not count. */
  readonly textLimitBytes?: number
  /** The caller's header `anthropic-beta`. */
  readonly betas?: string | undefined
  /** Where a dialect keeps conversations; absent = it does not. */
  readonly memory?: ResponseMemory
}

/** Stored responses of one tenant (Responses API). */
export interface ResponseMemory {
  /** The key allows it, and there is a place. */
  readonly mayStore: boolean
  /** Items of a response's whole conversation, oldest first, and their size; undefined = it, or one before it, is not there. */
  conversation(id: string): { readonly items: readonly JsonObject[]; readonly bytes: number } | undefined
  item(id: string): { readonly item: JsonObject; readonly bytes: number } | undefined
  /** False = it could not be kept; the answer goes out all the same. */
  keep(response: KeptResponse): boolean
}

export interface KeptResponse {
  readonly id: string
  readonly previousId: string | undefined
  /** What was new in the request. */
  readonly input: readonly JsonObject[]
  readonly output: readonly JsonObject[]
  /** The whole response as JSON text. */
  readonly body: string
}

/** What an answer says about itself until its upstream says it better. */
export interface AnswerShape {
  /** Letters that are this answer's own; a dialect puts its prefix before them (`chatcmpl-`, `msg_`, `resp_`). */
  readonly id: string
  /** Unix seconds. */
  readonly created: number
  readonly request: ChatRequest
  readonly memory?: ResponseMemory
}

/** Puts the events of one answer together to one body. */
export interface WholeWriter {
  add(chunk: AnswerChunk): void
  /** The body as JSON text. */
  render(usage: Usage, cost: NanoUsd | undefined): string
}

/** Writes one answer as server-sent events; every method gives the text to send, which may be empty. */
export interface StreamWriter {
  /** Sent after a long silence; a comment, or an event that means nothing. */
  readonly keepAlive: string
  chunk(chunk: AnswerChunk): string
  /** The end of a whole answer. */
  end(usage: Usage, cost: NanoUsd | undefined): string
  /** The end of a broken one: nothing that a client could take for success. */
  fail(error: SwitchyardError): string
}

export interface Dialect {
  readonly name: 'openai-chat' | 'openai-responses' | 'openai-completions' | 'openai-embeddings' | 'anthropic-messages'
  /** Its requests may go on from a stored one, and its answers may be stored. */
  readonly isStateful?: boolean
  /** Throws a SwitchyardError that names the field (`param`). `body` is parsed JSON. */
  decode(body: unknown, options: DecodeOptions): ChatRequest
  whole(shape: AnswerShape): WholeWriter
  stream(shape: AnswerShape): StreamWriter
  /** A second name under which its clients look for the request's id, besides `x-request-id`. */
  readonly requestIdHeader?: string
  /** Its names for fields that chat completions call otherwise, which is what later steps call them in errors. */
  readonly fieldNames?: ReadonlyMap<string, string>
  /** The envelope as JSON text. */
  errorBody(error: SwitchyardError, requestId: string): string
}
