/** One scripted upstream and one real gateway process for a whole test file. */
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { say, startFakeUpstream, type FakeUpstream } from './fake-upstream.ts'
import { configFor, startGatewayProcess, type GatewayProcess } from './gateway-process.ts'

export interface World {
  readonly upstream: FakeUpstream
  readonly gateway: GatewayProcess
  /** What clients take as `baseURL`. */
  readonly baseURL: string
}

/** Call at the top of a test file; the world is there from the first test on, and every test starts with a fresh script. */
export function sharedWorld(config: (upstreamUrl: string) => string = (url) => configFor({ small: url })): World {
  let upstream: FakeUpstream
  let gateway: Awaited<ReturnType<typeof startGatewayProcess>>
  beforeAll(async () => {
    upstream = await startFakeUpstream(undefined, { ownedByTest: false })
    gateway = await startGatewayProcess({
      config: config(upstream.url),
      env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
      ownedByTest: false,
    })
  })
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.answer = say('Hello', ' there')
  })
  afterAll(async () => {
    await gateway.stop()
    await upstream.stop()
  })
  return {
    get upstream() {
      return upstream
    },
    get gateway() {
      return gateway
    },
    get baseURL() {
      return `${gateway.url}/v1`
    },
  }
}
