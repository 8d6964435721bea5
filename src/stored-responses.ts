/** Part of the composition root: stored responses of the Responses API, in a file beside the ledger. What goes wrong here never costs an answer. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ResponseService } from './http/runtime.ts'
import type { KeptResponse, ResponseMemory } from './protocol/dialect.ts'
import type { JsonObject } from './protocol/request.ts'
import { SwitchyardError } from './shared/errors.ts'
import { ConversationTooLong, RESPONSES_FILE, ResponseStore, type ItemRow } from './store/response-store.ts'

/** Between steps of about a millisecond, ms. */
const REST_MS = 20
/** After the start, when the first requests have been answered, and from then on, ms. */
const FIRST_MS = 2000
const EVERY_MS = 3_600_000
const DAY_MS = 86_400_000

export interface StoredResponsesOptions {
  readonly dataDir: string
  /** Unix milliseconds. */
  readonly wallNow: () => number
  readonly onEvent: (event: Readonly<Record<string, unknown>>) => void
}

export class StoredResponses implements ResponseService {
  readonly #options: StoredResponsesOptions
  readonly #path: string
  /** Undefined until the first response is stored, or where the file cannot be used. */
  #store: ResponseStore | undefined
  #isUsable = true
  #timer: NodeJS.Timeout | undefined
  #isTroubled = false
  #isClosed = false

  /** Opens the file if there is one. Where it cannot be used nothing is stored, and a line in the log says why. */
  constructor(options: StoredResponsesOptions) {
    this.#options = options
    this.#path = join(options.dataDir, RESPONSES_FILE)
    if (existsSync(this.#path)) this.#open()
  }

  /** Deletes what is older than it is kept, now and from time to time. */
  start(days: () => number): void {
    const look = (): void => {
      // A file that cannot be read has said so.
      void this.expire(this.#options.wallNow() - days() * DAY_MS).catch(() => {})
      this.#timer = setTimeout(look, EVERY_MS)
      this.#timer.unref()
    }
    this.#timer = setTimeout(look, FIRST_MS)
    this.#timer.unref()
  }

  memoryOf({ tenant, key, mayStore = false }: Parameters<ResponseService['memoryOf']>[0]): ResponseMemory {
    return {
      mayStore: mayStore && this.#isUsable,
      conversation: (id) => {
        const texts = this.#read((store) => store.conversation(tenant, id, true))
        return texts === undefined ? undefined : { items: texts.map(parse), bytes: bytesOf(texts) }
      },
      item: (id) => {
        const text = this.#read((store) => store.item(tenant, id))
        return text === undefined ? undefined : { item: parse(text), bytes: bytesOf([text]) }
      },
      keep: (response) => this.#keep(tenant, key, response),
    }
  }

  body(tenant: string, id: string): string | undefined {
    return this.#read((store) => store.body(tenant, id))
  }

  inputItems(tenant: string, id: string): readonly JsonObject[] | undefined {
    return this.#read((store) => store.conversation(tenant, id, false))?.map(parse)
  }

  remove(tenant: string, id: string): boolean {
    return this.#read((store) => store.remove(tenant, id)) ?? false
  }

  /** Deletes everything of a tenant, or of some of its keys; gives how many. */
  async forget(tenant: string, keys: ReadonlySet<string> | undefined): Promise<number> {
    const removed = await this.#inSteps((store) => store.forgetSome(tenant, keys))
    if (removed > 0) this.#read((store) => store.truncateLog())
    return removed
  }

  /** Deletes what was made before a moment (unix ms). */
  expire(beforeMs: number): Promise<number> {
    return this.#inSteps((store) => store.expireSome(beforeMs))
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#store?.close()
  }

  #keep(tenant: string, key: string, { id, previousId, input, output, body }: KeptResponse): boolean {
    const store = this.#store ?? this.#open()
    if (store === undefined) return false
    const createdMs = this.#options.wallNow()
    const rows = { input: input.map(rowOf), output: output.map(rowOf) }
    try {
      store.add({ id, tenant, key, previous: previousId, createdMs, body, ...rows })
      this.#isTroubled = false
      return true
    } catch (error) {
      this.#trouble(error)
      return false
    }
  }

  #open(): ResponseStore | undefined {
    if (!this.#isUsable) return undefined
    try {
      this.#store = new ResponseStore(this.#path)
    } catch (error) {
      this.#isUsable = false
      this.#trouble(error)
    }
    return this.#store
  }

  /** Undefined where nothing was ever stored. Throws `responses_unavailable` where the file cannot be read. */
  #read<T>(work: (store: ResponseStore) => T): T | undefined {
    try {
      if (!this.#isUsable) throw new Error('the file could not be opened')
      return this.#store === undefined ? undefined : work(this.#store)
    } catch (error) {
      if (error instanceof ConversationTooLong) {
        const sentence = 'The stored conversation is longer than any model could take. Begin a new one.'
        throw new SwitchyardError('request_too_large', sentence, { param: 'previous_response_id' })
      }
      this.#trouble(error)
      throw new SwitchyardError('responses_unavailable', 'Stored responses cannot be read at the moment.', {
        cause: error,
        detail: String(error),
      })
    }
  }

  async #inSteps(step: (store: ResponseStore) => number): Promise<number> {
    if (this.#store === undefined) return 0
    let removed = 0
    while (!this.#isClosed) {
      const some = this.#read(step) ?? 0
      if (some === 0) break
      removed += some
      await delay(REST_MS)
    }
    return removed
  }

  /** Said once, until something works again. */
  #trouble(error: unknown): void {
    if (this.#isTroubled) return
    this.#isTroubled = true
    this.#options.onEvent({ event: 'responses', what: 'cannot be stored', detail: String(error) })
  }
}

/** Deletes the stored responses of a subject while no service runs; gives how many. Makes no file. */
export async function forgetResponses(
  dataDir: string,
  tenant: string,
  keys: ReadonlySet<string> | undefined,
): Promise<number> {
  if (!existsSync(join(dataDir, RESPONSES_FILE))) return 0
  const stored = new StoredResponses({ dataDir, wallNow: Date.now, onEvent: () => {} })
  try {
    return await stored.forget(tenant, keys)
  } finally {
    stored.close()
  }
}

function rowOf(item: JsonObject): ItemRow {
  return { id: String(item['id']), text: JSON.stringify(item) }
}

function parse(text: string): JsonObject {
  return JSON.parse(text) as JsonObject
}

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}
