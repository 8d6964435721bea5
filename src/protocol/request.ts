/**
 * The one internal model of a request. Every dialect that agents speak decodes into it and every upstream adapter
 * encodes from it, so it carries what OpenAI, Anthropic and Google can express, in the field's own words.
 * Objects are built by a validator, field by field; nothing of a caller's body is ever passed on by reference to unknown keys.
 */

/** A JSON value that was parsed and checked for depth; used where the content is the caller's own (schemas, arguments). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** Anthropic's prompt-cache marker: the prompt up to and including this part may be cached. */
export interface CacheMarker {
  readonly ttl: '5m' | '1h'
}

/** Whose signature it is: only its own provider can check it. */
export type Signer = 'anthropic' | 'google' | 'openai' | 'openrouter'

export interface TextPart {
  readonly type: 'text'
  readonly text: string
  readonly cache?: CacheMarker
}
/** `url` is a checked public https/http URL or a checked data: URL (base64 of a known image type). It is never fetched by us. */
export interface ImagePart {
  readonly type: 'image'
  readonly url: string
  readonly detail?: 'auto' | 'low' | 'high'
  readonly cache?: CacheMarker
}
export interface AudioPart {
  readonly type: 'audio'
  readonly data: string
  readonly format: 'wav' | 'mp3'
}
export interface FilePart {
  readonly type: 'file'
  readonly fileId?: string
  readonly filename?: string
  readonly data?: string
  /** A checked public URL, where the dialect has one. */
  readonly url?: string
  readonly cache?: CacheMarker
}
export interface RefusalPart {
  readonly type: 'refusal'
  readonly text: string
}
/**
 * Thinking that has to go back unchanged: `signature` (Anthropic's, Google's thought signature, OpenAI's encrypted content, OpenRouter's sealed details) or
 * `redacted` data, which mean something to `signedBy` alone.
 */
export interface ReasoningPart {
  readonly type: 'reasoning'
  readonly text: string
  /** The provider's own id of it (OpenAI's `rs_…`). */
  readonly id?: string
  readonly signature?: string
  readonly redacted?: string
  /** Absent = unsigned: plain text that any model may read. */
  readonly signedBy?: Signer
}

/** What OpenAI's models call a message of an answer beside its calls; the next turn says it again (Responses API reference, `phase`). */
export type Phase = 'commentary' | 'final_answer'

export type UserPart = TextPart | ImagePart | AudioPart | FilePart

/** `arguments` is the model's own JSON text, kept byte for byte. */
export interface ToolCall {
  readonly id: string
  readonly kind: 'function' | 'custom'
  readonly name: string
  readonly arguments: string
  /** Google's thought signature of this call. */
  readonly signature?: string
  readonly signedBy?: Signer
  readonly cache?: CacheMarker
}

export type Message =
  | { readonly role: 'system' | 'developer'; readonly content: string | readonly TextPart[]; readonly name?: string }
  | { readonly role: 'user'; readonly content: string | readonly UserPart[]; readonly name?: string }
  | {
      readonly role: 'assistant'
      readonly content: string | readonly (TextPart | RefusalPart)[] | null
      readonly toolCalls?: readonly ToolCall[]
      readonly reasoning?: readonly ReasoningPart[]
      readonly refusal?: string
      readonly audioId?: string
      readonly phase?: Phase
      readonly name?: string
    }
  | {
      readonly role: 'tool'
      readonly toolCallId: string
      readonly content: string | readonly (TextPart | ImagePart)[]
      readonly isError?: boolean
      readonly cache?: CacheMarker
    }

export interface FunctionTool {
  readonly kind: 'function'
  readonly name: string
  readonly description?: string
  /** A checked JSON Schema of type object. */
  readonly parameters?: JsonObject
  readonly strict?: boolean
  readonly cache?: CacheMarker
}
export interface CustomTool {
  readonly kind: 'custom'
  readonly name: string
  readonly description?: string
  readonly format?: JsonObject
}
export type Tool = FunctionTool | CustomTool

export type ToolChoice =
  | { readonly type: 'auto' | 'none' | 'required' }
  | { readonly type: 'tool'; readonly kind: 'function' | 'custom'; readonly name: string }
  | { readonly type: 'allowed'; readonly mode: 'auto' | 'required'; readonly names: readonly string[] }

export type OutputFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema'
      readonly name: string
      readonly description?: string
      readonly schema?: JsonObject
      readonly strict?: boolean
    }

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** Anthropic's way to say how much a model may think: `budgetTokens` is part of the output cap; `adaptive` leaves it to the model. */
export interface Thinking {
  readonly type: 'enabled' | 'disabled' | 'adaptive'
  readonly budgetTokens?: number
  /** `omitted`: the caller wants the signature and not the text. */
  readonly display?: 'summarized' | 'omitted'
}

