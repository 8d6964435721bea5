import { RedisDown } from '../../store/redis-link.ts'
import type { Balance } from '../ledger/ledger.ts'
import { ledgerUnavailable } from '../ledger/ledger-unavailable.ts'
import { mergeTask } from './merge-task.ts'
import type { RedisLedger } from './redis-ledger.ts'
import { decodeTask, encodeTask, taskBooks, taskKey, tenantOf } from '../tasks/task.ts'
import type { TaskStore } from '../tasks/tasks.ts'

interface Entry {
  readonly tenant: string
  /** Version in Redis that `base` is. */
  version: number
  base: string
  /** As it is in memory here; differs from `base` until it is written. */
  text: string
  writing: Promise<void> | undefined
}

/**
 * Tasks that several gateways keep together. Redis has the documents; a request first loads its task (`load`), works on it in memory, and
 * what it changed is written over the version that was loaded. Where somebody else was faster, both changes are joined.
 */
export class SharedTasks implements TaskStore {
  readonly #ledger: RedisLedger
  readonly #onOther: (text: string) => void
  readonly #onGone: (id: string) => void
  readonly #entries = new Map<string, Entry>()

  /** `onOther` hears each document that another gateway has changed, `onGone` the id (`taskKey`) of each that was deleted. */
  constructor(ledger: RedisLedger, onOther: (text: string) => void, onGone: (id: string) => void = () => {}) {
    this.#ledger = ledger
    this.#onOther = onOther
    this.#onGone = onGone
  }

  /** Brings the task and the balances of its books (and of others of the tenant) up to date. Throws `ledger_unavailable`. */
  async load(tenant: string, id: string | undefined, books: readonly string[] = []): Promise<void> {
    try {
      if (id === undefined) {
        await this.#ledger.look(tenant, undefined, books)
        return
      }
      const key = taskKey(tenant, id)
      const all = [...Object.values(taskBooks(tenant, id) as unknown as Record<string, string>), ...books]
      const { version, text } = await this.#ledger.look(tenant, { kind: 'task', id: key }, all)
      if (version > 0) this.#saw(key, tenant, version, text)
      else this.#sawGone(key)
    } catch (error) {
      throw translated(error)
    }
  }

  read(_kind: string, id: string): string | undefined {
    return this.#entries.get(id)?.text
  }

  write(_kind: string, id: string, text: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined)
      this.#entries.set(id, { tenant: tenantOf(id), version: 0, base: '', text, writing: undefined })
    else entry.text = text
    // Not at once: several changes of one turn are one document.
    setImmediate(() => void this.#flush(id).catch(() => {}))
  }

  balance(book: string): Balance {
    return this.#ledger.lastSeen(book)
  }

  /** Resolves when everything is in Redis. Throws `ledger_unavailable`. */
  async written(): Promise<void> {
    try {
      await Promise.all([...this.#entries.keys()].map((id) => this.#flush(id)))
    } catch (error) {
      throw translated(error)
    }
  }

  /** Drops out of memory what is written and not `needed`. */
  evict(needed: (id: string) => boolean): void {
    for (const [id, entry] of this.#entries)
      if (entry.text === entry.base && entry.writing === undefined && !needed(id)) this.#entries.delete(id)
  }

  #saw(id: string, tenant: string, version: number, text: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) {
      this.#entries.set(id, { tenant, version, base: text, text, writing: undefined })
      return
    }
    if (version <= entry.version) return
    const merged = entry.text === entry.base ? text : joined(entry, text)
    entry.version = version
    entry.base = text
    entry.text = merged
    this.#onOther(merged)
  }

  /** Retention, or somebody who forgot its tenant, has deleted the task: it is none here either, unless it has something to write. */
  #sawGone(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.version === 0 || entry.text !== entry.base) return
    this.#entries.delete(id)
    this.#onGone(id)
  }

  /** Writes a document until what is in memory is what is in Redis. Rejects with RedisDown. */
  #flush(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.text === entry.base) return entry?.writing ?? Promise.resolve()
    entry.writing ??= this.#write(id, entry).finally(() => (entry.writing = undefined))
    return entry.writing
  }

  async #write(id: string, entry: Entry): Promise<void> {
    while (entry.text !== entry.base) {
      const { text } = entry
      const document = { kind: 'task', id, version: entry.version, text }
      const result = await this.#ledger.write(entry.tenant, document)
      if (!result.isWritten && result.version === 0) {
        // Deleted meanwhile; what has changed here since makes it anew.
        entry.version = 0
        entry.base = ''
      } else if (!result.isWritten) this.#saw(id, entry.tenant, result.version, result.text)
      else if (result.version > entry.version) {
        entry.version = result.version
        entry.base = text
      }
    }
  }
}

function joined(entry: Entry, text: string): string {
  const base = entry.base === '' ? undefined : decodeTask(entry.base)
  return encodeTask(mergeTask(base, decodeTask(entry.text), decodeTask(text)))
}

/** What the store says, as an answer: `ledger_unavailable`. */
export function translated(error: unknown): unknown {
  return error instanceof RedisDown ? ledgerUnavailable(error.message, error) : error
}
