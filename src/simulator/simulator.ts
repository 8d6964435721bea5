/**
 * A model server that is not there: speaks the wire formats of OpenAI and vLLM over real HTTP, with the time a GPU would take,
 * faults on demand and a billing meter of its own.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { compose, promptTokens, type Outcome, type SimChoice, type SimRequest } from './compose.ts'
import { FaultScript, type FaultRule } from './faults.ts'
import { BillingMeter, type MeterPrice } from './meter.ts'
import { PROFILES, type LatencyProfile } from './profiles.ts'
import { countTokens } from './tokens.ts'
import {
  errorBody,
  frameOf,
  metricsPage,
  modelList,
  usageOf,
  wholeBody,
  type Flavour,
  type WireContext,
} from './wire.ts'

export interface SimulatorOptions {
  readonly flavour: Flavour
  readonly models: readonly string[]
  /** Latency by model; absent = instant. */
  readonly profiles?: Readonly<Record<string, string>>
  /** Time scale: 1 = as the profile says, 2 = twice as fast, 0 = no waiting. */
  readonly speed: number
  /** Texts begin with `[simulated] ` and answers carry `x-simulated: true`. */
  readonly isMarked: boolean
  readonly prices?: Readonly<Record<string, MeterPrice>>
  readonly faults?: readonly FaultRule[]
  readonly apiKey?: string | undefined
  readonly outcome?: (prompt: string, model: string) => Outcome | undefined
  /** Serves `/__meter`. */
  readonly showsMeter?: boolean
  readonly seed?: number
}

export interface Simulator {
  readonly meter: BillingMeter
  /** Requests that are not on the bill yet. */
  readonly running: number
  listen(port: number, host?: string): Promise<{ readonly url: string; readonly port: number }>
  close(): Promise<void>
}

const MAX_BODY_BYTES = 64 * 1024 * 1024
const CONTEXT_TOKENS = 131_072
/** What one more running sequence adds to the time between tokens, as a share: decoding in a batch is nearly free until memory bandwidth is used up. */
const BATCH_SLOWDOWN = 0.01

export function createSimulator(options: SimulatorOptions): Simulator {
  return new SimulatedServer(options)
}

class SimulatedServer implements Simulator {
  readonly meter: BillingMeter
  readonly #options: SimulatorOptions
  readonly #server: Server
  readonly #faults: FaultScript
  #requests = 0
  #running = 0

