import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { chatBodies, type BodyMaker } from '../support/bodies.ts'
import type { Running } from '../support/contender.ts'
import type { Mock } from '../support/mock.ts'
import { quantile } from '../support/statistics.ts'

export interface FirstTokenOptions {
  readonly mock: Mock
  readonly perSecond: number
  readonly requests: number
  /** Pairs that are sent first and not counted. */
  readonly warm: number
}
export interface FirstTokenResult {
  readonly contender: string
  readonly pairs: number
  readonly failed: number
  /** Through the gateway minus direct, pair by pair, milliseconds. */
  readonly addedP50Ms: number
  readonly addedP99Ms: number
  /** The two distributions by themselves; their difference is less hard on outliers of the direct side. */
  readonly directP50Ms: number
  readonly directP99Ms: number
  readonly throughP50Ms: number
  readonly throughP99Ms: number
}

/**
 * Time to the first token, through a gateway and straight to the mock, in pairs at a fixed rate. The rate is an open loop:
 * a slow answer delays nobody's start. Which of a pair goes first alternates, half a period apart.
 */
export async function firstToken(running: Running, options: FirstTokenOptions): Promise<FirstTokenResult> {
  const { mock, perSecond, requests, warm } = options
  await mock.pace(10, 2)
  const body = chatBodies({ bytes: 1024, stream: true, from: 700_000_000 })
  const agents = [keepAlive(), keepAlive()] as const
  const direct = `${mock.url}/v1/chat/completions`
  const periodMs = 1000 / perSecond
  const pairs: Promise<readonly [number | undefined, number | undefined]>[] = []
  const startedAt = performance.now()
  for (let index = 0; index < warm + requests; index++) {
    await until(startedAt + index * periodMs)
    const through = (): Promise<number | undefined> => timeToken(running.url, running.headers, body, agents[0])
    const straight = (): Promise<number | undefined> => timeToken(direct, {}, body, agents[1])
    const gatewayFirst = index % 2 === 0
    const first = gatewayFirst ? through() : straight()
    const second = until(startedAt + (index + 0.5) * periodMs).then(gatewayFirst ? straight : through)
    pairs.push(Promise.all(gatewayFirst ? [first, second] : [second, first]))
  }
  const results = (await Promise.all(pairs)).slice(warm)
  for (const agent of agents) agent.destroy()
  const whole = results.filter((pair): pair is readonly [number, number] => !pair.includes(undefined))
  if (whole.length === 0) throw new Error(`${running.name}: no stream brought a token`)
  const added = whole.map(([through, straight]) => through - straight)
  const through = whole.map((pair) => pair[0])
  const straight = whole.map((pair) => pair[1])
  return {
    contender: running.name,
    pairs: whole.length,
    failed: results.length - whole.length,
    addedP50Ms: quantile(added, 0.5),
    addedP99Ms: quantile(added, 0.99),
    directP50Ms: quantile(straight, 0.5),
    directP99Ms: quantile(straight, 0.99),
    throughP50Ms: quantile(through, 0.5),
    throughP99Ms: quantile(through, 0.99),
  }
}

function keepAlive(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 256 })
}

async function until(at: number): Promise<void> {
  const early = at - performance.now()
  if (early > 0) await sleep(early)
}

/** Milliseconds from sending to the first piece that carries text of the answer; undefined when none came. */
function timeToken(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: BodyMaker,
  agent: Agent,
): Promise<number | undefined> {
  const text = body()
  return new Promise((resolve) => {
    const started = performance.now()
    const length = String(Buffer.byteLength(text))
    const asking = request(
      url,
      {
        method: 'POST',
        agent,
        signal: AbortSignal.timeout(15_000),
        headers: { ...headers, 'content-type': 'application/json', 'content-length': length },
      },
      (answer) => {
        let first: number | undefined
        answer.on('data', (piece: Buffer) => {
          if (first === undefined && piece.includes('"content":" token"')) first = performance.now() - started
        })
        answer.once('close', () => resolve(first))
      },
    )
    asking.once('error', () => resolve(undefined))
    asking.end(text)
  })
}
