/**
 * A model server that is not there: speaks a provider's wire format over real HTTP, with the time a GPU would take, faults on
 * demand and a billing meter of its own.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerStream, answerWhole } from './answer.ts'
import { compose, type Outcome } from './compose.ts'
import { COMMON_FAULTS, FaultScript, type FaultRule } from './faults.ts'
import { BillingMeter, type MeterPrice } from './meter.ts'
import { Pace, type PaceOptions } from './pace.ts'
import { censored, refuseByFault } from './play-fault.ts'
import { PromptCache } from './prompt-cache.ts'
import { json } from './reply.ts'
import { uncached } from './used-tokens.ts'
import { Refusal, type Asked, type Flavour, type Wire, type WireCall, type World } from './wire.ts'
import { WIRES } from './wires.ts'

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
  /** Wall clock in ms, by which cached prompts age; default Date.now. */
  readonly now?: () => number
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

/** Throws Error with a sentence where the fault script has something that this wire does not know. */
export function createSimulator(options: SimulatorOptions): Simulator {
  const known = [...COMMON_FAULTS, ...WIRES[options.flavour].ownFaults]
  const strange = options.faults?.find(({ fault }) => !known.includes(fault))
  if (strange !== undefined)
    throw new Error(`Flavour ${options.flavour} has no fault "${strange.fault}". It has: ${known.join(', ')}.`)
  return new SimulatedServer(options)
}

class SimulatedServer implements Simulator {
  readonly meter: BillingMeter
  readonly #options: SimulatorOptions
  readonly #wire: Wire
  readonly #cache: PromptCache
  readonly #server: Server
  readonly #faults: FaultScript
  readonly #pace: Pace
  #requests = 0

  constructor(options: SimulatorOptions) {
    this.#options = options
    this.#wire = WIRES[options.flavour]
    this.#cache = new PromptCache(options.now ?? Date.now)
    this.meter = new BillingMeter(options.prices ?? {}, this.#wire.cacheRates)
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
    const wire = this.#wire
    const { method = '', url = '' } = request
    const { pathname, searchParams } = new URL(url, 'http://simulator.invalid')
    if (method === 'GET') {
      if (pathname === '/__meter' && this.#options.showsMeter === true) return json(response, 200, this.#meterPage())
      const page = wire.page(pathname, this.#world())
      if (page !== undefined) {
        return void response.writeHead(page.status ?? 200, { 'content-type': page.type }).end(page.body)
      }
    }
    const call = method === 'POST' ? wire.call(pathname, searchParams) : undefined
    if (call === undefined) return json(response, 404, wire.notFound(method, pathname))
    const body = await readBody(request)
    const key = this.#options.apiKey
    const refusal = key === undefined ? undefined : wire.refuseKey(request.headers, searchParams, key)
    if (refusal !== undefined) return json(response, refusal.status, wire.error(refusal))
    await this.#answer(call, request, body, response)
  }

  async #answer(call: WireCall, { headers }: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const wire = this.#wire
    if (call.isCounted) this.#requests += 1
    const fault = call.isCounted ? this.#faults.next(this.#requests) : undefined
    let asked: Asked
    try {
      asked = call.read(parsed(body), headers, this.#world())
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return json(response, error.status, wire.error(error), this.#headers())
    }
    if (await refuseByFault(fault, wire, response)) return
    if (asked.kind === 'reply') {
      if (asked.billed !== undefined) {
        this.meter.bill(asked.model ?? '', uncached(asked.billed), { visible: 0, thinking: 0 })
      }
      return json(response, 200, asked.body, this.#headers())
    }
    await this.#generate(asked, fault, response)
  }

  async #generate(
    asked: Extract<Asked, { kind: 'generate' }>,
    fault: FaultRule | undefined,
    response: ServerResponse,
  ): Promise<void> {
    const { request, isStream } = asked
    const options = {
      prefix: this.#options.isMarked ? '[simulated] ' : '',
      outcome: this.#options.outcome ?? (() => undefined),
    }
    const composed = Array.from({ length: request.n ?? 1 }, (_, index) => compose(request, index, options))
    const choices = censored(composed, fault)
    const produced = { visible: 0, thinking: 0 }
    const input = asked.count()
    const writer = asked.writer(input, fault?.fault !== 'no-usage')
    this.#pace.running += 1
    const headers = this.#headers()
    const job = { model: request.model, choices, input, writer, fault, pace: this.#pace, headers, produced }
    try {
      if (isStream) await answerStream(job, response, this.#wire.flushesHead)
      else await answerWhole(job, response)
    } finally {
      this.#pace.running -= 1
      this.meter.bill(request.model, input, produced)
    }
  }

  #world(): World {
    return {
      models: this.#options.models,
      running: this.#pace.running,
      contextTokens: CONTEXT_TOKENS,
      cache: this.#cache,
      request: this.#requests,
    }
  }

  #headers(): Record<string, string> {
    const marks: Record<string, string> = this.#options.isMarked ? { 'x-simulated': 'true' } : {}
    return { ...marks, ...this.#wire.headers(this.#world()) }
  }

  #meterPage(): unknown {
    const models = [...this.meter.rows()].map(([model, row]) => ({
      model,
      requests: row.requests,
      input: row.input,
      cached_input: row.cachedInput,
      cache_write_5m: row.cacheWrite5m,
      cache_write_1h: row.cacheWrite1h,
      output: row.output,
      thinking: row.thinking,
      nano_usd: row.nanoUsd.toString(),
    }))
    return { total_nano_usd: this.meter.total().toString(), models }
  }
}

function parsed(body: Buffer): unknown {
  let value: unknown
  try {
    value = JSON.parse(body.toString())
  } catch {
    throw new Refusal(400, 'We could not parse the JSON body of your request.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal(400, 'The body of your request must be a JSON object.')
  return value
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
