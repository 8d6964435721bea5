import { request, type Agent, type ClientRequest, type IncomingMessage } from 'node:http'
import { Reply } from './reply.ts'
import { Broken, type Dialect } from './row.ts'
import type { Exchange } from './upstream.ts'

/** Where the gateway under test is and what it wants to be told. */
export interface Target {
  /** Its base URL, with `/v1` at its end. */
  readonly url: string
  readonly model: string
  readonly headers: Readonly<Record<string, string>>
}

/** An answer that is still being read. */
export interface Live {
  /** Resolves once the text so far satisfies `enough`; `Broken` with `otherwise` where it does not in time. */
  until(enough: (text: string) => boolean, otherwise: string, withinMs?: number): Promise<void>
  /** The caller goes away. */
  leave(): void
  readonly reply: Promise<Reply>
}

export interface AskOptions {
  readonly agent?: Agent
  /** The caller takes the head and then nothing: until it leaves, for those who keep the request. */
  readonly unread?: boolean
  /** The body as it goes out, in place of one made from `more`. */
  readonly raw?: string
}

/** What a row's check has in hand: a caller in front of the gateway, and the upstream behind it. */
export class Probe {
  readonly target: Target
  /** How long a gateway may take to notice that an upstream has gone silent, ms. */
  readonly patienceMs: number
  readonly #exchange: Exchange | undefined
  readonly #word: string
  readonly #dialect: Dialect

  constructor(target: Target, dialect: Dialect, word: string, exchange: Exchange | undefined, patienceMs: number) {
    this.target = target
    this.#dialect = dialect
    this.patienceMs = patienceMs
    this.#exchange = exchange
    this.#word = word
  }

  get upstream(): Exchange {
    if (this.#exchange === undefined) throw new Error('this row looks at the upstream and does not say so')
    return this.#exchange
  }

  /** The text that names this row's exchange to the upstream. */
  get prompt(): string {
    return this.#exchange === undefined ? 'Say hello.' : `[[${this.#word}]] Say hello.`
  }

  /** The body of a request, with `more` laid over it. */
  body(more: object = {}): object {
    const { prompt } = this
    const messages = [{ role: 'user', content: prompt }]
    switch (this.#dialect) {
      case 'chat':
        return { model: this.target.model, messages, ...more }
      case 'responses':
        return { model: this.target.model, input: prompt, store: false, ...more }
      case 'messages':
        return { model: this.target.model, max_tokens: 4096, messages, ...more }
      default:
        return this.#dialect satisfies never
    }
  }

  /** Asks for a stream and reads it to its end. */
  stream(more: object = {}, options: AskOptions = {}): Promise<Reply> {
    return this.open({ stream: true, ...more }, options).reply
  }

  /** Asks for a whole answer. */
  whole(more: object = {}, options: AskOptions = {}): Promise<Reply> {
    return this.open(more, options).reply
  }

  /** Asks, and leaves the reading to the caller. */
  open(more: object = {}, options: AskOptions = {}): Live {
    const bytes = Buffer.from(options.raw ?? JSON.stringify(this.body(more)))
    const headers = {
      'content-type': 'application/json',
      'accept-encoding': 'gzip, br, zstd',
      ...(this.#dialect === 'messages' ? { 'anthropic-version': '2023-06-01' } : {}),
      ...this.target.headers,
      'content-length': bytes.length,
    }
    const url = new URL(this.target.url + PATHS[this.#dialect])
    const outgoing = request(url, { method: 'POST', headers, agent: options.agent ?? false })
    outgoing.end(bytes)
    return readLive(outgoing, options.unread === true, this.patienceMs)
  }
}

/** Where each API is, under the base URL. */
export const PATHS: Readonly<Record<Dialect, string>> = {
  chat: '/chat/completions',
  responses: '/responses',
  messages: '/messages',
}

function readLive(outgoing: ClientRequest, unread: boolean, patienceMs: number): Live {
  const taken: Buffer[] = []
  const watchers = new Set<() => void>()
  const tell = (): void => watchers.forEach((watch) => watch())
  const reply = new Promise<Reply>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Broken(`no end after ${(patienceMs * 4) / 1000} s`))
      outgoing.destroy()
    }, patienceMs * 4)
    outgoing.on('close', () => clearTimeout(timer))
    outgoing.on('error', (error) => reject(new Broken(`no answer: ${error.message}`)))
    outgoing.on('response', (response: IncomingMessage) => {
      // Where nobody reads, the socket fills up and the gateway has to wait.
      if (!unread) response.on('data', (bytes: Buffer) => (taken.push(bytes), tell()))
      response.on('error', () => {})
      response.on('close', () => {
        clearTimeout(timer)
        resolve(new Reply(response.statusCode ?? 0, response.headers, Buffer.concat(taken), response.complete))
        tell()
      })
    })
  })
  // A caller that leaves does not wait for the answer's end.
  reply.catch(() => {})
  return {
    reply,
    leave: () => void outgoing.destroy(),
    until: (enough, otherwise, withinMs = 2000) =>
      new Promise((resolve, reject) => {
        const end = (outcome: () => void): void => {
          clearTimeout(timer)
          watchers.delete(look)
          outcome()
        }
        const timer = setTimeout(() => end(() => reject(new Broken(otherwise))), withinMs)
        const look = (): void => {
          if (enough(Buffer.concat(taken).toString())) end(resolve)
        }
        watchers.add(look)
        look()
      }),
  }
}
