import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTree } from './process-tree.ts'

export interface LaunchOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Added to a bare environment: nothing of the caller's is inherited, so no provider key can leak into a run. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly core?: number | undefined
  /** A line of its output that holds its URL in group 1, or a URL to ask until it answers 200. */
  readonly ready: RegExp | { readonly url: string }
  readonly timeoutMs: number
  /** Everything it prints goes here. */
  readonly logFile: string
}
export interface Service {
  readonly name: string
  readonly pid: number
  /** Without a slash at the end. */
  readonly url: string
  /** Milliseconds from the spawn to the sign of readiness. */
  readonly readyMs: number
  /** Everything it prints. */
  readonly logFile: string
  /** SIGTERM, then SIGKILL after `graceMs`, for the process and what it started. */
  stop(graceMs?: number): Promise<void>
}

const alive = new Set<ChildProcess>()
// Whatever ends the bench, nothing it started may survive it.
process.on('exit', () => alive.forEach((child) => killTree(child, 'SIGKILL')))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const coreCount = availableParallelism()
/** Of util-linux: runs a program on given cores, or moves a running one there. */
const PINNER = 'taskset'
const taskset = spawnSync(PINNER, ['--version']).status === 0 && coreCount > 1

/** Whether processes can be held on one core each; figures taken without that are noisier. */
export const pinning: boolean = taskset

/** Core of the contender under test, and the one of everything around it. */
export const cores: { readonly contender: number | undefined; readonly load: number | undefined } = taskset
  ? { contender: 0, load: 1 }
  : { contender: undefined, load: undefined }

/** Moves this process with all its threads to the core of the load; children inherit it unless they say otherwise. */
export function pinSelf(): void {
  if (cores.load !== undefined) spawnSync(PINNER, ['-a', '-p', '-c', String(cores.load), String(process.pid)])
}

/** Starts a process and waits until it is ready. Throws with the end of its output when it ends or stays silent. */
export async function launch(options: LaunchOptions): Promise<Service> {
  // Without a core of its own it may use all, and not only the one that this process was moved to.
  const core = options.core === undefined ? `0-${coreCount - 1}` : String(options.core)
  const command = taskset ? PINNER : options.command
  const args = taskset ? ['-c', core, options.command, ...options.args] : [...options.args]
  const started = performance.now()
  // Straight into a file: a pipe to this process would make the load generator's core pay for the log.
  const output = openSync(options.logFile, 'a')
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: {
      PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
      HOME: tmpdir(),
      LANG: 'C.UTF-8',
      ...options.env,
    },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  alive.add(child)
  child.once('exit', () => alive.delete(child))
  try {
    const url = await untilReady(child, options)
    const pid = child.pid
    if (pid === undefined) throw new Error(`${options.name} did not start`)
    return {
      name: options.name,
      pid,
      url,
      readyMs: performance.now() - started,
      logFile: options.logFile,
      stop: (graceMs = 5000) => stop(child, graceMs),
    }
  } catch (error) {
    await stop(child, 1000)
    throw error
  }
}

async function untilReady(child: ChildProcess, options: LaunchOptions): Promise<string> {
  const { ready, name, timeoutMs } = options
  let failure: string | undefined
  child.once('error', (error) => (failure = `could not be started: ${error.message}`))
  child.once('exit', (code, signal) => (failure = `ended with ${signal ?? `exit code ${code}`} before it was ready`))
  const giveUpAt = performance.now() + timeoutMs
  while (failure === undefined) {
    const url = ready instanceof RegExp ? ready.exec(outputEnd(options))?.[1] : await answers(ready.url)
    if (url !== undefined) return url
    if (performance.now() > giveUpAt) failure = `was not ready within ${timeoutMs} ms`
    // The grain of the start-to-ready figure where a line is waited for; a URL is asked less often, that costs the process.
    await sleep(ready instanceof RegExp ? 2 : 50)
  }
  const said = outputEnd(options).trimEnd()
  throw new Error(`${name} ${failure}${said === '' ? '' : `; its last output:\n${said}`}`)
}

function outputEnd(options: LaunchOptions): string {
  return readFileSync(options.logFile, 'utf8').slice(-1500)
}

async function answers(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) })
    await answer.body?.cancel()
    return answer.ok ? new URL(url).origin : undefined
  } catch {
    return undefined
  }
}

async function stop(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const pids = killTree(child, 'SIGTERM')
  const timer = setTimeout(() => pids.forEach((pid) => kill(pid, 'SIGKILL')), graceMs)
  await ended
  clearTimeout(timer)
  for (const pid of pids) kill(pid, 'SIGKILL') // a helper process may outlive its parent
}

function killTree(child: ChildProcess, signal: NodeJS.Signals): readonly number[] {
  if (child.pid === undefined) return []
  let pids: readonly number[] = [child.pid]
  try {
    pids = readTree(child.pid).pids
  } catch {
    return []
  }
  for (const pid of pids) kill(pid, signal)
  return pids
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // already gone
  }
}

/** A port that was free a moment ago, for programs that cannot choose one themselves. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
