/** Reads what a Redis server says of itself, and judges whether money may be kept in it. */

/** Fields of `INFO` (https://redis.io/docs/latest/commands/info/). */
export type RedisInfo = Readonly<Record<string, string>>

/** Oldest version with the replication of script effects and the multi-part append-only file that this relies on. */
const OLDEST_MAJOR = 7
const NO_REPLICATION_ID = /^0*$/

export function parseInfo(text: string): RedisInfo {
  const info: Record<string, string> = {}
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0 && !line.startsWith('#')) info[line.slice(0, colon)] = line.slice(colon + 1)
  }
  return info
}

/**
 * What is wrong with a server's settings, one sentence each: the setting, what was found, and the line of `redis.conf` that mends it.
 * Only `INFO` is read for it, as hosted servers often refuse `CONFIG`.
 * @param appendfsync What `CONFIG GET appendfsync` said; undefined where it was refused.
 */
export function wrongSettings(info: RedisInfo, appendfsync: string | undefined): readonly string[] {
  const problems: string[] = []
  const version = info['redis_version'] ?? 'unknown'
  if (Number.parseInt(version, 10) < OLDEST_MAJOR || version === 'unknown')
    problems.push(`redis_version is ${version}, and ${OLDEST_MAJOR} or later is needed. Update the server.`)
  const policy = info['maxmemory_policy'] ?? 'unknown'
  if (policy !== 'noeviction') {
    problems.push(
      `maxmemory-policy is ${policy}: a full server would drop books, and their money could be spent again. Put "maxmemory-policy noeviction" into redis.conf.`,
    )
  }
  if (info['aof_enabled'] !== '1') {
    problems.push(
      'appendonly is no: a restart would forget what was spent. Put "appendonly yes" into redis.conf (on a running server first: CONFIG SET appendonly yes).',
    )
  }
  if (appendfsync === 'no') {
    problems.push(
      'appendfsync is no: a power cut may forget what was spent. Put "appendfsync everysec" or "appendfsync always" into redis.conf.',
    )
  }
  if (info['cluster_enabled'] === '1') {
    problems.push(
      'cluster-enabled is yes, and clusters are not supported yet. Use one server, with replicas if you like: "cluster-enabled no".',
    )
  }
  return problems
}

/** What stands against using a server at this moment, although its settings may be right; undefined = nothing. */
export function unusableNow(info: RedisInfo): string | undefined {
  if (info['role'] !== 'master') return `it is a ${info['role'] ?? 'server of unknown role'}, which takes no writes`
  if (info['loading'] !== undefined && info['loading'] !== '0') return 'it is still loading its data'
  if (info['aof_last_write_status'] !== undefined && info['aof_last_write_status'] !== 'ok')
    return 'it cannot write its append-only file (aof_last_write_status)'
  return undefined
}

/**
 * The replication id of a server that was a replica until it was promoted; undefined for one that was always the primary since it
 * started. Replication is asynchronous, so that a promoted replica may lack the last reservations.
 */
export function promotedAs(info: RedisInfo): string | undefined {
  return NO_REPLICATION_ID.test(info['master_replid2'] ?? '') ? undefined : info['master_replid']
}
