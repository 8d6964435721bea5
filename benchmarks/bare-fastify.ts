/**
 * Baseline (a): a relay as most people would write it with good taste. Fastify in, undici `request` out, body handed on
 * as bytes, answer piped back; no routing, no keys, no metrics. `--parse` decodes every stream event on the way.
 *
 * `node benchmarks/bare-fastify.ts --upstream http://127.0.0.1:PORT [--parse]`
 */
import { Transform } from 'node:stream'
import { parseArgs } from 'node:util'
import fastify from 'fastify'
import { Pool } from 'undici'
import { eventCounter } from './support/event-counter.ts'

const { values } = parseArgs({
  options: { upstream: { type: 'string' }, parse: { type: 'boolean', default: false } },
})
if (values.upstream === undefined) throw new Error('--upstream is required')
const pool = new Pool(values.upstream, { connections: null, pipelining: 1, bodyTimeout: 0, headersTimeout: 60_000 })

const app = fastify({ logger: false, bodyLimit: 33_554_432 })
app.removeAllContentTypeParsers()
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

app.get('/healthz', () => ({ status: 'ok' }))
app.post('/v1/chat/completions', async (request, reply) => {
  const caller = new AbortController()
  reply.raw.on('close', () => {
    if (!reply.raw.writableFinished) caller.abort()
  })
  const answer = await pool.request({
    method: 'POST',
    path: request.url,
    headers: { 'content-type': 'application/json' },
    body: request.body as Buffer,
    signal: caller.signal,
  })
  const type = String(answer.headers['content-type'] ?? 'application/json')
  const length = answer.headers['content-length']
  void reply.code(answer.statusCode).header('content-type', type)
  if (length !== undefined) void reply.header('content-length', length)
  if (!values.parse || !type.startsWith('text/event-stream')) return reply.send(answer.body)
  const count = eventCounter()
  const parsing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      count(chunk)
      done(null, chunk)
    },
  })
  answer.body.on('error', (error) => parsing.destroy(error))
  return reply.send(answer.body.pipe(parsing))
})

await app.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
const address = app.server.address()
if (typeof address === 'object' && address !== null)
  console.log(`bare-fastify listening on http://127.0.0.1:${address.port}`)
process.once('SIGTERM', () => process.exit(0))
