import type { UpkeepLease } from './redis-lease.ts'

const PAGE = 50

export interface StoredDocument {
  readonly id: string
  readonly version: string
  readonly text: string
}

/** Documents of a kind of one tenant in the order of their ids, page by page. Throws RedisDown. */
export async function* redisDocuments(
  lease: UpkeepLease,
  kind: string,
): AsyncGenerator<readonly StoredDocument[], void, void> {
  for (let from = '-'; ;) {
    const ids = (await lease.read('ZRANGEBYLEX', `ids:${kind}`, from, '+', 'LIMIT', '0', String(PAGE))) as string[]
    const found = await Promise.all(ids.map((id) => lease.read('HMGET', `document:${kind}:${id}`, 'version', 'text')))
    yield found.flatMap((reply, index) => {
      const [version, text] = reply as readonly (string | null)[]
      const id = ids[index] as string
      return typeof version === 'string' && typeof text === 'string' ? [{ id, version, text }] : []
    })
    if (ids.length < PAGE) return
    from = `(${ids.at(-1)}`
  }
}
