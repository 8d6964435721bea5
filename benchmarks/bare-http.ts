/**
 * Baseline (b): the cheapest honest relay that Node allows. `node:http` in, undici `dispatch` out, no routing, no keys,
 * no metrics. With `--parse` every stream event is decoded as well, which is what a gateway that counts tokens must do.
 *
 * `node benchmarks/bare-http.ts --upstream http://127.0.0.1:PORT [--parse]`
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { eventCounter } from './support/event-counter.ts'

const { values } = parseArgs({
  options: { upstream: { type: 'string' }, parse: { type: 'boolean', default: false } },
})
if (values.upstream === undefined) throw new Error('--upstream is required')
const pool = new Pool(values.upstream, { connections: null, pipelining: 1, bodyTimeout: 0, headersTimeout: 60_000 })

function relay(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  let stop: ((reason: Error) => void) | undefined
  response.on('close', () => {
    if (!response.writableFinished) stop?.(new Error('the caller has left'))
  })
  pool.dispatch(
    {
      method: 'POST',
      path: request.url ?? '/',
      headers: { 'content-type': 'application/json' },
      body,
    },
    {
      onRequestStart(controller) {
        stop = (reason) => controller.abort(reason)
      },
      onResponseStart(controller, status, headers) {
        const type = String(headers['content-type'] ?? 'application/json')
        const length = headers['content-length']
        response.writeHead(status, {
          'content-type': type,
          ...(length === undefined ? {} : { 'content-length': String(length) }),
        })
        response.on('drain', () => controller.resume())
        if (values.parse && type.startsWith('text/event-stream')) count = eventCounter()
      },
      onResponseData(controller, chunk) {
        count?.(chunk)
        if (!response.write(chunk)) controller.pause()
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError() {
        if (response.headersSent) response.destroy()
        else response.writeHead(502).end()
      },
    },
  )
  let count: ((chunk: Buffer) => void) | undefined
}

const server = createServer({ noDelay: true }, (request, response) => {
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}')
    return
  }
  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', () => relay(request, response, pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)))
})
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null)
    console.log(`bare-http listening on http://127.0.0.1:${address.port}`)
})
process.once('SIGTERM', () => process.exit(0))
