import { Redis } from 'ioredis'

const CONNECT_TIMEOUT_MS = 1000
/** After a command without any answer for so long the connection is taken for dead and made anew, ms. */
const SOCKET_TIMEOUT_MS = 5000
const LONGEST_RECONNECT_MS = 500

/** Keys that belong to no tenant. */
export const REDIS_KEYS = {
  /** Made once, by an operator: without it the books are not there. */
  epoch: 'switchyard:epoch',
  /** There while books are written from a file, before they have an epoch. */
  loading: 'switchyard:loading',
  /** Replication id of the promoted replica that an operator has accepted. */
  accepted: 'switchyard:accepted',
  /** Every tenant that has books. */
  tenants: 'switchyard:tenants',
} as const

export interface RedisClientOptions {
  /** Milliseconds until the next try; null = none. */
  readonly retryStrategy?: (times: number) => number | null
}

/**
 * A client that is not connected yet. Nothing is queued while there is no connection and nothing is sent twice: a command fails at
 * once, or its caller hears that it may have run.
 */
export function redisClient(url: string, more: RedisClientOptions = {}): Redis {
  const options = {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Its own reading of integers is wrong by one near 2^53.
    stringNumbers: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    retryStrategy: (times: number) => Math.min(50 * times, LONGEST_RECONNECT_MS),
    ...more,
  }
  const client = url.startsWith('unix:')
    ? new Redis({ ...options, path: decodeURIComponent(new URL(url).pathname) })
    : new Redis(url, options)
  // Every failure is seen by the command that meets it, and by the "close" event.
  client.on('error', () => {})
  return client
}
