/**
 * The scripted connection behaviours of the raw HTTP vectors (`conn/*` rows with a `script`) against the real process. By default
 * they run scaled down; `npm run test:connections` runs them at the size that the rows name.
 */
import { spawnSync } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { frame, startFakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { readFixture } from '../support/vectors.ts'

interface Size {
  readonly idleSockets: number
  /** Settings of `server`; empty = the defaults that users have. */
  readonly server: string
  /** By then every idle connection must have been closed, ms. */
  readonly idleMs: number
  readonly dripMs: number
  readonly connectsPerSecond: number
  readonly floodSeconds: number
}

const isFull = process.env['TEST_CONNECTIONS'] === 'full'
const SIZE: Size = isFull
  ? {
      idleSockets: 5000,
      server: 'drainSeconds: 5',
      idleMs: 120_000,
      dripMs: 5000,
      connectsPerSecond: 10_000,
      floodSeconds: 10,
    }
  : {
      idleSockets: 400,
      server: 'drainSeconds: 5, keepAliveSeconds: 1, requestTimeoutSeconds: 2',
      idleMs: 12_000,
      dripMs: 300,
      connectsPerSecond: 1000,
      floodSeconds: 1,
    }
const TIMEOUT_MS = 300_000
const AUTHORIZATION = 'authorization: Bearer sk-test'
const BODY = JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'ping' }] })
const HEAD = `POST /v1/chat/completions HTTP/1.1\r\nhost: gw.test\r\n${AUTHORIZATION}\r\ncontent-type: application/json\r\n`
const GET = `GET /healthz HTTP/1.1\r\nhost: gw.test\r\n${AUTHORIZATION}\r\n\r\n`

const SCRIPTS: Readonly<Record<string, () => Promise<void>>> = {
  'slow-body': slowBody,
  'idle-conn': idleConnections,
  'rst-after-request': resetAfterRequest,
  'connect-flood': connectFlood,
}
const rows = readFixture<{ readonly id: string; readonly desc: string; readonly script?: string }>(
  'badinput/http.jsonl',
).filter((row) => row.script !== undefined)

test.each(rows.map((row) => [row.id, row.desc, row.script ?? ''] as const))(
  '%s: %s',
  async (_id, _desc, script) => {
    const run = SCRIPTS[script]
    expect(run, 'a script for this row').toBeDefined()
    await run?.()
  },
  TIMEOUT_MS,
)

async function slowBody(): Promise<void> {
  const upstream = await startFakeUpstream()
  const gateway = await start(upstream.url)
  const socket = open(gateway)
  let text = ''
  socket.on('data', (bytes) => (text += bytes.toString()))
  socket.write(`${HEAD}content-length: 100\r\n\r\n`)
  const drip = setInterval(() => socket.writable && socket.write(' '), SIZE.dripMs)
  const closed = await closedWithin([socket], isFull ? 75_000 : 10_000)
  clearInterval(drip)

  expect(closed).toBe(1)
  expect(text).toMatch(/^HTTP\/1\.1 408 /)
  expect(upstream.seen).toHaveLength(0)
  await expectHealthy(gateway)
}

async function idleConnections(): Promise<void> {
  const upstream = await startFakeUpstream()
  const gateway = await start(upstream.url)
  const sockets = await openMany(gateway, Math.min(SIZE.idleSockets, fileLimit() - 500))
  // One half never says a word, the other half has had an answer and stays.
  sockets.forEach((socket, index) => index % 2 === 0 && socket.write(GET))
  const closed = closedWithin(sockets, SIZE.idleMs)
  let answered = 0
  do {
    expect((await post(gateway)).status).toBe(200)
    answered += 1
  } while ((await Promise.race([closed, sleep(isFull ? 500 : 50, 'open')])) === 'open')

  expect(await closed).toBe(sockets.length)
  expect(upstream.seen).toHaveLength(answered)
  await expectHealthy(gateway)
}

