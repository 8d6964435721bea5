/**
 * A model server that is not there: speaks the wire formats of OpenAI and vLLM over real HTTP, with the time a GPU would take,
 * faults on demand and a billing meter of its own.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerStream, answerWhole } from './answer.ts'
import { compose, promptTokens, type Outcome, type SimRequest } from './compose.ts'
import { FaultScript, type FaultRule } from './faults.ts'
import { BillingMeter, type MeterPrice } from './meter.ts'
import { Pace, type PaceOptions } from './pace.ts'
import { refuseByFault } from './play-fault.ts'
import { json } from './reply.ts'
import { errorBody, metricsPage, modelList, type Flavour, type WireContext } from './wire.ts'

export interface SimulatorOptions extends PaceOptions {
  readonly flavour: Flavour
  readonly models: readonly string[]
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

export function createSimulator(options: SimulatorOptions): Simulator {
  return new SimulatedServer(options)
}

class SimulatedServer implements Simulator {
  readonly meter: BillingMeter
  readonly #options: SimulatorOptions
  readonly #server: Server
  readonly #faults: FaultScript
  readonly #pace: Pace
  #requests = 0

  constructor(options: SimulatorOptions) {
    this.#options = options
    this.meter = new BillingMeter(options.prices ?? {})
    this.#pace = new Pace(options)
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
    return this.#pace.running
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
        return void response
          .writeHead(200, { 'content-type': 'text/plain' })
          .end(metricsPage(models, this.#pace.running))
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
    if (await refuseByFault(fault, flavour, response)) return
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
    this.#pace.running += 1
    const job = { request, choices, input, context, fault, pace: this.#pace, headers: this.#headers(), produced: 0 }
    try {
      if (request.stream === true) await answerStream(job, response)
      else await answerWhole(job, response)
    } finally {
      this.#pace.running -= 1
      this.meter.bill(request.model, input, job.produced)
    }
  }

  #headers(): Record<string, string> {
    const marks: Record<string, string> = this.#options.isMarked ? { 'x-simulated': 'true' } : {}
    if (this.#options.flavour === 'vllm') return marks
    return {
      ...marks,
      'x-ratelimit-limit-requests': '10000',
      'x-ratelimit-remaining-requests': String(10_000 - this.#pace.running),
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
