/** A TCP server that answers every request with scripted bytes, cut and ended as scripted: for wire faults that no HTTP server makes. */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ByteScript {
  /** 0 = end before the response's head is whole. */
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Offsets after which a new write starts. */
  readonly cuts: readonly number[]
  /** Pause before each write, ms; the last one repeats. -1 = for ever. */
  readonly pausesMs: readonly number[]
  readonly end: 'fin' | 'rst' | 'stall' | 'truncated_chunked'
}

export interface ByteUpstream {
  readonly url: string
  /** Requests that arrived. */
  calls: number
  /** What the next request gets. */
  script: ByteScript
  stop(): Promise<void>
}

export async function startByteUpstream(): Promise<ByteUpstream> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let received = ''
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      const headEnd = received.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0)
      if (headEnd < 0 || received.length < headEnd + 4 + length) return
      received = ''
      upstream.calls += 1
      void play(socket, upstream.script)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const upstream: ByteUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: 0,
    script: { status: 500, headers: {}, body: Buffer.alloc(0), cuts: [], pausesMs: [], end: 'fin' },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
  return upstream
}

async function play(socket: Socket, script: ByteScript): Promise<void> {
  if (script.status === 0) {
    socket.write('HTTP/1.1 200 OK\r\ncontent-ty')
    end(socket, script.end)
    return
  }
  // "fin" and the others close the connection, so no length is declared; "truncated_chunked" leaves out the last chunk.
  const isChunked = script.end === 'truncated_chunked' || script.end === 'stall'
  const head = [`HTTP/1.1 ${script.status} X`]
  for (const [name, value] of Object.entries(script.headers)) if (value !== '') head.push(`${name}: ${value}`)
  if (isChunked) head.push('transfer-encoding: chunked')
  else if (script.headers['connection'] === undefined) head.push('connection: close')
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const pieces = pieceUp(script.body, script.cuts)
  for (const [index, piece] of pieces.entries()) {
    const pause = script.pausesMs[Math.min(index, script.pausesMs.length - 1)] ?? 0
    if (pause < 0) return
    if (pause > 0) await sleep(pause)
    else if (index % 64 === 63) await new Promise((resolve) => setImmediate(resolve))
    if (socket.destroyed) return
    const isFull = isChunked
      ? !socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]))
      : !socket.write(piece)
    if (isFull) await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve))
  }
  end(socket, script.end)
}

function end(socket: Socket, how: ByteScript['end']): void {
  if (how === 'rst') setTimeout(() => socket.resetAndDestroy(), 20)
  else if (how !== 'stall') socket.end()
}

function pieceUp(body: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const edges = [0, ...cuts.filter((cut) => cut > 0 && cut < body.length), body.length]
  const pieces: Buffer[] = []
  for (let i = 0; i + 1 < edges.length; i++) pieces.push(body.subarray(edges[i], edges[i + 1]))
  return pieces.filter((piece) => piece.length > 0)
}
