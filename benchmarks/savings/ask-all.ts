/** Asks every question in every way through the real service, with simulated models that answer what was recorded, and reads the bills. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import { launch } from '../support/launch.ts'
import { PRICES } from './prices.ts'
import type { Question, SavingsSet } from './questions.ts'
import { configuration, KEY, modelName, WAYS, type Way } from './routes.ts'

/** What one question came to when it was asked in one way. */
export interface Asked {
  /** Recorded outcome of the model whose answer the caller got, 0..1. */
  readonly quality: number
  /** All calls of it, nano-dollars, by the ledger. */
  readonly nanoUsd: number
  readonly isBig: boolean
  readonly isEscalated: boolean
}

export interface Bills {
  /** Nano-dollars over all that was asked: of the simulated models' own meters, and of the ledger. */
  readonly metered: bigint
  readonly booked: bigint
}

export type Answers = ReadonlyMap<Question, ReadonlyMap<Way, Asked>>

const AT_A_TIME = 16
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/**
 * One process per fold, with weights (a folder each; one folder = one process for all) that have seen none of its questions. Throws Error where an answer is not 200, comes from another
 * model than the log says, or the books of a process differ from the meters by a nano-dollar.
 */
export async function askAll(
  sets: readonly SavingsSet[],
  weights: readonly string[],
  progress: (done: number, of: number) => void,
): Promise<{ readonly answers: Answers; readonly bills: Bills }> {
  const answers = new Map<Question, Map<Way, Asked>>()
  const total = sets.reduce((sum, { questions }) => sum + questions.length, 0) * WAYS.length
  let done = 0
  let [metered, booked] = [0n, 0n]
  for (const [fold, own] of weights.entries()) {
    const ours = sets.map((set) => ({
      ...set,
      questions: set.questions.filter((each) => each.fold % weights.length === fold),
    }))
    const simulators = new Map(ours.map((set) => [set.name, simulatorFor(set)]))
    try {
      const asked = await askFold(ours, simulators, own, () => progress(++done, total))
      for (const [question, ways] of asked.answers) answers.set(question, ways)
      const meter = [...simulators.values()].reduce((sum, { meter: each }) => sum + each.total(), 0n)
      if (meter !== asked.booked)
        throw new Error(`The meters say ${meter} nano-dollars, the ledger ${asked.booked} (fold ${fold}).`)
      metered += meter
      booked += asked.booked
    } finally {
      for (const simulator of simulators.values()) await simulator.close()
    }
  }
  return { answers, bills: { metered, booked } }
}

function simulatorFor({ models: { small, big, opinions }, questions }: SavingsSet): Simulator {
  const byPrompt = new Map(questions.map((question) => [question.prompt, question]))
  const models = [small, big, ...opinions]
  return createSimulator({
    flavour: 'vllm',
    models,
    profiles: Object.fromEntries(models.map((model) => [model, 'instant'])),
    speed: 1,
    isMarked: false,
    prices: Object.fromEntries(models.map((model) => [model, PRICES[model] ?? { inputPerM: 0, outputPerM: 0 }])),
    outcome: (prompt, model) => {
      const answer = byPrompt.get(prompt)?.answers.get(model)
      return answer && { isRight: answer.quality >= 0.5, gold: undefined, text: answer.text }
    },
  })
}

async function askFold(
  sets: readonly SavingsSet[],
  simulators: ReadonlyMap<string, Simulator>,
  weights: string,
  step: () => void,
): Promise<{ readonly answers: Map<Question, Map<Way, Asked>>; readonly booked: bigint }> {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-savings-'))
  const urls = new Map<string, string>()
  for (const [name, simulator] of simulators) urls.set(name, (await simulator.listen(0)).url)
  const file = join(dir, 'switchyard.yaml')
  const log = join(dir, 'requests.log')
  writeFileSync(file, configuration(sets, urls, weights))
  const service = await launch({
    name: 'switchyard',
    command: process.execPath,
    args: [
      MAIN,
      'serve',
      '--config',
      file,
      '--port',
      '0',
      '--data-dir',
      join(dir, 'data'),
      '--log',
      log,
      '--no-detect',
    ],
    cwd: dir,
    ready: /switchyard listening on (http:\S+)/,
    timeoutMs: 60_000,
    logFile: join(dir, 'output.log'),
  })
  try {
    const jobs = sets.flatMap((set) => WAYS.flatMap((way) => set.questions.map((question) => ({ set, way, question }))))
    const sent = new Map<string, (typeof jobs)[number]>()
    let next = 0
    const caller = async (): Promise<void> => {
      for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
        sent.set(await ask(service.url, job.question, job.way), job)
        step()
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, caller))
    const booked = await spentOf(service.url, sets)
    // The log is whole when the process has ended.
    await service.stop(20_000)
    const answers = new Map<Question, Map<Way, Asked>>()
    for (const line of readLines(log)) {
      const job = sent.get(line.id)
      if (job === undefined) continue
      sent.delete(line.id)
      const ways = answers.get(job.question) ?? new Map<Way, Asked>()
      answers.set(job.question, ways.set(job.way, askedOf(job.set, job.question, line)))
    }
    if (sent.size > 0) throw new Error(`The log lacks ${sent.size} requests.`)
    return { answers, booked }
  } finally {
    await service.stop(0)
    rmSync(dir, { recursive: true, force: true })
  }
}

/** The id of the request. Questions of one set and way are one task, so that the ledger says what it came to. */
async function ask(url: string, { set, prompt, tools }: Question, way: Way): Promise<string> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'x-task-id': modelName(set, way) },
    body: JSON.stringify({ model: modelName(set, way), messages: [{ role: 'user', content: prompt }], tools }),
  })
  const body = await answer.text()
  if (answer.status !== 200) throw new Error(`HTTP ${answer.status} for ${modelName(set, way)}: ${body.slice(0, 500)}`)
  return answer.headers.get('x-request-id') ?? ''
}

async function spentOf(url: string, sets: readonly SavingsSet[]): Promise<bigint> {
  let spent = 0n
  for (const { name, questions } of sets) {
    if (questions.length === 0) continue
    for (const way of WAYS) {
      const page = await fetch(`${url}/v1/tasks/${modelName(name, way)}`, {
        headers: { authorization: `Bearer ${KEY}` },
      })
      const task = (await page.json()) as { readonly spent: { readonly nano_usd: number } }
      spent += BigInt(task.spent.nano_usd)
    }
  }
  return spent
}

interface RequestLine {
  readonly event: string
  readonly id: string
  readonly target: string
  readonly reason: string
  readonly cost_usd: string
}

function readLines(file: string): RequestLine[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RequestLine)
    .filter(({ event }) => event === 'request')
}

function askedOf({ name, models }: SavingsSet, question: Question, { target, reason, cost_usd }: RequestLine): Asked {
  const isBig = target === `${name}.big`
  if (!isBig && target !== `${name}.small`) throw new Error(`${question.id} was answered by ${target}.`)
  const answer = question.answers.get(isBig ? models.big : models.small)
  return {
    quality: answer?.quality ?? 0,
    nanoUsd: Math.round(Number(cost_usd) * 1e9),
    isBig,
    isEscalated: reason === 'escalated',
  }
}
