/** The program as a shell starts it: exit codes, streams, and that nothing keeps a finished one alive. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** A program that has said its last word must be gone well within this. */
const LATE_MS = 10_000

interface Ended {
  readonly code: number | string
  readonly out: string
  readonly err: string
}

/** Runs a command line as its own process, without provider keys and without probing; "late" where it does not end. */
async function run(command: readonly [string, ...string[]], env: Record<string, string> = {}): Promise<Ended> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-process-'))
  const child = spawn(command[0], command.slice(1), {
    cwd,
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, SWITCHYARD_DETECT: 'off', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()))
  const code = await new Promise<number | string>((resolve) => {
    const late = setTimeout(() => resolve('late'), LATE_MS)
    child.once('close', (status, signal) => {
      clearTimeout(late)
      resolve(status ?? signal ?? 'unknown')
    })
  })
  if (code === 'late') child.kill('SIGKILL')
  rmSync(cwd, { recursive: true, force: true })
  return { code, out, err }
}

function fileWith(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-process-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  writeFileSync(join(dir, 'c.yaml'), text)
  return join(dir, 'c.yaml')
}

test('check ends with 0 and the resolved configuration, without a secret', async () => {
  const file = fileWith(configFor({ small: 'http://127.0.0.1:9' }))
  const { code, out, err } = await run([process.execPath, MAIN, 'check', '--config', file], {
    TEST_UPSTREAM_KEY: 'sk-fake-upstream',
  })
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('upstreams.hosted.apiKey = "env:TEST_UPSTREAM_KEY"')
  expect(out).not.toMatch(/sk-fake|sk-test/)
})

test('check ends with 2 and every problem, and prints nothing else', async () => {
  const file = fileWith('server: { prot: 1 }\nstore: { kind: redsi }\n')
  const { code, out, err } = await run([process.execPath, MAIN, 'check', '--config', file])
  expect([code, out]).toEqual([2, ''])
  expect(err.trim().split('\n')).toEqual([
    `${file}:1: server.prot: there is no such setting. Did you mean "port"?`,
    `${file}:2: store.kind: it must be one of sqlite, redis. Did you mean "redis"?`,
  ])
})

test('the program can be started by its own name', async () => {
  const { code, out } = await run([MAIN, 'version'])
  expect(code).toBe(0)
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('a start that fails because the port is taken ends, the simulator included', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const { code, err } = await run([process.execPath, MAIN, 'serve', '--port', String(port)])
  expect(code).toBe(2)
  expect(err).toBe(`server.port: ${port} is taken by another process. Stop that one, or choose another with --port.\n`)
})

test('a first start says in order: what was found, one line when it is ready, what to paste', async () => {
  const gateway = await startGatewayProcess({ config: '', env: { SWITCHYARD_DETECT: 'off' } })
  await expect.poll(() => gateway.output()).toContain('curl')
  const lines = gateway.output().trim().split('\n')
  const ready = lines.findIndex((line) => line.startsWith('switchyard listening on '))
  expect(lines.filter((line) => line.includes('listening'))).toHaveLength(1)
  expect(lines.findIndex((line) => line.includes('SIMULATED'))).toBeLessThan(ready)
  expect(lines.slice(ready + 1).join('\n')).toContain(`curl -i ${gateway.url}/v1/chat/completions`)
  expect(lines.slice(ready + 1).join('\n')).toContain('"temperature":0')
})

test('a reload says in one line what is in force, what waits for a restart, and what is wrong', async () => {
  const gateway = await startGatewayProcess({
    config: configFor({ small: 'http://127.0.0.1:9' }),
    env: { TEST_UPSTREAM_KEY: 'sk-fake-upstream' },
  })
  const file = join(gateway.dir, 'switchyard.yaml')
  const text = configFor({ small: 'http://127.0.0.1:9' })
  const said = async (what: string, signalled: string): Promise<string | undefined> => {
    writeFileSync(file, what)
    gateway.signal('SIGHUP')
    await expect.poll(() => gateway.output(), { timeout: 5000 }).toContain(signalled)
    return gateway
      .output()
      .split('\n')
      .find((line) => line.includes(signalled))
  }
  expect(await said(text.replace('drainSeconds: 5', 'bodyLimitBytes: 1000'), 'in force, but')).toBe(
    'configuration read again and in force, but server.bodyLimitBytes only after a restart',
  )
  const wrong = await said('server: { prot: 1 }\nmodel: {}\n', 'the old one stays in force')
  expect(wrong).toContain('server.prot')
  expect(wrong).toContain('Did you mean "models"?')
  expect(gateway.child.exitCode).toBeNull()
})
