import { REDIS_KEYS } from '../../store/redis-client.ts'
import { RedisDown, type RedisLink } from '../../store/redis-link.ts'
import type { AttemptState, AttemptView } from '../ledger/ledger.ts'
import type { DailyRow, LedgerPast, PastAttempt } from '../upkeep/ledger-past.ts'
import { ledgerUnavailable } from '../ledger/ledger-unavailable.ts'
import { decodeEnded, decodeLines, decodeNote } from './redis-records.ts'
import { rootOf } from './redis-scripts.ts'
import { tenantOf } from '../tasks/task.ts'

type Fields = Readonly<Record<string, string>>
const ASKED_AT_ONCE = 500

export type OpenAttempt = Pick<AttemptView, 'id' | 'note' | 'lines' | 'state'>

/** Looks back into the books in Redis: for reports and task pages, never for decisions. Every method throws `ledger_unavailable`. */
export class RedisPast implements LedgerPast {
  readonly #link: RedisLink

  constructor(link: RedisLink) {
    this.#link = link
  }

  /** The latest attempts of a task, oldest first: those that have ended, and after them those that run or are not known. */
  async attemptsOf(tenant: string, task: string, most: number): Promise<readonly PastAttempt[]> {
    const root = rootOf(tenant)
    const [entries, running] = (await Promise.all([
      this.#ask('LRANGE', `${root}:ended:${task}`, String(-most), '-1'),
      this.#ask('SMEMBERS', `${root}:running:${task}`),
    ])) as [readonly string[], readonly string[]]
    const open = await this.#open(tenant, running)
    const left = entries.slice(Math.min(entries.length, open.length))
    const found = await Promise.all(left.map((id) => this.#ask('XRANGE', `${root}:past`, id, id)))
    const ended = found.flatMap((reply) => entriesOf(reply)).map(({ text }) => decodeEnded(tenant, text))
    return [
      ...ended.map(({ note: { model, upstream, atMs }, ...rest }) => ({ ...rest, model, upstream, atMs })),
      ...open.map(({ id, state, lines, note: { model, upstream, atMs } }) => ({
        id,
        state,
        model,
        upstream,
        atMs,
        hold: lines[0]?.amount ?? 0,
        cost: undefined,
        input: undefined,
        output: undefined,
      })),
    ].slice(-most)
  }

  async documents(kind: string, prefix: string, after: string, most: number): Promise<readonly string[]> {
    const root = rootOf(tenantOf(prefix))
    // The index is of one tenant, so that every id in it has the prefix.
    const from = after > prefix ? `(${after}` : `[${prefix}`
    const range = [`${root}:ids:${kind}`, from, '+', 'LIMIT', '0', String(most)]
    const ids = (await this.#ask('ZRANGEBYLEX', ...range)) as readonly string[]
    const texts = await Promise.all(ids.map((id) => this.#ask('HGET', `${root}:document:${kind}:${id}`, 'text')))
    return texts.filter((text) => text !== null).map(String)
  }

  /** Documents of a kind of all tenants, `most` of each. */
  async documentsOfAll(kind: string, most: number): Promise<readonly string[]> {
    const texts: string[] = []
    for (const tenant of await this.tenants()) {
      const root = rootOf(tenant)
      const range = [`${root}:ids:${kind}`, '-', '+', 'LIMIT', '0', String(most)]
      for (const id of (await this.#ask('ZRANGEBYLEX', ...range)) as readonly string[]) {
        const text = await this.#ask('HGET', `${root}:document:${kind}:${id}`, 'text')
        if (text !== null) texts.push(String(text))
      }
    }
    return texts
  }

  async daily(from: string, to: string): Promise<readonly DailyRow[]> {
    const rows: DailyRow[] = []
    for (const tenant of await this.tenants()) {
      const root = rootOf(tenant)
      const days = (await this.#ask('SMEMBERS', `${root}:days`)) as readonly string[]
      for (const day of days.filter((each) => each >= from && each <= to).sort())
        rows.push(...dailyRows(day, tenant, fieldsOf(await this.#ask('HGETALL', `${root}:daily:${day}`))))
    }
    return rows
  }

  /** Attempts without an end, of all gateways. */
  async open(): Promise<readonly OpenAttempt[]> {
    const open: OpenAttempt[] = []
    for (const tenant of await this.tenants()) open.push(...(await this.openOf(tenant)))
    return open
  }

  async openOf(tenant: string): Promise<readonly OpenAttempt[]> {
    const root = rootOf(tenant)
    const owners = ((await this.#ask('HKEYS', `${root}:owners`)) as readonly string[]).filter((owner) => owner !== '')
    const sets = [...owners.map((owner) => `${root}:open:${owner}`), `${root}:unresolved`]
    const ids = await Promise.all(sets.map((set) => this.#ask('SMEMBERS', set) as Promise<readonly string[]>))
    return this.#open(tenant, ids.flat())
  }

  async tenants(): Promise<readonly string[]> {
    return (await this.#inOurBooks('SMEMBERS', REDIS_KEYS.tenants)) as readonly string[]
  }

  /** Whether a tenant has books. */
  async knows(tenant: string): Promise<boolean> {
    return (await this.#inOurBooks('SISMEMBER', REDIS_KEYS.tenants, tenant)) === '1'
  }

  /** What has no tenants may be an emptied Redis, and nobody may take it for books in which nothing was spent. */
  async #inOurBooks(...command: readonly [string, ...string[]]): Promise<unknown> {
    // In this order: what was answered before the mark was seen is of these books.
    const [found, epoch] = await Promise.all([this.#ask(...command), this.#ask('GET', REDIS_KEYS.epoch)])
    if (epoch === this.#link.epoch) return found
    const down = this.#link.suspect()
    throw ledgerUnavailable(down.message, down)
  }

  async #open(tenant: string, ids: readonly string[]): Promise<readonly OpenAttempt[]> {
    const key = (id: string): string => `${rootOf(tenant)}:attempt:${id}`
    const open: OpenAttempt[] = []
    for (let at = 0; at < ids.length; at += ASKED_AT_ONCE) {
      const part = ids.slice(at, at + ASKED_AT_ONCE)
      const found = await Promise.all(part.map((id) => this.#ask('HMGET', key(id), 'st', 'lines', 'note')))
      for (const [index, reply] of found.entries()) {
        const [state, lines, note] = reply as readonly (string | null)[]
        // It may have ended meanwhile, and a grave has no note.
        if (state === 'settled' || state === 'voided' || typeof lines !== 'string' || typeof note !== 'string') continue
        const id = part[index] as string
        open.push({ id, state: state as AttemptState, note: decodeNote(tenant, note), lines: decodeLines(lines) })
      }
    }
    return open
  }

  async #ask(name: string, ...args: readonly string[]): Promise<unknown> {
    try {
      return await this.#link.command(name, args)
    } catch (error) {
      throw error instanceof RedisDown ? ledgerUnavailable(error.message, error) : error
    }
  }
}

export function fieldsOf(reply: unknown): Fields {
  const list = reply as readonly string[]
  const fields: Record<string, string> = {}
  for (let at = 0; at + 1 < list.length; at += 2) fields[list[at] as string] = list[at + 1] as string
  return fields
}

/** Entries of a stream. */
export function entriesOf(reply: unknown): readonly { readonly entry: string; readonly text: string }[] {
  return (reply as readonly [string, readonly string[]][]).map(([entry, fields]) => ({ entry, text: fields[1] ?? '' }))
}

/** Fields are `key\ntype\nmodel`, values `calls input output cost`. */
export function dailyRows(day: string, tenant: string, fields: Fields): readonly DailyRow[] {
  return Object.entries(fields).map(([field, value]) => {
    const [key = '', type = '', model = ''] = field.split('\n')
    const [calls = 0, input = 0, output = 0, cost = 0] = value.split(' ').map(Number)
    return { day, tenant, key, type, model, calls, input, output, cost }
  })
}
