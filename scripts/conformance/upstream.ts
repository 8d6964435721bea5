/** The scripted OpenAI-compatible server behind the gateway under test: loopback only, it records what reaches it. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request as it reached the upstream. */
export interface Seen {
  readonly body: Readonly<Record<string, unknown>>
  readonly raw: string
  readonly headers: IncomingHttpHeaders
  /** Resolves when the connection was closed before the answer was whole. */
  readonly left: Promise<void>
  /** Bytes of the answer that have gone to the system's socket. */
  sentBytes(): number
}

/** What belongs to one row's run: the script, and what came of it. */
export interface Exchange {
  readonly script: Script
  readonly seen: Seen[]
  /** The script waits here where the check has to look first. */
  readonly gate: Gate
  /** Resolves with the first request. */
  readonly arrived: Promise<Seen>
}

/** One request's turn at the script. */
export interface Turn {
  readonly body: Readonly<Record<string, unknown>>
  readonly response: ServerResponse
  readonly gate: Gate
  readonly wantsStream: boolean
  readonly wantsUsage: boolean
  /** The API that the gateway spoke to us. */
  readonly wire: 'chat' | 'responses'
  /** How many requests of this exchange came before. */
  readonly nth: number
}
export type Script = (turn: Turn) => void | Promise<void>

/** Lets one waiter through for each `open`. */
export class Gate {
  #open = 0
  readonly #waiting: (() => void)[] = []

  wait(): Promise<void> {
    if (this.#open > 0) {
      this.#open -= 1
      return Promise.resolve()
    }
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  open(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#open += 1
    else next()
  }
}

export interface ScriptedUpstream {
  /** With `/v1` at its end. */
  readonly url: string
  /** Plans one exchange: each request whose prompt holds its word gets its script. */
  plan(word: string, script: Script): Exchange
  stop(): Promise<void>
}

/** The word in a prompt that names the exchange. */
export const WORD: RegExp = /\[\[([\w/-]+#\w+)\]\]/

export async function startUpstream(port: number, otherwise: Script): Promise<ScriptedUpstream> {
  const exchanges = new Map<string, { exchange: Exchange; arrive: (seen: Seen) => void }>()
  const server = createServer({ noDelay: true, requestTimeout: 0 }, (request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (bytes: Buffer) => pieces.push(bytes))
    request.on('end', () => {
      const raw = Buffer.concat(pieces).toString()
      const body = request.method === 'POST' ? parse(raw) : undefined
      const wire = /\/responses(\?|$)/.test(request.url ?? '') ? 'responses' : 'chat'
      const prompt = wire === 'chat' ? body?.['messages'] : body?.['input']
      if (body === undefined || !(typeof prompt === 'string' || (Array.isArray(prompt) && prompt.length > 0))) {
        const isList = request.method === 'GET'
        response.writeHead(isList ? 200 : 400, { 'content-type': 'application/json' })
        response.end(JSON.stringify(isList ? { object: 'list', data: [] } : REFUSAL))
        return
      }
      const planned = exchanges.get(WORD.exec(raw)?.[1] ?? '')
      const left = new Promise<void>((resolve) => {
        response.once('close', () => {
          if (!response.writableFinished) resolve()
        })
      })
      const socket = request.socket
      const seen = { body, raw, headers: request.headers, left, sentBytes: () => socket.bytesWritten }
      const options = body['stream_options']
      const turn: Turn = {
        body,
        response,
        gate: planned?.exchange.gate ?? new Gate(),
        wire,
        wantsStream: body['stream'] === true,
        wantsUsage:
          typeof options === 'object' &&
          options !== null &&
          'include_usage' in options &&
          options.include_usage === true,
        nth: planned?.exchange.seen.length ?? 0,
      }
      planned?.exchange.seen.push(seen)
      planned?.arrive(seen)
      response.on('error', () => {})
      Promise.resolve((planned?.exchange.script ?? otherwise)(turn)).catch(() => response.destroy())
    })
  })
  server.keepAliveTimeout = 4000
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    plan(word, script) {
      let arrive: (seen: Seen) => void = () => {}
      const arrived = new Promise<Seen>((resolve) => (arrive = resolve))
      const exchange = { script, seen: [], gate: new Gate(), arrived }
      exchanges.set(word, { exchange, arrive })
      return exchange
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const REFUSAL = {
  error: { message: 'messages are missing', type: 'invalid_request_error', param: 'messages', code: null },
}

function parse(raw: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(raw)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
