import { Agent } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { chunk, DONE, gated, PLAIN, ROLE, saying, silentAfter, USAGE } from '../scripts.ts'
import { holds, same, type Row } from '../row.ts'
import { HTTP_FRAMING, HTTP_PERSISTENCE, SSE, SSE_AUTHORS, thread } from '../sources.ts'
import { leaves, succeeds } from '../verdicts.ts'
import type { Probe } from '../probe.ts'

/** What a slow reader may cost a gateway and the sockets around it. Loopback sockets alone hold some MiB. */
const MAX_BUFFERED = 32 * 2 ** 20
const FLOOD = 96 * 2 ** 20

/** A row about the headers of a stream, which any model's answer shows. */
function header(name: string, promise: string, source: string, check: (value: (name: string) => string) => void): Row {
  return {
    id: `http/${name}`,
    dialect: 'chat',
    promise,
    source,
    check: async (probe) => {
      const answer = await probe.stream()
      same(answer.status, 200, 'status')
      check((wanted) => String(answer.headers[wanted] ?? ''))
    },
  }
}

export const TRANSPORT_ROWS: readonly Row[] = [
  header('content-type', 'A stream is `text/event-stream`.', SSE, (value) =>
    holds(value('content-type').startsWith('text/event-stream'), `content-type is ${value('content-type')}`),
  ),
  header('no-content-length', 'A stream has no `content-length`.', HTTP_FRAMING, (value) =>
    same(value('content-length'), '', 'content-length'),
  ),
  header(
    'not-compressed',
    'A stream is not compressed even if the caller accepts that: compressors hold tokens back.',
    thread('goodrain/rainbond-console#1909', 'pull'),
    (value) => same(value('content-encoding').replace('identity', ''), '', 'content-encoding'),
  ),
  header('cache-control', 'Caches are told to keep out (`no-cache` or `no-store`).', SSE_AUTHORS, (value) =>
    holds(/no-(cache|store)/.test(value('cache-control')), `cache-control is "${value('cache-control')}"`),
  ),
  header(
    'no-proxy-buffering',
    'Proxies such as nginx are told not to buffer (`x-accel-buffering: no`).',
    thread('modelcontextprotocol/java-sdk#848', 'pull'),
    (value) => same(value('x-accel-buffering'), 'no', 'x-accel-buffering'),
  ),
  {
    id: 'http/first-token',
    dialect: 'chat',
    promise: 'The first token reaches the caller while the upstream still works on the second.',
    source: thread('Kong/kong#12680'),
    upstream: gated(...saying('first', 'second')),
    check: async (probe) => {
      const live = probe.open({ stream: true })
      probe.upstream.gate.open()
      probe.upstream.gate.open()
      await live.until((text) => text.includes('first'), 'the first token waits for the second')
      for (let i = 0; i < 4; i++) probe.upstream.gate.open()
      succeeds(await live.reply, 'firstsecond')
    },
  },
  {
    id: 'http/every-token',
    dialect: 'chat',
    promise: 'Each token reaches the caller before the next is there.',
    source: thread('Kong/kong#14425'),
    upstream: gated(...saying(...Array.from({ length: 20 }, (_, i) => `token${i};`))),
    check: async (probe) => {
      const live = probe.open({ stream: true })
      probe.upstream.gate.open()
      for (let i = 0; i < 20; i++) {
        probe.upstream.gate.open()
        await live.until((text) => text.includes(`token${i};`), `token ${i} waits for the next`)
      }
      for (let i = 0; i < 4; i++) probe.upstream.gate.open()
      succeeds(await live.reply)
    },
  },
  {
    id: 'http/next-request',
    dialect: 'chat',
    promise: 'The connection serves the next request after a stream has ended.',
    source: HTTP_PERSISTENCE,
    check: async (probe) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      try {
        for (let i = 0; i < 3; i++) succeeds(await probe.stream({}, { agent }))
        const answer = await probe.whole({}, { agent })
        same(answer.status, 200, 'status of a whole answer after streams')
        holds(answer.headers.connection !== 'close', 'the connection is closed')
      } finally {
        agent.destroy()
      }
    },
  },
  {
    id: 'http/pipelined',
    dialect: 'chat',
    promise: 'A request that is sent before the stream has ended is answered after it.',
    source: 'https://www.rfc-editor.org/rfc/rfc9112#section-9.3.2',
    upstream: PLAIN,
    check: async (probe) => {
      const text = await pipeline(probe)
      same(text.match(/HTTP\/1\.1 200/g)?.length, 2, 'answers')
      same(text.match(/data: \[DONE\]/g)?.length, 2, '[DONE] markers')
    },
  },
  {
    id: 'http/hundred-streams',
    dialect: 'chat',
    promise: 'A hundred streams at once do not mix.',
    source: thread('QuantumNous/new-api#5446'),
    upstream: async ({ response, body }) => {
      const name = /caller (\d+)\./.exec(JSON.stringify(body['messages']))?.[1] ?? '?'
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(ROLE)
      for (let i = 0; i < 10; i++) {
        response.write(chunk({ content: `${name}/${i} ` }))
        await sleep(5)
      }
      response.end(chunk({}, 'stop') + DONE)
    },
    check: async (probe) => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          probe.stream({ messages: [{ role: 'user', content: `${probe.prompt} I am caller ${i}.` }] }),
        ),
      )
      for (const [i, answer] of answers.entries())
        succeeds(answer, Array.from({ length: 10 }, (_, k) => `${i}/${k} `).join(''))
    },
  },
  {
    id: 'http/slow-reader',
    dialect: 'chat',
    promise: 'A caller that does not read holds the upstream back instead of filling the memory.',
    source: thread('MAXeaglet/commandcode-proxy#20'),
    upstream: async ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(ROLE)
      const piece = chunk({ content: 'x'.repeat(64 * 1024) })
      const closed = new Promise((resolve) => response.once('close', resolve))
      for (let sent = 0; sent < FLOOD && !response.destroyed; sent += piece.length) {
        if (response.write(piece)) continue
        await Promise.race([closed, new Promise((resolve) => response.once('drain', resolve))])
      }
      response.end(chunk({}, 'stop') + DONE)
    },
    check: async (probe) => {
      const live = probe.open({ stream: true }, { unread: true })
      try {
        const seen = await Promise.race([probe.upstream.arrived, sleep(2000)])
        holds(seen !== undefined, 'the request never reached the upstream')
        const taken = await standstill(() => seen.sentBytes())
        holds(taken < MAX_BUFFERED, `${(taken / 2 ** 20).toFixed(0)} MiB were taken for a caller that reads nothing`)
      } finally {
        live.leave()
      }
    },
  },
  {
    id: 'http/leave-stream',
    dialect: 'chat',
    promise: 'A caller that leaves in mid-stream frees the upstream within a second.',
    source: thread('bman654/clodex#170'),
    upstream: silentAfter(ROLE, chunk({ content: 'Hel' })),
    check: async (probe) => {
      const live = probe.open({ stream: true })
      await live.until((text) => text.includes('Hel'), 'no first token')
      await leaves(probe, live)
    },
  },
  {
    id: 'http/leave-early',
    dialect: 'chat',
    promise: 'A caller that leaves before the first token frees the upstream within a second.',
    source: thread('BerriAI/litellm#31499'),
    upstream: silentAfter(),
    check: (probe) => leaves(probe, probe.open({ stream: true })),
  },
  {
    id: 'http/leave-whole',
    dialect: 'chat',
    promise: 'A caller of a whole answer that leaves frees the upstream within a second.',
    source: thread('BerriAI/litellm#37140'),
    upstream: silentAfter(),
    check: (probe) => leaves(probe, probe.open()),
  },
  {
    id: 'http/alive-after-leaving',
    dialect: 'chat',
    promise: 'A stream that one caller abandons does not disturb the next one.',
    source: thread('api7/aisix#176', 'pull'),
    upstream: async (turn) => {
      if (turn.nth === 0) await silentAfter(ROLE, chunk({ content: 'Hel' }))(turn)
      else
        turn.response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end([...saying('Hello')].filter((frame) => frame !== USAGE).join(''))
    },
    check: async (probe) => {
      const live = probe.open({ stream: true })
      await live.until((text) => text.includes('Hel'), 'no first token')
      live.leave()
      succeeds(await probe.stream(), 'Hello')
    },
  },
]

