/** A caller that hangs up frees the upstream within a second, at every phase, streamed or not. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { frame, startFakeUpstream, type Answer } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'

const BODY = (stream: boolean): string =>
  JSON.stringify({ model: 'small', stream, messages: [{ role: 'user', content: 'ping' }] })

function ask(port: number, stream: boolean): Socket {
  const body = BODY(stream)
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer sk-test\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  return socket
}

const silent: Answer = () => {}
const headOnly: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
}
const endless: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const timer = setInterval(() => response.write(frame({ content: 'x' })), 20)
  response.on('close', () => clearInterval(timer))
}

test.each([
  ['before the upstream has said anything', silent, true],
  ['before the upstream has said anything, not streaming', silent, false],
  ['after the head and before the first event', headOnly, true],
  ['in the middle of the stream', endless, true],
] as const)('%s', async (_phase, answer, stream) => {
  const upstream = await startFakeUpstream(answer)
  const gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url }),
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
  })
  const socket = ask(gateway.port, stream)
  while (upstream.seen.length === 0) await sleep(5)
  await sleep(50)

  const left = performance.now()
  if (stream) socket.destroy()
  else socket.resetAndDestroy()
  await Promise.race([upstream.seen[0]?.aborted, sleep(5000)])

  expect(performance.now() - left).toBeLessThan(1000)
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(page).toMatch(/result="aborted"/)
  expect(page).toMatch(/switchyard_upstream_inflight\{[^}]*upstream="gpu"[^}]*\} 0/)
})

test('a caller that leaves while its body is on the way never reaches an upstream', async () => {
  const upstream = await startFakeUpstream()
  const gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url }),
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
  })
  const socket = connect(gateway.port, '127.0.0.1')
  socket.write(
    'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer sk-test\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"model":',
  )
  await sleep(50)
  socket.resetAndDestroy()
  await sleep(100)

  expect(upstream.seen).toHaveLength(0)
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
})

test('a caller that does not read holds the upstream back instead of filling our memory', async () => {
  let written = 0
  const upstream = await startFakeUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const piece = frame({ content: 'x'.repeat(60_000) })
    const push = (): void => {
      while (written < 300_000_000 && !response.destroyed) {
        written += piece.length
        if (!response.write(piece)) {
          response.once('drain', push)
          return
        }
      }
    }
    push()
  })
  const gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url }),
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
  })
  const socket = ask(gateway.port, true)
  socket.pause()
  await sleep(1500)

  expect(written).toBeGreaterThan(0)
  expect(written).toBeLessThan(100_000_000)
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(Number(/process_resident_memory_bytes (\d+)/.exec(page)?.[1])).toBeLessThan(300 * 1024 * 1024)
  socket.destroy()
})
