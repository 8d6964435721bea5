/** What an operator does to a Redis once: begin its books, accept a promoted replica. */
import { newId } from '../shared/ids.ts'
import { redisAddress } from '../shared/redis-url.ts'
import { redisClient, REDIS_KEYS } from './redis-client.ts'
import { parseInfo, promotedAs, wrongSettings } from './redis-health.ts'
import { StoreProblem } from './store-problem.ts'
import { StoreUnreachable } from './store-unreachable.ts'
import type { Redis } from 'ioredis'

/** Begins new, empty books. Resolves with a sentence; throws StoreProblem where there are books already, or the settings are wrong. */
export function beginBooks(url: string): Promise<string> {
  return withClient(url, async (client, address) => {
    const problems = wrongSettings(parseInfo(await client.info()), undefined)
    if (problems.length > 0)
      throw new StoreProblem(problems.map((each) => `store.url: Redis at ${address}: ${each}`).join('\n'))
    const made = await client.set(REDIS_KEYS.epoch, newId(`${new Date().toISOString().slice(0, 10)}-`), 'NX')
    if (made === null) {
      throw new StoreProblem(
        `store.url: Redis at ${address} has books already (begun ${await client.get(REDIS_KEYS.epoch)}). They stay as they are.`,
      )
    }
    return `Redis at ${address}: new books begun`
  })
}

/** Begins books with what `load` writes, the epoch last. Throws StoreProblem where there are any books or parts of some. */
export function beginBooksFrom(url: string, load: (client: Redis) => Promise<void>): Promise<string> {
  return withClient(url, async (client, address) => {
    const where = `store.url: Redis at ${address}`
    const problems = wrongSettings(parseInfo(await client.info()), undefined)
    if (problems.length > 0) throw new StoreProblem(problems.map((each) => `${where}: ${each}`).join('\n'))
    const found = await client.exists(REDIS_KEYS.epoch, REDIS_KEYS.tenants, REDIS_KEYS.loading)
    if (found > 0) {
      throw new StoreProblem(
        `${where} has books, or parts of books, already. They stay as they are: use an empty server, or empty this one with FLUSHDB after you have looked at it.`,
      )
    }
    await client.set(REDIS_KEYS.loading, new Date().toISOString())
    await load(client)
    await client.del(REDIS_KEYS.loading)
    return `Redis at ${address}: books begun with what the file holds`
  })
}

/** Lets a promoted replica be used. Resolves with a sentence. */
export function acceptPromoted(url: string): Promise<string> {
  return withClient(url, async (client, address) => {
    const promoted = promotedAs(parseInfo(await client.info()))
    if (promoted === undefined) return `Redis at ${address} was not promoted from a replica: nothing to accept`
    await client.set(REDIS_KEYS.accepted, promoted)
    return `Redis at ${address}: accepted as it is`
  })
}

async function withClient(url: string, work: (client: Redis, address: string) => Promise<string>): Promise<string> {
  const client = redisClient(url, { retryStrategy: () => null })
  const address = redisAddress(url)
  try {
    await client.connect()
    return await work(client, address)
  } catch (error) {
    if (error instanceof StoreProblem) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new StoreUnreachable(`store.url: Redis at ${address} cannot be used (${why}).`, { cause: error })
  } finally {
    client.disconnect()
  }
}