/** Unset stays unset: an upstream's own default is never replaced by ours. */
export interface Sampling {
  readonly temperature?: number
  readonly topP?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  readonly seed?: number
  readonly stop?: readonly string[]
  readonly logitBias?: Readonly<Record<string, number>>
  /** Known to engines (vLLM, SGLang, llama.cpp, TGI) and partly to Anthropic and Google; see `docs/compatibility.md`. */
  readonly topK?: number
  readonly minP?: number
  readonly repetitionPenalty?: number
}

/**
 * Fields of the OpenAI body that only OpenAI itself gives a meaning to, under their wire names and with checked values.
 * Kept apart so that adapters decide by name: forward, drop (named in `x-switchyard-dropped`) or refuse.
 */
export interface OpenAiOnly {
  readonly audio?: JsonObject
  readonly metadata?: Readonly<Record<string, string>>
  readonly modalities?: readonly ('text' | 'audio')[]
  readonly moderation?: JsonObject
  readonly prediction?: JsonObject
  readonly prompt_cache_key?: string
  readonly prompt_cache_options?: JsonObject
  readonly prompt_cache_retention?: string
  readonly safety_identifier?: string
  readonly service_tier?: string
  readonly store?: boolean
  readonly user?: string
  readonly verbosity?: 'low' | 'medium' | 'high'
  readonly web_search_options?: JsonObject
}

/** Texts, or token ids of the model that is asked. */
export interface EmbeddingWish {
  readonly inputs: readonly (string | readonly number[])[]
  /** Length of the vectors; absent = the model's own. */
  readonly dimensions?: number
  readonly encoding: 'float' | 'base64'
}

/** What a response of the Responses API says of its request, and what is kept of it. */
export interface ResponsesTurn {
  /** The request's settings, as the response repeats them. */
  readonly settings: JsonObject
  /** The new input in the API's own form; items without an id get one from the letters of the answer. */
  readonly items: (answerId: string) => readonly JsonObject[]
  readonly previousId: string | undefined
  /** It was asked for and is allowed. */
  readonly store: boolean
}

export interface ChatRequest {
  /** As the caller wrote it: `auto`, an alias, a configured name or `upstream/model`. */
  readonly model: string
  readonly messages: readonly Message[]
  /** Present = a raw text to go on with (`/v1/completions`), to be sent through no template; `messages` then holds it as the one user message. */
  readonly prompt?: string
  /** Present = vectors of these inputs are wanted, and no answer; `messages` then holds each as a user message. */
  readonly embed?: EmbeddingWish
  readonly tools: readonly Tool[]
  readonly toolChoice?: ToolChoice
  readonly parallelToolCalls?: boolean
  readonly format?: OutputFormat
  readonly reasoningEffort?: ReasoningEffort
  readonly thinking?: Thinking
  /** Cap on generated tokens, reasoning included; absent = the caller gave none. */
  readonly maxOutputTokens?: number
  /** Number of answers (choices), 1..128. */
  readonly n: number
  /** Present = log-probabilities are wanted, with this many alternatives (0..20). */
  readonly topLogprobs?: number
  readonly sampling: Sampling
  readonly openai: OpenAiOnly
  /** Fields that the operator lets through by name (`upstreams.X.passFields`), as the caller sent them. */
  readonly passed: JsonObject
  readonly stream: boolean
  /** The caller asked for the usage chunk of a stream (upstreams are always asked). */
  readonly includeUsage: boolean
  /** The caller used the deprecated `functions`: its answer carries `function_call` instead of `tool_calls`. */
  readonly legacyFunctions: boolean
  /** What the header `anthropic-beta` of the caller lists. */
  readonly betas?: readonly string[]
  /** The task that the body itself names, where its dialect has a place for that. A header counts more. */
  readonly taskId?: string
  /**
   * What the caller set of that which one provider's API alone has a word for (`thinking` and `cache_control` of Anthropic's,
   * `reasoning.summary` of OpenAI's responses) and whose loss changes no meaning: an adapter that cannot say it names it as dropped.
   */
  readonly hints?: readonly string[]
  readonly turn?: ResponsesTurn
  /** Names of unknown fields that were removed; shown in `x-switchyard-dropped`. */
  readonly dropped: readonly string[]
  /** Size of the accepted body in bytes: an upper bound for the prompt's tokens under byte-level BPE. */
  readonly bodyBytes: number
}
