import { Pool } from 'undici'
import { Breaker } from './breaker.ts'
import type { UpstreamOptions } from './options.ts'

/** Engines close idle connections after 5 s (vLLM, llama.cpp); ours are given up before, so that none is closed as we write on it. */
const KEEP_ALIVE_MS = 4000

/** One server of an upstream: its connections, its breaker, and what is under way there. */
export class Replica {
  readonly url: string
  /** Path of the base URL, without a slash at its end. */
  readonly basePath: string
  readonly pool: Pool
  readonly breaker: Breaker
  inflight = 0
  inflightTokens = 0

  constructor(url: string, options: UpstreamOptions, now: () => number) {
    this.url = url
    const { origin, pathname } = new URL(url)
    this.basePath = pathname.replace(/\/+$/, '')
    this.breaker = new Breaker(options.breaker, now)
    this.pool = new Pool(origin, {
      // A slow answer must not hold up another one.
      pipelining: 1,
      connections: null,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      connect: { timeout: options.timeouts.connectMs, rejectUnauthorized: true, noDelay: true },
      // Time-outs are kept per attempt: undici's own do not know content from keep-alive comments.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 65_536,
    })
  }
}
