/** The part of autocannon 9 that the benchmarks use; the package ships no types. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events'

  export interface Request {
    method?: string
    path?: string
    headers?: Record<string, string>
    body?: string | Buffer
    setupRequest?: (request: Request, context: object) => Request
  }
  interface Options {
    url: string
    connections: number
    /** Requests in all; takes precedence over `duration`. */
    amount?: number
    /** Seconds. */
    duration?: number
    /** Seconds without an answer. */
    timeout?: number
    /** Milliseconds between two samples of the rate. */
    sampleInt?: number
    method: 'POST'
    headers: Record<string, string>
    requests: Request[]
  }
  interface Histogram {
    readonly p50: number
    readonly p99: number
  }
  export interface Result {
    readonly '2xx': number
    readonly non2xx: number
    readonly errors: number
    readonly timeouts: number
    readonly latency: Histogram
    readonly throughput: { readonly total: number }
  }
  interface Instance extends EventEmitter {
    stop(): void
  }
  function autocannon(options: Options, done: (error: Error | null, result: Result) => void): Instance
  export default autocannon
}
