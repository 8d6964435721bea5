import { readFileSync } from 'node:fs'
import { RedisScript } from '../../store/redis-link.ts'

const SHARED = read('shared')
const CALLS = read('calls')

/** The ledger's steps as they run inside of Redis, each one atomic. */
export const LEDGER_SCRIPTS: Readonly<
  Record<
    'reserve' | 'settle' | 'move' | 'beat' | 'look' | 'write' | 'admit' | 'release' | 'enter' | 'leave',
    RedisScript
  >
> = {
  reserve: script('reserve'),
  settle: script('settle'),
  move: script('move'),
  beat: script('beat'),
  look: script('look'),
  write: script('write'),
  admit: script('admit', CALLS),
  release: script('release', CALLS),
  enter: script('enter', CALLS),
  leave: script('leave', CALLS),
}

/** Steps of upkeep, each taken under the lease of a tenant's upkeep. */
export const UPKEEP_SCRIPTS: Readonly<
  Record<
    'lease' | 'fold' | 'old-books' | 'drop-task' | 'forget-keys' | 'forget-day' | 'forget-rest' | 'copy-month',
    RedisScript
  >
> = {
  lease: script('lease'),
  fold: script('fold'),
  'old-books': script('old-books'),
  'drop-task': script('drop-task'),
  'forget-keys': script('forget-keys'),
  'forget-day': script('forget-day'),
  'forget-rest': script('forget-rest'),
  'copy-month': script('copy-month'),
}

/**
 * Root of a tenant's keys. The braces are the hash tag: of the keys of a cluster, those of one tenant lie on one node
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags), so that a script may change all of them.
 */
export function rootOf(tenant: string): string {
  return `switchyard:{${tenant.replace(/[%{}]/g, encodeURIComponent)}}`
}

function script(name: string, more = ''): RedisScript {
  return new RedisScript(`${SHARED}\n${more}\n${read(name)}`)
}

function read(name: string): string {
  return readFileSync(new URL(`lua/${name}.lua`, import.meta.url), 'utf8')
}
