/**
 * A model server that costs next to nothing: OpenAI's chat wire and Anthropic's over `node:net`, prebuilt answers, no model.
 * Run as its own process (`node mock-upstream.ts [port]`), so that its CPU time is never counted as a gateway's.
 *
 * `POST /control` with `{"chunks": N, "intervalMs": M}` sets how streams are paced; `GET /counters` tells what happened.
 * Every chunk is one `write`, because that is what an engine does: a relay must not get a hundred tokens in one read.
 */
import { createServer, type Socket } from 'node:net'
import { jsonReply, MOCK_WIRES, type MockWire } from './mock-wires.ts'

interface Pace {
  /** Writes per stream; the first carries the role and the first token, the last the usage and `[DONE]`. */
  chunks: number
  /** Milliseconds between two chunks of one stream; 0 = one per turn of the event loop. */
  intervalMs: number
}
interface Stream {
  readonly socket: Socket
  readonly wire: MockWire
  readonly chunks: number
  readonly close: boolean
  sent: number
}

const pace: Pace = { chunks: 100, intervalMs: 10 }
const counters = { requests: 0, streams: 0, finished: 0, aborted: 0, chunks: 0, open: 0 }

const streams = new Map<Socket, Stream>()

/** Writes the next chunk; true when it was the last. */
function advance(stream: Stream): boolean {
  const { wire } = stream
  const left = stream.chunks - stream.sent
  stream.socket.write(left > 2 ? wire.middle : left === 2 ? wire.finish : wire.last)
  stream.sent += 1
  counters.chunks += 1
  if (left > 1) return false
  streams.delete(stream.socket)
  counters.open -= 1
  counters.finished += 1
  if (stream.close) stream.socket.end()
  return true
}

// Streams are spread over the milliseconds of the interval, so that they do not all write in the same turn.
let slots: Set<Stream>[] = []
let slotOfNext = 0
let tick = 0
let tickStarted = performance.now()
let ticker: NodeJS.Timeout | undefined

function runTicks(): void {
  const now = Math.floor(performance.now() - tickStarted)
  // A stalled process owes at most one round; more would come out as a burst that no engine sends.
  tick = Math.max(tick, now - slots.length)
  while (tick < now) {
    tick += 1
    const slot = slots[tick % slots.length]
    if (slot === undefined) continue
    for (const stream of slot) if (!streams.has(stream.socket) || advance(stream)) slot.delete(stream)
  }
}

function runUnpaced(stream: Stream): void {
  if (!streams.has(stream.socket)) return
  if (stream.socket.writableNeedDrain) {
    stream.socket.once('drain', () => runUnpaced(stream))
    return
  }
  if (!advance(stream)) setImmediate(runUnpaced, stream)
}

function setPace(next: Partial<Pace>): void {
  pace.chunks = Math.max(3, Math.min(100_000, next.chunks ?? pace.chunks))
  pace.intervalMs = Math.max(0, Math.min(600_000, next.intervalMs ?? pace.intervalMs))
  slots = Array.from({ length: pace.intervalMs }, () => new Set<Stream>())
  slotOfNext = 0
  tick = 0
  tickStarted = performance.now()
  clearInterval(ticker)
  if (pace.intervalMs > 0) ticker = setInterval(runTicks, 1)
}

function startStream(socket: Socket, wire: MockWire, close: boolean): void {
  const stream: Stream = { socket, wire, chunks: pace.chunks, close, sent: 1 }
  counters.streams += 1
  counters.open += 1
  counters.chunks += 1
  streams.set(socket, stream)
  socket.write(wire.first)
  if (pace.intervalMs === 0) setImmediate(runUnpaced, stream)
  // 7 is coprime to every interval in use: neighbours in time land in slots far apart.
  else slots[(tick + (slotOfNext += 7)) % slots.length]?.add(stream)
}

function respond(socket: Socket, head: string, body: Buffer): void {
  const close = /\r\nconnection: *close/i.test(head)
  const [method = '', path = ''] = head.split(' ', 2)
  const wire = method === 'POST' ? MOCK_WIRES.find((each) => path.endsWith(each.path)) : undefined
  if (wire !== undefined) {
    counters.requests += 1
    if (body.includes('"stream":true') || body.includes('"stream": true')) {
      startStream(socket, wire, close)
      return
    }
    socket.write(wire.whole)
  } else if (path === '/counters') socket.write(jsonReply('200 OK', JSON.stringify(counters)))
  else if (path === '/control') {
    setPace(JSON.parse(body.toString()) as Partial<Pace>)
    socket.write(jsonReply('200 OK', JSON.stringify(pace)))
  } else if (path.startsWith('/v1/models')) {
    const data = ['mock-small', 'mock-big', 'auto'].map((id) => ({ id, object: 'model', owned_by: 'vllm' }))
    socket.write(jsonReply('200 OK', JSON.stringify({ object: 'list', data })))
  } else if (/^\/(health|version|ping|get_model_info|server_info|get_server_info)/.test(path)) {
    socket.write(jsonReply('200 OK', '{"status":"ok","version":"0.0.0"}'))
  } else socket.write(jsonReply('404 Not Found', '{"error":{"message":"no such path","type":"not_found"}}'))
  if (close) socket.end()
}

/** Reads one request off the front of `data`; undefined while it is incomplete. */
function takeRequest(data: Buffer): { head: string; body: Buffer; rest: Buffer } | undefined {
  const headEnd = data.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = data.toString('latin1', 0, headEnd)
  const start = headEnd + 4
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (length === null && /\r\ntransfer-encoding: *chunked/i.test(head)) {
    const end = data.indexOf('0\r\n\r\n', start)
    return end < 0 ? undefined : { head, body: data.subarray(start, end), rest: data.subarray(end + 5) }
  }
  const end = start + Number(length?.[1] ?? 0)
  return data.length < end ? undefined : { head, body: data.subarray(start, end), rest: data.subarray(end) }
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer[] = []
  socket.on('data', (piece) => {
    pending.push(piece)
    for (;;) {
      const data = pending.length === 1 ? pending[0] : Buffer.concat(pending)
      if (data === undefined || data.length === 0) return
      const taken = takeRequest(data)
      pending = [taken?.rest ?? data]
      if (taken === undefined) return
      respond(socket, taken.head, taken.body)
    }
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    if (!streams.delete(socket)) return
    counters.open -= 1
    counters.aborted += 1
  })
})

setPace({})
server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), backlog: 4096 }, () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) console.log(`mock listening on http://127.0.0.1:${address.port}`)
})
process.once('SIGTERM', () => process.exit(0))
