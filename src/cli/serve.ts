import { setFlagsFromString } from 'node:v8'
import type { KeyCounts } from '../access.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { Secret } from '../shared/secret.ts'
import { hasMadeKeys } from '../store/key-store.ts'
import { VERSION } from '../version.ts'
import { EXIT, UsageError, type Command, type Io } from './command.ts'
import { CONFIG_FLAGS_HELP, parseConfigFlags } from './config-flags.ts'
import { openLog } from './open-log.ts'

export const serve: Command = {
  name: 'serve',
  summary: 'run the service (the default command)',
  usage: `switchyard serve [flags]

Runs the service until SIGTERM or SIGINT, which let running answers end; a second signal ends everything at once. SIGHUP reads the
configuration again and keeps the old one if the new one is wrong.

${CONFIG_FLAGS_HELP}`,
  async run(args, io) {
    const flags = parseConfigFlags(args)
    const load = (): Promise<Config> => loadConfig(flags, { env: io.env, cwd: io.cwd, hasMadeKeys })
    const config = await load()
    const log = openLog(config.log, io)
    // Baseline code at the first call of a function instead of after many: a service that has just started answers cheaper. It
    // holds for what is compiled from here on, so it comes before the server's modules.
    setFlagsFromString('--always-sparkplug')
    // Loaded here, so that --help and check need not wait for the server's libraries.
    const { buildApp } = await import('../app.ts')
    const app = await buildApp(config, { log: log.target, version: VERSION })
    const say = (line: string): void => io.stdout.write(`${line}\n`)
    for (const line of banner(config, app.keys())) say(line)
    let url: string
    try {
      url = (await app.listen()).url
    } catch (error) {
      // What is open already (the simulator, the log) would keep the process alive.
      await app.close('now')
      await log.close()
      throw new UsageError(listenSentence(error, config))
    }
    const stopped = untilStopped(io, async (how) => app.close(how))
    let reloading = Promise.resolve()
    const stopReloading = io.onSignal((signal) => {
      if (signal !== 'SIGHUP') return
      // One after the other: of two quick signals the later file counts.
      reloading = reloading.then(() => reload(load, config, (next) => app.reload(next), io))
    })
    say(`switchyard listening on ${url}`)
    if (io.stdout.isTty || config.log === 'stdout') for (const line of firstSteps(url, app.keys())) say(line)
    await stopped
    stopReloading()
    await log.close()
    return EXIT.ok
  },
}

/** Takes the file's new state over, or keeps the old one and says why: one line either way. Never rejects. */
async function reload(
  load: () => Promise<Config>,
  atStart: Config,
  apply: (next: Config) => void,
  io: Io,
): Promise<void> {
  try {
    const next = await load()
    apply(next)
    const late = changedSinceStart(atStart, next)
    const but = late.length === 0 ? '' : `, but ${late.join(', ')} only after a restart`
    io.stderr.write(`configuration read again and in force${but}\n`)
  } catch (error) {
    const why = error instanceof ConfigError ? error.message.replaceAll('\n', '; ') : String(error)
    io.stderr.write(`the new configuration is wrong, the old one stays in force: ${why}\n`)
  }
}

/** Settings that differ from those the service started with, and cannot change while it listens. */
function changedSinceStart(atStart: Config, next: Config): readonly string[] {
  const names = ['host', 'port', 'adminKey', 'bodyLimitBytes', 'keepAliveSeconds', 'requestTimeoutSeconds'] as const
  const shown = (value: unknown): unknown => (value instanceof Secret ? value.reveal() : value)
  const changed: string[] = names
    .filter((name) => shown(atStart.server[name]) !== shown(next.server[name]))
    .map((name) => `server.${name}`)
  if (atStart.dataDir !== next.dataDir) changed.push('dataDir')
  if (storeText(atStart) !== storeText(next)) changed.push('store')
  if (atStart.log !== next.log) changed.push('telemetry.log')
  if (JSON.stringify(atStart.encoder) !== JSON.stringify(next.encoder)) changed.push('encoder')
  return changed
}

function storeText({ store }: Config): string {
  return store.kind === 'redis' ? store.url.reveal() : store.kind
}

/** Resolves when the service has stopped: the first signal drains, the second ends at once. */
function untilStopped(io: Io, close: (how: 'drain' | 'now') => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let signals = 0
    const stop = io.onSignal((signal) => {
      if (signal === 'SIGHUP') return
      signals += 1
      if (signals > 2) return
      if (signals === 1) io.stderr.write(`${signal}: letting running answers end; a second signal ends at once\n`)
      close(signals === 1 ? 'drain' : 'now').then(() => {
        stop()
        resolve()
      }, reject)
    })
  })
}

function banner(config: Config, keys: KeyCounts): readonly string[] {
  const lines = [`switchyard ${VERSION}`, ...config.origins]
  for (const [name, route] of Object.entries(config.routes)) {
    lines.push(`route ${name}: small = ${route.small.join(', ') || '-'}; big = ${route.big.join(', ') || '-'}`)
  }
  lines.push(keyLine(keys))
  for (const [name, type] of Object.entries(config.taskTypes)) lines.push(`task type ${name}: ${limitWords(type)}`)
  return [...lines, ...config.remarks]
}

/** The limits in force, for those who find out here that there are some. */
function limitWords(type: Config['taskTypes'][string]): string {
  const words = Object.entries(type).filter(([, value]) => value !== undefined)
  return words.map(([limit, value]) => `${limit} ${String(value)}`).join(', ')
}

function keyLine({ inFile, made, isOpen }: KeyCounts): string {
  if (isOpen)
    return 'no keys: everybody on this machine may use it, web pages may not; from the first "switchyard keys create" on callers need a key'
  if (inFile + made === 0) return 'all made keys have ended: nobody may use it before the next "switchyard keys create"'
  return `callers need a key: ${inFile} in the file, ${made} made by command`
}

function firstSteps(url: string, { isOpen }: KeyCounts): readonly string[] {
  const key = isOpen ? '' : " -H 'authorization: Bearer YOUR_KEY'"
  return [
    'Try it:',
    `  curl -i ${url}/v1/chat/completions${key} -H 'content-type: application/json' -d '{"model":"auto","temperature":0,"messages":[{"role":"user","content":"What is a switchyard?"}]}'`,
  ]
}

function listenSentence(error: unknown, config: Config): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const { host, port } = config.server
  switch (code) {
    case 'EADDRINUSE':
      return `server.port: ${port} is taken by another process. Stop that one, or choose another with --port.`
    case 'EACCES':
      return `server.port: ${port} needs rights that this user does not have. Choose one above 1023 with --port.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `server.host: this machine has no address ${host}. Choose another with --host.`
    default:
      throw error
  }
}
