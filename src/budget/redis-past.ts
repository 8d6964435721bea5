import { REDIS_KEYS } from '../store/redis-client.ts'
import { RedisDown, type RedisLink } from '../store/redis-link.ts'
import type { AttemptNote, AttemptState, AttemptView } from './ledger.ts'
import type { DailyRow, LedgerPast, PastAttempt } from './ledger-past.ts'
import { ledgerUnavailable } from './ledger-unavailable.ts'
import { rootOf } from './redis-scripts.ts'
import { tenantOf } from './task.ts'

type Fields = Readonly<Record<string, string>>
export type OpenAttempt = Pick<AttemptView, 'id' | 'note' | 'lines' | 'state'>

/** Looks back into the books in Redis: for reports and task pages, never for decisions. Every method throws `ledger_unavailable`. */
export class RedisPast implements LedgerPast {
  readonly #link: RedisLink

  constructor(link: RedisLink) {
    this.#link = link
  }

  async attemptsOf(tenant: string, task: string, most: number): Promise<readonly PastAttempt[]> {
    const root = rootOf(tenant)
    const ids = (await this.#ask('LRANGE', `${root}:attempts:${task}`, '0', String(most - 1))) as readonly string[]
    const found = await this.#attempts(root, ids)
    return found.reverse().map(({ id, fields }) => pastAttempt(id, fields))
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
    for (const tenant of await this.#tenants()) {
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
    for (const tenant of await this.#tenants()) {
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
    for (const tenant of await this.#tenants()) {
      const root = rootOf(tenant)
      const owners = ((await this.#ask('HKEYS', `${root}:owners`)) as readonly string[]).filter((owner) => owner !== '')
      const sets = [...owners.map((owner) => `${root}:open:${owner}`), `${root}:unresolved`]
      const ids = await Promise.all(sets.map((set) => this.#ask('SMEMBERS', set) as Promise<readonly string[]>))
      for (const { id, fields } of await this.#attempts(root, ids.flat())) {
        const state = fields['st'] as AttemptState
        if (state === 'settled' || state === 'voided') continue
        open.push({ id, state, note: noteOf(fields), lines: linesOf(fields) })
      }
    }
    return open
  }

  async #tenants(): Promise<readonly string[]> {
    return (await this.#ask('SMEMBERS', REDIS_KEYS.tenants)) as readonly string[]
  }

  async #attempts(root: string, ids: readonly string[]): Promise<{ readonly id: string; readonly fields: Fields }[]> {
    const found = await Promise.all(ids.map((id) => this.#ask('HGETALL', `${root}:attempt:${id}`)))
    // An ended attempt is forgotten after a while, and a grave has no note.
    return found.flatMap((reply, index) => {
      const fields = fieldsOf(reply)
      return fields['note'] === undefined ? [] : [{ id: ids[index] as string, fields }]
    })
  }

  async #ask(name: string, ...args: readonly string[]): Promise<unknown> {
    try {
      return await this.#link.command(name, args)
    } catch (error) {
      throw error instanceof RedisDown ? ledgerUnavailable(error.message, error) : error
    }
  }
}

function fieldsOf(reply: unknown): Fields {
  const list = reply as readonly string[]
  const fields: Record<string, string> = {}
  for (let at = 0; at + 1 < list.length; at += 2) fields[list[at] as string] = list[at + 1] as string
  return fields
}

function noteOf(fields: Fields): AttemptNote {
  return JSON.parse(fields['note'] ?? '{}') as AttemptNote
}

function linesOf(fields: Fields): AttemptView['lines'] {
  return [...(fields['lines'] ?? '').matchAll(/^(\d+) (.+)$/gm)].map(([, amount, book]) => ({
    book: book as string,
    amount: Number(amount),
    limit: undefined,
  }))
}

function pastAttempt(id: string, fields: Fields): PastAttempt {
  const { model, upstream, atMs } = noteOf(fields)
  const count = (text: string | undefined): number | undefined =>
    text === undefined || text === '' ? undefined : Number(text)
  return {
    id,
    state: fields['st'] as AttemptState,
    model,
    upstream,
    atMs,
    hold: linesOf(fields)[0]?.amount ?? 0,
    cost: count(fields['settled']?.split(' ')[0]),
    input: count(fields['in']),
    output: count(fields['out']),
  }
}

/** Fields are `key\ntype\nmodel`, values `calls input output cost`. */
function dailyRows(day: string, tenant: string, fields: Fields): readonly DailyRow[] {
  return Object.entries(fields).map(([field, value]) => {
    const [key = '', type = '', model = ''] = field.split('\n')
    const [calls = 0, input = 0, output = 0, cost = 0] = value.split(' ').map(Number)
    return { day, tenant, key, type, model, calls, input, output, cost }
  })
}
