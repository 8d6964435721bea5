/**
 * A gateway that makes the usual mistakes, to prove that the conformance list can fail: it decodes each packet alone, knows `\n\n` and
 * `data: ` only, drops what it cannot read, adds `[DONE]` to whatever came, and goes on when its caller has left. It has chat alone.
 */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CarelessRelay {
  /** With `/v1` at its end. */
  readonly url: string
  stop(): Promise<void>
}

/** Starts the relay in front of an upstream (`http://.../v1`). */
export async function startCarelessRelay(upstream: string): Promise<CarelessRelay> {
  const server = createServer((incoming, response) => {
    if (incoming.url !== '/v1/chat/completions') {
      response.writeHead(404).end()
      return
    }
    const outgoing = request(`${upstream}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      agent: false,
    })
    outgoing.on('response', (answer) => relay(answer, response))
    outgoing.on('error', () => response.headersSent || response.writeHead(200).end('data: [DONE]\n\n'))
    incoming.pipe(outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function relay(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': answer.headers['content-type'] ?? 'text/event-stream' })
  if (!/event-stream/.test(answer.headers['content-type'] ?? '')) {
    answer.pipe(response)
    return
  }
  answer.on('data', (bytes: Buffer) => {
    for (const block of bytes.toString().split('\n\n')) {
      if (!block.startsWith('data: {')) continue
      try {
        response.write(`data: ${JSON.stringify(JSON.parse(block.slice('data: '.length)))}\n\n`)
      } catch {
        // Half an event: lost.
      }
    }
  })
  answer.on('error', () => {})
  answer.on('close', () => response.end('data: [DONE]\n\n'))
}