async function resetAfterRequest(): Promise<void> {
  const upstream = await startFakeUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => response.write(frame({ content: 'x' })), 20)
    response.on('close', () => clearInterval(timer))
  })
  const gateway = await start(upstream.url)
  const body = JSON.stringify({ model: 'small', stream: true, messages: [{ role: 'user', content: 'ping' }] })
  const socket = open(gateway)
  socket.write(`${HEAD}content-length: ${body.length}\r\n\r\n${body}`)
  await new Promise((resolve) => socket.once('data', resolve))
  await sleep(100)

  const left = performance.now()
  socket.resetAndDestroy()
  await Promise.race([upstream.seen[0]?.aborted, sleep(5000)])

  expect(performance.now() - left).toBeLessThan(1000)
  const page = await metrics(gateway)
  expect(page).toMatch(/result="aborted"/)
  // What was produced is on the bill.
  expect(Number(/switchyard_tokens_total\{[^}]*type="output"[^}]*\} (\d+)/.exec(page)?.[1])).toBeGreaterThan(0)
  await expectHealthy(gateway)
}

async function connectFlood(): Promise<void> {
  const upstream = await startFakeUpstream()
  const gateway = await start(upstream.url)
  const waiting = new Set<Socket>()
  const mostWaiting = fileLimit() / 4
  let made = 0
  let refused = 0
  const started = performance.now()
  while (performance.now() - started < SIZE.floodSeconds * 1000) {
    const due = Math.ceil(((performance.now() - started) / 1000) * SIZE.connectsPerSecond) + 1
    // In small groups, or the sender would be too busy to finish what it began.
    for (let group = 0; made < due && group < 100 && waiting.size < mostWaiting; made++, group++) {
      const socket = connect(gateway.port, '127.0.0.1')
      waiting.add(socket)
      socket.on('connect', () => socket.resetAndDestroy())
      socket.on('error', () => (refused += 1))
      socket.on('close', () => waiting.delete(socket))
      // What the full accept queue has dropped waits for a second packet of the kernel, for seconds.
      socket.setTimeout(200, () => socket.destroy())
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (const socket of waiting) socket.destroy()
  if (isFull) process.stdout.write(`connect-flood: ${made} connects in ${SIZE.floodSeconds} s, ${refused} refused\n`)

  expect(made).toBeGreaterThan((SIZE.connectsPerSecond * SIZE.floodSeconds) / 4)
  expect((await post(gateway)).status).toBe(200)
  expect(upstream.seen).toHaveLength(1)
  await expectHealthy(gateway)
}

function start(upstreamUrl: string): Promise<GatewayProcess> {
  return startGatewayProcess({
    config: configFor({ small: upstreamUrl }).replace('drainSeconds: 5', SIZE.server),
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
  })
}

function open(gateway: GatewayProcess): Socket {
  const socket = connect(gateway.port, '127.0.0.1')
  socket.on('error', () => {})
  return socket
}

/** Opens connections in groups, since the kernel's queue of new ones is short. */
async function openMany(gateway: GatewayProcess, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const group = Array.from({ length: Math.min(100, count - sockets.length) }, () => open(gateway))
    await Promise.all(group.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    sockets.push(...group)
  }
  return sockets
}

/** How many of the connections the service closes in this time; the rest is closed here. */
async function closedWithin(sockets: readonly Socket[], ms: number): Promise<number> {
  let closed = 0
  const all = sockets.map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.resume()
        socket.on('close', () => {
          closed += 1
          resolve()
        })
      }),
  )
  await Promise.race([Promise.all(all), sleep(ms)])
  const count = closed
  sockets.forEach((socket) => socket.destroy())
  return count
}

function post(gateway: GatewayProcess): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: BODY,
    signal: AbortSignal.timeout(5000),
  })
}

async function metrics(gateway: GatewayProcess): Promise<string> {
  return (await fetch(`${gateway.url}/metrics`)).text()
}

async function expectHealthy(gateway: GatewayProcess): Promise<void> {
  expect(gateway.child.exitCode).toBeNull()
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
  expect(await metrics(gateway)).toMatch(/switchyard_upstream_inflight\{[^}]*\} 0/)
}

/** Files that this process and its children may have open. */
function fileLimit(): number {
  const limit = Number(spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout)
  return Number.isFinite(limit) ? limit : 1024
}