/** The value once it has not grown for 700 ms, or after 10 s. */
async function standstill(value: () => number): Promise<number> {
  let last = -1
  for (let quiet = 0, rounds = 0; quiet < 7 && rounds < 100; rounds++) {
    await sleep(100)
    const now = value()
    quiet = now === last && now > 0 ? quiet + 1 : 0
    last = now
  }
  return last
}

/** Two requests in one write on one connection; everything that comes back until both are answered or 5 s are over. */
function pipeline(probe: Probe): Promise<string> {
  const url = new URL(`${probe.target.url}/chat/completions`)
  const body = JSON.stringify(probe.body({ stream: true }))
  const head = (connection: string): string =>
    [
      `POST ${url.pathname} HTTP/1.1`,
      `host: ${url.host}`,
      `connection: ${connection}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      ...Object.entries(probe.target.headers).map(([name, value]) => `${name}: ${value}`),
    ].join('\r\n')
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port || 80), url.hostname)
    let text = ''
    const timer = setTimeout(() => socket.destroy(), 5000)
    socket.on('data', (bytes: Buffer) => (text += bytes.toString()))
    socket.on('error', reject)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
    socket.write(`${head('keep-alive')}\r\n\r\n${body}${head('close')}\r\n\r\n${body}`)
  })
}