  constructor(options: SimulatorOptions) {
    this.#options = options
    this.meter = new BillingMeter(options.prices ?? {})
    this.#faults = new FaultScript(options.faults ?? [], options.seed ?? 1)
    this.#server = createServer(
      (request, response) => void this.#serve(request, response).catch(() => response.destroy()),
    )
    this.#server.keepAliveTimeout = 5000
  }

  async listen(port: number, host = '127.0.0.1'): Promise<{ readonly url: string; readonly port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, resolve)
    })
    const address = this.#server.address() as AddressInfo
    return { url: `http://${host}:${address.port}`, port: address.port }
  }

  get running(): number {
    return this.#running
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { flavour, models } = this.#options
    const path = (request.url ?? '').split('?', 1)[0]
    if (request.method === 'GET') {
      if (path === '/v1/models') return json(response, 200, modelList(flavour, models, CONTEXT_TOKENS))
      if (path === '/health') return void response.writeHead(200).end()
      if (path === '/version') return json(response, 200, { version: '0.32.0' })
      if (path === '/metrics' && flavour === 'vllm')
        return void response.writeHead(200, { 'content-type': 'text/plain' }).end(metricsPage(models, this.#running))
      if (path === '/__meter' && this.#options.showsMeter === true) return json(response, 200, this.#meterPage())
    }
    if (request.method !== 'POST' || path !== '/v1/chat/completions') {
      return flavour === 'vllm'
        ? json(response, 404, { detail: 'Not Found' })
        : json(response, 404, errorBody(flavour, 404, `Unknown request URL: ${request.method} ${path}.`))
    }
    const body = await readBody(request)
    const key = this.#options.apiKey
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`)
      return json(response, 401, errorBody(flavour, 401, 'Incorrect API key provided.'))
    await this.#chat(body, response)
  }

  async #chat(body: Buffer, response: ServerResponse): Promise<void> {
    const { flavour, models } = this.#options
    this.#requests += 1
    const fault = this.#faults.next(this.#requests)
    let request: SimRequest
    try {
      request = JSON.parse(body.toString()) as SimRequest
    } catch {
      return json(response, 400, errorBody(flavour, 400, 'We could not parse the JSON body of your request.'))
    }
    if (!Array.isArray(request.messages) || request.messages.length === 0)
      return json(response, 400, errorBody(flavour, 400, "Missing required parameter: 'messages'."))
    if (!models.includes(request.model))
      return json(response, 404, errorBody(flavour, 404, `The model \`${request.model}\` does not exist.`))
    if (await this.#refuses(fault, response)) return
    const input = promptTokens(request)
    const choices = Array.from({ length: request.n ?? 1 }, (_, index) =>
      compose(request, index, {
        prefix: this.#options.isMarked ? '[simulated] ' : '',
        outcome: this.#options.outcome ?? (() => undefined),
      }),
    )
    const context: WireContext = {
      flavour,
      id: `chatcmpl-sim${this.#requests.toString(36).padStart(8, '0')}`,
      created: Math.floor(Date.now() / 1000),
      model: request.model,
      logprobs: request.logprobs === true ? (request.top_logprobs ?? 0) : undefined,
    }
    this.#running += 1
    const produced = { tokens: 0 }
    try {
      if (request.stream === true) await this.#stream(request, choices, input, context, fault, response, produced)
      else await this.#whole(choices, input, context, fault, response, produced)
    } finally {
      this.#running -= 1
      this.meter.bill(request.model, input, produced.tokens)
    }
  }

  /** Faults before anything is generated. */
  async #refuses(fault: FaultRule | undefined, response: ServerResponse): Promise<boolean> {
    const { flavour } = this.#options
    if (fault === undefined) return false
    switch (fault.fault) {
      case 'delay':
        await sleep(fault.ms ?? 1000)
        return false
      case '429':
        json(response, 429, errorBody(flavour, 429, 'Rate limit reached.'), {
          'retry-after': String(Math.ceil((fault.ms ?? 1000) / 1000)),
        })
        return true
      case '500':
        json(response, 500, errorBody(flavour, 500, 'The server had an error.'))
        return true
      case '503':
        json(response, 503, errorBody(flavour, 503, 'The engine is overloaded.'))
        return true
      case 'html':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>502 Bad Gateway</body></html>')
        return true
      case 'close':
        response.destroy()
        return true
      case 'cut':
      case 'reset':
      case 'stall':
      case 'garbage':
      case 'error-event':
      case 'split':
      case 'no-usage':
      case 'wrong-usage':
        return false
      default:
        return fault.fault satisfies never
    }
  }

  async #whole(
    choices: readonly SimChoice[],
    input: number,
    context: WireContext,
    fault: FaultRule | undefined,
    response: ServerResponse,
    produced: { tokens: number },
  ): Promise<void> {
    const output = choices.reduce((sum, choice) => sum + outputTokens(choice), 0)
    const profile = this.#profile(context.model)
    const longest = Math.max(...choices.map(outputTokens))
    const totalMs =
      profile.prefillOverheadMs + profile.prefillMsPerToken * input + longest * profile.interTokenMs * this.#slowdown()
    const startedMs = performance.now()
    const left = new Promise<'left'>((resolve) => response.once('close', () => resolve('left')))
    const ended = await Promise.race([Promise.resolve(this.#wait(totalMs)).then(() => 'done' as const), left])
    // An engine stops when its caller has left; what it had generated by then is on the bill.
    const share =
      totalMs === 0 || this.#options.speed === 0
        ? 1
        : Math.min(1, ((performance.now() - startedMs) * this.#options.speed) / totalMs)
    produced.tokens = ended === 'done' ? output : Math.floor(output * share)
    if (ended !== 'done' || response.destroyed) return
    if (fault?.fault === 'stall') return
    const usage =
      fault?.fault === 'no-usage'
        ? undefined
        : usageOf(context.flavour, input, fault?.fault === 'wrong-usage' ? 0 : output)
    json(
      response,
      200,
      fault?.fault === 'garbage' ? 'not an answer' : wholeBody(context, choices, usage),
      this.#headers(),
    )
  }

  async #stream(
    request: SimRequest,
    choices: readonly SimChoice[],
    input: number,
    context: WireContext,
    fault: FaultRule | undefined,
    response: ServerResponse,
    produced: { tokens: number },
  ): Promise<void> {
    const profile = this.#profile(context.model)
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      ...this.#headers(),
    })
    if (context.flavour === 'vllm') response.flushHeaders()
    await this.#wait(profile.prefillOverheadMs + profile.prefillMsPerToken * input)
    const write = this.#writer(response, fault)
    for (const [index] of choices.entries())
      await write(frameOf(context, index, { role: 'assistant', content: '' }, null))
    let sent = 0
    const longest = Math.max(...choices.map((choice) => Math.max(choice.tokens.length, choice.toolCalls.length)))
    for (let step = 0; step < longest; step++) {
      await this.#wait(profile.interTokenMs * this.#slowdown())
      for (const [index, choice] of choices.entries()) {
        if (response.destroyed) return
        if (fault !== undefined && sent >= (fault.after ?? 1) && breaks(fault, response))
          return fault.fault === 'stall' ? closed(response) : undefined
        const token = choice.tokens[step]
        if (token !== undefined) {
          await write(frameOf(context, index, { content: token }, null, token))
          produced.tokens += 1
          sent += 1
        }
        const call = choice.toolCalls[step]
        if (call !== undefined) {
          const started = { index: step, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }
          await write(frameOf(context, index, { tool_calls: [started] }, null))
          await write(
            frameOf(context, index, { tool_calls: [{ index: step, function: { arguments: call.arguments } }] }, null),
          )
          produced.tokens += countTokens(call.arguments) + 1
          sent += 1
        }
      }
    }
    for (const [index, choice] of choices.entries()) await write(frameOf(context, index, {}, choice.finish))
    if (request.stream_options?.include_usage === true && fault?.fault !== 'no-usage') {
      const usage = usageOf(context.flavour, input, fault?.fault === 'wrong-usage' ? 0 : produced.tokens)
      await write(
        `data: ${JSON.stringify({ id: context.id, object: 'chat.completion.chunk', created: context.created, model: context.model, choices: [], usage })}\n\n`,
      )
    }
    await write('data: [DONE]\n\n')
    response.end()
  }

  /** Writes frames, in single bytes where the script says so, and waits while the caller does not read. */
  #writer(response: ServerResponse, fault: FaultRule | undefined): (frame: string) => Promise<void> | void {
    return (frame) => {
      const pieces = fault?.fault === 'split' ? [...Buffer.from(frame)].map((byte) => Buffer.from([byte])) : [frame]
      let isFull = false
      for (const piece of pieces) isFull = !response.write(piece)
      if (!isFull || response.destroyed) return undefined
      return new Promise((resolve) => {
        response.once('drain', resolve)
        response.once('close', resolve)
      })
    }
  }

  #profile(model: string): LatencyProfile {
    return PROFILES[this.#options.profiles?.[model] ?? 'instant'] ?? (PROFILES['instant'] as LatencyProfile)
  }

  #slowdown(): number {
    return 1 + BATCH_SLOWDOWN * Math.max(0, this.#running - 1)
  }

  #wait(ms: number): Promise<void> | void {
    const scaled = this.#options.speed === 0 ? 0 : ms / this.#options.speed
    if (scaled < 0.5) return undefined
    return sleep(scaled)
  }

  #headers(): Record<string, string> {
    const marks: Record<string, string> = this.#options.isMarked ? { 'x-simulated': 'true' } : {}
    if (this.#options.flavour === 'vllm') return marks
    return {
      ...marks,
      'x-ratelimit-limit-requests': '10000',
      'x-ratelimit-remaining-requests': String(10_000 - this.#running),
      'x-ratelimit-reset-requests': '6ms',
      'x-ratelimit-limit-tokens': '2000000',
      'x-ratelimit-remaining-tokens': '1999000',
      'x-ratelimit-reset-tokens': '30ms',
      'openai-processing-ms': '1',
    }
  }

  #meterPage(): unknown {
    const models = [...this.meter.rows()].map(([model, row]) => ({
      model,
      requests: row.requests,
      input: row.input,
      output: row.output,
      nano_usd: row.nanoUsd.toString(),
    }))
    return { total_nano_usd: this.meter.total().toString(), models }
  }
}

/** Faults in the middle of a stream; true = nothing more is written. */
function breaks(fault: FaultRule, response: ServerResponse): boolean {
  switch (fault.fault) {
    case 'cut':
      response.destroy()
      return true
    case 'reset':
      response.socket?.resetAndDestroy()
      return true
    case 'stall':
      return true
    case 'garbage':
      response.end('data: {oops\n\n')
      return true
    case 'error-event':
      response.end(
        `data: ${JSON.stringify({ error: { message: 'The engine failed.', type: 'server_error', param: null, code: 500 } })}\n\ndata: [DONE]\n\n`,
      )
      return true
    default:
      return false
  }
}

function closed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once('close', () => resolve()))
}

function outputTokens(choice: SimChoice): number {
  return choice.tokens.length + choice.toolCalls.reduce((sum, call) => sum + countTokens(call.arguments) + 1, 0)
}

function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed) return
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  })
  response.end(text)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error('The body is too large.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
