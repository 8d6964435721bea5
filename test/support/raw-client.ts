/** Talks raw bytes to a port: for requests that no HTTP client would send. */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface RawReply {
  /** 0 = closed or silent without an answer. */
  readonly status: number
  readonly text: string
  readonly isClosed: boolean
  readonly tookMs: number
}

/** Sends `bytes` on a new connection and returns what came within `waitMs`, or sooner once the peer closed or `enough` is satisfied. */
export async function sendRaw(
  port: number,
  bytes: Buffer,
  options: { readonly halfClose?: boolean; readonly waitMs: number; readonly enough?: (text: string) => boolean },
): Promise<RawReply> {
  const started = performance.now()
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const chunks: Buffer[] = []
  let isClosed = false
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      if (options.enough?.(Buffer.concat(chunks).toString('latin1')) === true) resolve()
    })
    for (const event of ['end', 'close', 'error'] as const) {
      socket.on(event, () => {
        isClosed = true
        resolve()
      })
    }
  })
  socket.on('connect', () => {
    if (options.halfClose === true) socket.end(bytes)
    else socket.write(bytes)
  })
  await Promise.race([ended, sleep(options.waitMs, undefined, { ref: false })])
  socket.destroy()
  const text = Buffer.concat(chunks).toString('latin1')
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0),
    text,
    isClosed,
    tookMs: performance.now() - started,
  }
}
