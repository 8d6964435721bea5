/** A real `redis-server` of the test's own: in a folder of its own, on a Unix socket, with nothing to share. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { beginBooks } from '../../src/store/redis-admin.ts'

/** Why tests with a real Redis cannot run here; undefined = they can. */
export const NO_REDIS: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'redis-server is not installed'

export interface RedisServer {
  /** For `store.url`. */
  readonly url: string
  readonly socket: string
  readonly pid: number
  /** A plain client, for looking and for doing harm. */
  client(): Redis
  signal(name: NodeJS.Signals): void
  /** Ends it with this signal and resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on what it left, with further flags. */
  start(...flags: readonly string[]): Promise<void>
  /** Ends it for good and removes its folder. */
  remove(): Promise<void>
}

const DEFAULTS = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction', '--save', '']

/** Starts one, with new books unless `hasBooks` is false. */
export async function startRedis(
  setup: { readonly flags?: readonly string[]; readonly hasBooks?: boolean } = {},
): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-redis-'))
  const socket = join(dir, 'redis.sock')
  const url = `unix://${socket}`
  let child: ChildProcess | undefined
  const clients: Redis[] = []
  const start = async (...flags: readonly string[]): Promise<void> => {
    const args = ['--port', '0', '--unixsocket', socket, '--dir', dir, ...DEFAULTS, ...(setup.flags ?? []), ...flags]
    const started = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    child = started
    await new Promise<void>((resolve, reject) => {
      let output = ''
      started.stdout.on('data', (bytes: Buffer) => {
        output += bytes.toString()
        if (output.includes('eady to accept connections')) resolve()
      })
      started.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${output}`)))
    })
  }
  const stop = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    const ending = child
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const gone = new Promise((resolve) => ending.once('exit', resolve))
    ending.kill(signal)
    await gone
  }
  const client = (): Redis => {
    const made = new Redis({ path: socket, retryStrategy: (times) => Math.min(times * 20, 200) })
    made.on('error', () => {})
    clients.push(made)
    return made
  }
  await start()
  if (setup.hasBooks !== false) await beginBooks(url)
  return {
    url,
    socket,
    get pid() {
      return child?.pid ?? 0
    },
    client,
    signal: (name) => void child?.kill(name),
    stop,
    start,
    async remove() {
      for (const each of clients) each.disconnect()
      child?.kill('SIGCONT')
      await stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
