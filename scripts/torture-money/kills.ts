/** Part 2: the real service under load, killed at random moments, on the same data each time; the simulated provider's bill is the judge. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { launch, type Service } from '../../benchmarks/support/launch.ts'
import { seededRandom } from '../../src/simulator/random.ts'
import { createSimulator } from '../../src/simulator/simulator.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const CALLERS = 16
const BUDGET_NANO = 20_000_000
const BUDGET_USD = '0.02'
const ADMIN_KEY = 'sk-admin-torture'
/** Caps of the callers, if they may ask for more than is left: of a whole task's budget the largest takes three times as much. */
const CAPS = [30, 300, 1000, 4000]
const FIXED_CAP = 30
const READY = /^switchyard listening on (http:\/\/\S+)$/m

/** Kept between runs, so that an interrupted one goes on. */
interface State {
  readonly seed: number
  readonly kills: number
  /** Nano-dollars that the provider has billed in all rounds. */
  readonly billed: string
  readonly answered: number
  /** Answers whose cap was lowered to what was left; absent in files of runs with a fixed cap. */
  readonly lowered?: number
  readonly overspent: string
  readonly undercounted: string
}

export interface KillsResult {
  readonly kills: number
  readonly answered: number
  readonly lowered: number
  readonly billed: bigint
  readonly counted: bigint
  /** Nano-dollars billed above a task's budget; must be 0. */
  readonly overspent: bigint
  /** Nano-dollars billed and not counted as spent; must be 0. */
  readonly undercounted: bigint
}

export interface KillsOptions {
  readonly kills: number
  readonly seed: number
  readonly dir: string
  /** Callers ask for longer answers than the budget can pay, so that their caps are lowered to what is left. */
  readonly lowersCaps: boolean
  readonly onDone: (done: number) => void
}

interface Round {
  answered: number
  lowered: number
}

export async function tortureKills({ kills, seed, dir, lowersCaps, onDone }: KillsOptions): Promise<KillsResult> {
  mkdirSync(dir, { recursive: true })
  const stateFile = join(dir, 'state.json')
  const lowered = lowersCaps ? { lowered: 0 } : {}
  const fresh: State = { seed, kills: 0, billed: '0', answered: 0, ...lowered, overspent: '0', undercounted: '0' }
  let state = readState(stateFile) ?? fresh
  if (state.seed !== seed)
    throw new Error(`${stateFile} belongs to a run with --seed ${state.seed}. Remove it to begin anew.`)
  if ((state.lowered === undefined) === lowersCaps)
    throw new Error(`${stateFile} belongs to a run ${lowersCaps ? 'without' : 'with'} --caps. Remove it to begin anew.`)
  const simulator = createSimulator({
    flavour: 'openai',
    models: ['sim'],
    profiles: { sim: '1-3B/H100' },
    speed: 20,
    isMarked: false,
    prices: { sim: { inputPerM: 3, outputPerM: 15 } },
  })
  const { url } = await simulator.listen(0)
  const config = join(dir, 'switchyard.yaml')
  writeFileSync(config, configOf(url, lowersCaps))
  const start = (): Promise<Service> =>
    launch({
      name: 'switchyard',
      command: process.execPath,
      args: [MAIN, 'serve', '--config', config, '--port', '0', '--data-dir', join(dir, 'data')],
      env: { TORTURE_ADMIN_KEY: ADMIN_KEY },
      cwd: dir,
      ready: READY,
      timeoutMs: 30_000,
      logFile: join(dir, `service-${state.kills % 2}-${process.pid}-${performance.now().toFixed(0)}.log`),
    })
  let service = await start()
  let billedBefore = 0n
  try {
    for (let kill = state.kills; kill < kills; kill++) {
      const task = `round-${kill}`
      const round = await oneRound(service, task, seededRandom(seed + kill), lowersCaps)
      await service.stop(0)
      while (simulator.running > 0) await sleep(2)
      service = await start()
      const billed = simulator.meter.total() - billedBefore
      billedBefore = simulator.meter.total()
      const { spent, unresolved, held } = await readTask(service, task)
      const counted = spent + unresolved + held
      state = {
        seed,
        kills: kill + 1,
        billed: String(BigInt(state.billed) + billed),
        answered: state.answered + round.answered,
        ...(state.lowered === undefined ? {} : { lowered: state.lowered + round.lowered }),
        overspent: String(BigInt(state.overspent) + above(billed, BigInt(BUDGET_NANO))),
        undercounted: String(BigInt(state.undercounted) + above(billed, counted) + held),
      }
      writeFileSync(stateFile, JSON.stringify(state))
      onDone(kill + 1)
    }
    const counted = await readTotal(service)
    return {
      kills: state.kills,
      answered: state.answered,
      lowered: state.lowered ?? 0,
      billed: BigInt(state.billed),
      counted,
      overspent: BigInt(state.overspent),
      undercounted: BigInt(state.undercounted) + above(BigInt(state.billed), counted),
    }
  } finally {
    await service.stop(0)
    await simulator.close()
  }
}

