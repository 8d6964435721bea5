/** Starts the real service as a process of its own, the way an operator does, and ends it with the test. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const READY = /^switchyard listening on (http:\/\/\S+)$/
const PROVIDER_VARIABLES = /^(?:OPENAI_|ANTHROPIC_|GEMINI_|SWITCHYARD_)/

export interface GatewayProcess {
  readonly url: string
  readonly port: number
  readonly dir: string
  readonly child: ChildProcess
  /** Everything the process has printed so far. */
  output(): string
  /** Resolves with the exit code (or the signal's name). */
  readonly exited: Promise<number | string>
  /** Sends a signal to the service itself. */
  signal(name: NodeJS.Signals): void
}

export interface GatewaySetup {
  /** The configuration file's text; `PORT` stays out of it, the process takes a free one. */
  readonly config: string
  readonly env?: Readonly<Record<string, string>>
  readonly flags?: readonly string[]
  /** Where the configuration and the data of an earlier process lie; a fresh folder if left out. */
  readonly dir?: string
  /** A command that runs the process under limits, e.g. `['prlimit', '--nofile=64']`. */
  readonly under?: readonly string[]
  /** Registers the end with the running test; false where a whole file shares one process and ends it itself. */
  readonly ownedByTest?: boolean
}

/** Starts the service and resolves when it accepts requests; rejects with its output if it ends before. */
export async function startGatewayProcess(setup: GatewaySetup): Promise<GatewayProcess & { stop(): Promise<void> }> {
  const dir = setup.dir ?? mkdtempSync(join(tmpdir(), 'switchyard-test-'))
  const file = join(dir, 'switchyard.yaml')
  writeFileSync(file, setup.config)
  const inherited = Object.entries(process.env).filter(([name]) => !PROVIDER_VARIABLES.test(name))
  const command = [
    ...(setup.under ?? []),
    process.execPath,
    join(ROOT, 'src/main.ts'),
    'serve',
    '--config',
    file,
    '--port',
    '0',
    '--data-dir',
    join(dir, 'data'),
    ...(setup.flags ?? []),
  ] as const
  const child = spawn(command[0] as string, command.slice(1), {
    env: { ...Object.fromEntries(inherited), ...setup.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: dir,
  })
  let output = ''
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
    rmSync(dir, { recursive: true, force: true })
  }
  if (setup.ownedByTest !== false) onTestFinished(stop)
  child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()))
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      output += `${line}\n`
      const found = READY.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
    void exited.then((code) => reject(new Error(`The service ended with ${code} before it was ready:\n${output}`)))
  })
  return {
    url,
    port: Number(new URL(url).port),
    dir,
    child,
    output: () => output,
    exited,
    signal: (name) => void child.kill(name),
    stop,
  }
}

/** A configuration with one `vllm` upstream as the small and one `openai` upstream as the big side, and the key `sk-test`. */
export function configFor(upstreams: { readonly small: string; readonly big?: string }, more = ''): string {
  const big = upstreams.big ?? upstreams.small
  return `
server: { drainSeconds: 5 }
upstreams:
  gpu: { kind: vllm, replicas: ["${upstreams.small}"], retries: 0, breaker: off, timeouts: { connectMs: 1000, firstByteMs: 2000, idleMs: 2000, totalMs: 30000 } }
  hosted: { kind: openai, baseUrl: "${big}/v1", apiKey: env:TEST_UPSTREAM_KEY, retries: 0, breaker: off, timeouts: { connectMs: 1000, firstByteMs: 2000, idleMs: 2000, totalMs: 30000 } }
models:
  small: { upstream: gpu, model: small-model, tier: local, contextTokens: 1000000, price: { inputPerM: 0.05, outputPerM: 0.20 } }
  big: { upstream: hosted, model: big-model, tier: frontier, contextTokens: 1000000, price: { inputPerM: 1, outputPerM: 10 } }
routes:
  auto: { small: [small], big: [big], targetBigShare: 0.3 }
keys:
  - { name: ci, key: "sk-test", tenant: acme }
${more}`
}
