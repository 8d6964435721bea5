/** A scripted OpenAI-compatible server on a free loopback port that records what reached it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface SeenRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Resolves when the gateway closed the connection before the answer was whole. */
  readonly aborted: Promise<void>
}
export type Answer = (request: SeenRequest, response: ServerResponse) => void | Promise<void>
export interface FakeUpstream {
  readonly url: string
  readonly seen: SeenRequest[]
  readonly server: Server
  /** Replaces the script. */
  answer: Answer
  stop(): Promise<void>
}

const HEAD = { id: 'chatcmpl-up', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'served-model' }

/** One `chat.completion.chunk` frame. */
export function frame(delta: object, finish: string | null = null, more: object = {}): string {
  return `data: ${JSON.stringify({ ...HEAD, choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`
}
export const USAGE_FRAME: string = `data: ${JSON.stringify({
  ...HEAD,
  choices: [],
  usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
})}\n\n`
export const DONE_FRAME = 'data: [DONE]\n\n'

/** Whether the gateway asked for a stream. */
export function wantsStream(request: SeenRequest): boolean {
  return (JSON.parse(request.body) as { stream?: boolean }).stream === true
}

/** Answers with these texts, streamed or whole, as asked. */
export function say(...texts: readonly string[]): Answer {
  return (request, response) => {
    if (wantsStream(request)) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(frame({ role: 'assistant', content: '' }))
      for (const text of texts) response.write(frame({ content: text }))
      response.end(frame({}, 'stop') + USAGE_FRAME + DONE_FRAME)
      return
    }
    void json(200, {
      ...HEAD,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: texts.join('') }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    })(request, response)
  }
}

/** Answers with a status and a JSON body. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }
}

/** Starts the server. `ownedByTest: false` leaves the end to the caller (`stop`). */
export async function startFakeUpstream(
  answer: Answer = say('Hello'),
  options: { ownedByTest?: boolean } = {},
): Promise<FakeUpstream> {
  const seen: SeenRequest[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (bytes: Buffer) => chunks.push(bytes))
    incoming.on('end', () => {
      const aborted = new Promise<void>((resolve) => {
        response.once('close', () => {
          if (!response.writableFinished) resolve()
        })
      })
      const request = {
        path: incoming.url ?? '',
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString(),
        aborted,
      }
      if (incoming.method !== 'POST') {
        void json(200, { object: 'list', data: [] })(request, response)
        return
      }
      seen.push(request)
      void fake.answer(request, response)
    })
  })
  server.keepAliveTimeout = 30_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  if (options.ownedByTest !== false) onTestFinished(stop)
  const fake: FakeUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    server,
    answer,
    stop,
  }
  return fake
}