/** Load on one task until the service is killed in the middle of it. Resolves with the numbers of whole answers. */
async function oneRound(service: Service, task: string, random: () => number, lowersCaps: boolean): Promise<Round> {
  const round = { answered: 0, lowered: 0 }
  const over = new AbortController()
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let i = 0; !over.signal.aborted; i++) {
      const reply = await fetch(`${service.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-task-id': task, 'x-task-budget-usd': BUDGET_USD },
        body: JSON.stringify({
          model: 'paid',
          max_tokens: lowersCaps ? CAPS[Math.floor(random() * CAPS.length)] : FIXED_CAP,
          stream: i % 2 === 0,
          messages: [{ role: 'user', content: `${task} ${caller} ${i}` }],
        }),
      }).catch(() => undefined)
      if (reply === undefined) return
      const text = await reply.text().catch(() => undefined)
      if (reply.status === 200 && text !== undefined) {
        round.answered += 1
        if (reply.headers.has('x-switchyard-max-tokens')) round.lowered += 1
      } else await sleep(5)
    }
  })
  await sleep(10 + random() * 150)
  process.kill(service.pid, 'SIGKILL')
  over.abort()
  await Promise.all(callers)
  return round
}

async function readTask(service: Service, task: string): Promise<{ spent: bigint; unresolved: bigint; held: bigint }> {
  const reply = await fetch(`${service.url}/v1/tasks/${task}`)
  // Killed before the first request of this round was written down: then none was sent either.
  if (reply.status === 404) return { spent: 0n, unresolved: 0n, held: 0n }
  const page = (await reply.json()) as {
    spent: { nano_usd: number }
    unresolved_nano_usd: number
    held_nano_usd: number
  }
  return {
    spent: BigInt(page.spent.nano_usd),
    unresolved: BigInt(page.unresolved_nano_usd),
    held: BigInt(page.held_nano_usd),
  }
}

async function readTotal(service: Service): Promise<bigint> {
  const reply = await fetch(`${service.url}/v1/usage`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
  const { total } = (await reply.json()) as { total: { nano_usd: number; unresolved_nano_usd: number } }
  return BigInt(total.nano_usd) + BigInt(total.unresolved_nano_usd)
}

function configOf(url: string, lowersCaps: boolean): string {
  return `
server: { adminKey: env:TORTURE_ADMIN_KEY }
upstreams: { sim: { kind: openai, baseUrl: "${url}/v1", ask: as-asked, breaker: off, retries: 1 } }
models: { paid: { upstream: sim, model: sim, price: { inputPerM: 3, outputPerM: 15 } } }
taskTypes: { default: { concurrency: 1000 } }
budget: { holdWaitMs: 20${lowersCaps ? ', minOutputTokens: 8' : ''} }
telemetry: { log: off, events: null }
`
}

function readState(file: string): State | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as State
  } catch {
    return undefined
  }
}

function above(value: bigint, limit: bigint): bigint {
  return value > limit ? value - limit : 0n
}
