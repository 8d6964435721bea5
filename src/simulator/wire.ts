/** What one provider's API needs to be simulated. One folder per wire beside this file; `wires.ts` lists them. */
import type { IncomingHttpHeaders } from 'node:http'
import type { SimChoice, SimRequest } from './compose.ts'
import type { FaultKind, FaultRule } from './faults.ts'
import type { PromptCache } from './prompt-cache.ts'
import type { CacheRates, InputTokens, UsedTokens } from './used-tokens.ts'

export const FLAVOURS = ['openai', 'vllm', 'anthropic', 'google', 'tgi'] as const
export type Flavour = (typeof FLAVOURS)[number]

/** What a wire may know of the server around it. */
export interface World {
  readonly models: readonly string[]
  readonly running: number
  readonly contextTokens: number
  readonly cache: PromptCache
  /** Number of this request, from 1. */
  readonly request: number
}

/** A refusal in the wire's own words. */
export class Refusal extends Error {
  readonly status: number
  /** The provider's own name of the error, where the status does not say it. */
  readonly kind: string | undefined

  constructor(status: number, message: string, kind?: string) {
    super(message)
    this.status = status
    this.kind = kind
  }
}

/** Writes one answer. Stream methods give the text to send, which may be empty. */
export interface AnswerWriter {
  readonly contentType: string
  whole(choices: readonly SimChoice[], usage: UsedTokens | undefined): object
  /** Before the first token. */
  begin(choices: readonly SimChoice[]): string
  thinking(choice: number, token: string): string
  text(choice: number, token: string): string
  call(choice: number, index: number, call: SimChoice['toolCalls'][number]): string
  /** The end of all choices; `usage` is undefined where the script wants none. */
  end(choices: readonly SimChoice[], usage: UsedTokens | undefined): string
  /** An error after the answer has begun. */
  failure(): string
  /** What this fault puts between two tokens without ending the answer. */
  interject?(fault: FaultRule): string
}

export type Asked =
  | {
      readonly kind: 'generate'
      readonly request: SimRequest
      readonly isStream: boolean
      /** Counts the prompt, and writes to the prompt cache what this one leaves there; called once, when the answer begins. */
      count(): InputTokens
      /** `tellsUsage` = false where the script wants an answer without usage. */
      writer(input: InputTokens, tellsUsage: boolean): AnswerWriter
    }
  /** Answered without generating anything. `billed` = tokens of its input; absent = free. */
  | { readonly kind: 'reply'; readonly body: object; readonly model?: string; readonly billed?: number }

export interface WireCall {
  /** Whether the fault script counts it: it does what costs money. */
  readonly isCounted: boolean
  /** Throws Refusal. `body` is parsed JSON. */
  read(body: unknown, headers: IncomingHttpHeaders, world: World): Asked
}

export interface Page {
  readonly status?: number
  readonly type: string
  readonly body: string
}

export interface Wire {
  readonly flavour: Flavour
  /** Faults that only some wires have. */
  readonly ownFaults: readonly FaultKind[]
  /** Whether a stream's head goes out before the first token is there. */
  readonly flushesHead: boolean
  readonly cacheRates?: CacheRates
  page(path: string, world: World): Page | undefined
  /** The call behind a POST; undefined = not served. */
  call(path: string, query: URLSearchParams): WireCall | undefined
  /** Undefined = the key is right. */
  refuseKey(headers: IncomingHttpHeaders, query: URLSearchParams, key: string): Refusal | undefined
  /** An error's body. */
  error(refusal: Refusal): object
  notFound(method: string, path: string): object
  /** How it says that it has too much to do: with its own status. */
  readonly overloaded: Refusal
  headers(world: World): Readonly<Record<string, string>>
}

export function jsonPage(body: unknown): Page {
  return { type: 'application/json', body: JSON.stringify(body) }
}

export function bearerIs(headers: IncomingHttpHeaders, key: string): boolean {
  return headers.authorization === `Bearer ${key}`
}
