import type { Operations } from '../control/operations.ts'
import type { FeedbackService } from '../gateway/feedback.ts'
import type { IdempotencyStore } from '../gateway/idempotency.ts'
import type { Caller, Steps } from '../gateway/steps.ts'
import type { TaskService } from '../gateway/tasks.ts'
import type { ResponseMemory } from '../protocol/dialect.ts'
import type { ChatRequest, JsonObject } from '../protocol/request.ts'
import type { SwitchyardError } from '../shared/errors.ts'
import type { EntryService } from './cache-routes.ts'
import type { Keyring } from './keyring.ts'

/** What requests need and a reload replaces as a whole. */
export interface Runtime {
  readonly keyring: Keyring
  readonly steps: Steps
  /** Behind `/v1/cache`. */
  readonly cache: EntryService
  /** Names for `/v1/models`, in the order to show them. */
  readonly models: readonly ModelEntry[]
  readonly allowedOrigins: ReadonlySet<string>
  /** Engine fields that the operator lets callers send (`upstreams.X.passFields`). */
  readonly passFields: ReadonlySet<string>
  readonly textLimitBytes: number
  /** Tokens of a prompt at the model that would be asked first. Throws `model_not_found` and `model_not_allowed`. */
  readonly countTokens: (request: ChatRequest, caller: Caller, signal: AbortSignal) => Promise<TokenCount>
}

export interface TokenCount {
  readonly tokens: number
  /** `bound`: nobody could count; more than this the prompt cannot have. */
  readonly countedBy: 'engine' | 'provider' | 'tokenizer' | 'bound'
}

export interface ModelEntry {
  readonly id: string
  readonly ownedBy: string
}

/** Stored responses; reads throw `responses_unavailable` where they cannot be done. */
export interface ResponseService {
  memoryOf(caller: { readonly tenant: string; readonly key: string; readonly mayStore?: boolean }): ResponseMemory
  /** JSON text. */
  body(tenant: string, id: string): string | undefined
  /** What the model was given for a response, oldest first. */
  inputItems(tenant: string, id: string): readonly JsonObject[] | undefined
  /** False = there is none. */
  remove(tenant: string, id: string): boolean
}

export interface ServerOptions {
  readonly bodyLimitBytes: number
  readonly keepAliveMs: number
  /** Longest time for a whole request to arrive, head and body, ms. */
  readonly requestTimeoutMs: number
  /** True where the listening address is loopback (then `/metrics` needs no key). */
  readonly isLoopback: boolean
  readonly runtime: () => Runtime
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  readonly idempotency: IdempotencyStore
  /** What the admin key may ask for, below `/v1/admin`. */
  readonly operations: Operations
  /** Behind `/v1/responses`. */
  readonly responses: ResponseService
  /** Behind `/v1/feedback`. */
  readonly feedback: FeedbackService
  /** Behind `/v1/tasks` and `/v1/usage`. */
  readonly tasks: TaskService
  /** Lines of a task in the event log; undefined = none is kept. */
  readonly taskEvents: ((tenant: string, id: string) => AsyncIterable<string>) | undefined
  readonly now: () => number
  /** Hears about what never became a request: defects, refused heads. */
  readonly onDefect: (id: string, error: SwitchyardError) => void
}
