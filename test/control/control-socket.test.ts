/** The control socket: the owner's alone, one service per directory, and what is left of a killed one is no obstacle. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { callOverSocket, OperationRefused } from '../../src/control/call-operation.ts'
import { ControlSocketError, openControlSocket, type ControlSocket } from '../../src/control/control-socket.ts'
import { operation, Operations } from '../../src/control/operations.ts'
import type { SwitchyardError } from '../../src/shared/errors.ts'

const route = { method: 'POST', path: '/test' } as const
const OPERATIONS = new Operations([
  operation('test.double', route, z.strictObject({ n: z.number() }), ({ n }) => ({ doubled: n * 2 })),
  operation('test.fail', route, z.strictObject({}), () => {
    throw new Error('a defect with a secret in it')
  }),
])

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-control-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function open(dir: string, defects: SwitchyardError[] = []): Promise<ControlSocket> {
  const socket = await openControlSocket(dir, OPERATIONS, (error) => defects.push(error))
  onTestFinished(() => socket.close())
  return socket
}

/** What a process leaves that was killed while it listened. */
async function leaveStaleSocket(dir: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(join(dir, 'control.sock'))}, () => console.log('up'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(existsSync(join(dir, 'control.sock'))).toBe(true)
}

test('an operation is called by its name, its input checked, its result plain', async () => {
  const dir = folder()
  await open(dir)
  expect(await callOverSocket(dir, 'test.double', { n: 21 })).toEqual({ isRunning: true, result: { doubled: 42 } })
  await expect(callOverSocket(dir, 'test.double', { n: 'x' })).rejects.toThrow(/^n: /)
  await expect(callOverSocket(dir, 'test.double', { n: 1, m: 1 })).rejects.toThrow(/^m: /)
  await expect(callOverSocket(dir, 'test.nothing', {})).rejects.toThrow('There is no operation "test.nothing".')
})

test('a defect reaches the log, not the caller', async () => {
  const dir = folder()
  const defects: SwitchyardError[] = []
  await open(dir, defects)
  const thrown = await callOverSocket(dir, 'test.fail', {}).catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(OperationRefused)
  expect(String(thrown)).not.toContain('secret')
  expect(defects.map(({ detail }) => detail)).toEqual([expect.stringContaining('a defect with a secret in it')])
})

test('only the owner may connect, and the folder it was bound in is gone', async () => {
  const dir = folder()
  await open(dir)
  expect(statSync(join(dir, 'control.sock')).mode & 0o777).toBe(0o600)
  expect(readdirSync(dir)).toEqual(['control.sock'])
})

test('nothing is left after a close, and nobody is said to run', async () => {
  const dir = folder()
  const socket = await openControlSocket(dir, OPERATIONS, () => {})
  await Promise.all([socket.close(), socket.close()])
  await socket.close()
  expect(readdirSync(dir)).toEqual([])
  expect(await callOverSocket(dir, 'test.double', { n: 1 })).toEqual({ isRunning: false })
})

test('a second service on the same directory is refused, and the first goes on', async () => {
  const dir = folder()
  await open(dir)
  await expect(openControlSocket(dir, OPERATIONS, () => {})).rejects.toThrow(/another switchyard runs on/)
  expect(await callOverSocket(dir, 'test.double', { n: 1 })).toMatchObject({ isRunning: true })
  expect(readdirSync(dir)).toEqual(['control.sock'])
})

test('what a killed service left counts as not running and is replaced', async () => {
  const dir = folder()
  await leaveStaleSocket(dir)
  expect(await callOverSocket(dir, 'test.double', { n: 1 })).toEqual({ isRunning: false })
  await open(dir)
  expect(await callOverSocket(dir, 'test.double', { n: 1 })).toMatchObject({ isRunning: true })
})

test('a service that ends does not take away the socket of one that came after it', async () => {
  const dir = folder()
  const first = await openControlSocket(dir, OPERATIONS, () => {})
  rmSync(join(dir, 'control.sock'))
  await open(dir)
  await first.close()
  expect(await callOverSocket(dir, 'test.double', { n: 1 })).toMatchObject({ isRunning: true })
})

test('a directory that everybody may write to is refused', async () => {
  const dir = folder()
  chmodSync(dir, 0o777)
  await expect(openControlSocket(dir, OPERATIONS, () => {})).rejects.toThrow(ControlSocketError)
  expect(readdirSync(dir)).toEqual([])
})

test.skipIf(process.platform !== 'linux')('a path longer than a socket address may be works on Linux', async () => {
  const dir = join(folder(), 'x'.repeat(120))
  mkdirSync(dir)
  const socket = await openControlSocket(dir, OPERATIONS, () => {})
  expect(await callOverSocket(dir, 'test.double', { n: 4 })).toMatchObject({ result: { doubled: 8 } })
  await expect(openControlSocket(dir, OPERATIONS, () => {})).rejects.toThrow(/another switchyard runs on/)
  await socket.close()
  expect(readdirSync(dir)).toEqual([])
})

test.each([
  ['another method', 'GET /test.double HTTP/1.1\r\nhost: x\r\n\r\n', '405'],
  ['no JSON', 'POST /test.double HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n{', '400'],
  [
    'too much',
    `POST /test.double HTTP/1.1\r\nhost: x\r\ncontent-length: 1100000\r\n\r\n${' '.repeat(1_100_000)}`,
    '413',
  ],
  ['no HTTP', 'hello\r\n\r\n', '400'],
])('%s is answered and harms nothing', async (_what, bytes, status) => {
  const dir = folder()
  await open(dir)
  const socket = connect(join(dir, 'control.sock'))
  socket.on('error', () => {})
  socket.write(bytes)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  socket.destroy()
  expect(await callOverSocket(dir, 'test.double', { n: 1 })).toMatchObject({ isRunning: true })
})
