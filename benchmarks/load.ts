/** Measures the gateway beside the two bare relays and sets what was asked against what was seen. See README.md. */
import { pick } from './contenders/all.ts'
import { switchyard } from './contenders/switchyard.ts'
import { firstToken, type FirstTokenResult } from './scenarios/first-token.ts'
import { liveHeap, type LiveHeapResult } from './scenarios/live-heap.ts'
import { memory } from './scenarios/memory.ts'
import { openStreams } from './scenarios/open-streams.ts'
import {
  firstTokenRows,
  firstTokenTable,
  memoryTable,
  openStreamsTable,
  startRows,
  startTable,
} from './scenarios/tables.ts'
import { compare, SCENARIOS, stepsOf, type Scenario } from './support/compare.ts'
import type { Contender, Running } from './support/contender.ts'
import { costRows, costTable } from './support/cost-table.ts'
import { withField, type Field } from './support/field.ts'
import { Figures, FIGURE_HEADER, type Figure } from './support/figures.ts'
import { pinning } from './support/launch.ts'
import { readFlags } from './support/options.ts'
import { Progress } from './support/progress.ts'
import { writeReport } from './support/report.ts'
import { table } from './support/table.ts'

const OTHERS = ['open', 'first-token', 'start', 'memory']
const names = [...SCENARIOS.map((one) => one.name), ...OTHERS]
const flags = readFlags({
  help: `node benchmarks/load.ts [--scenarios ${names.join(',')}] [--peers] [--only a,b] [--rounds 5] [--seconds 4] [--quick]

--peers  adds vllm-router, Portkey and LiteLLM to the CPU rows, so that the asked ratios can be judged
--only   contenders; default switchyard and the bare relays
--quick  a smoke run of a few seconds whose figures mean nothing
Writes benchmarks/results/load.json, or load-quick.json.`,
  rounds: 5,
  seconds: 4,
  quick: { rounds: 1, seconds: 0.3 },
  more: { peers: { type: 'boolean' } },
})
const { quick, rounds, seconds, warmSeconds } = flags
const ours = ['switchyard', 'bare-http', ...(quick ? [] : ['bare-http-parse', 'bare-fastify', 'bare-fastify-parse'])]
const peers = flags.more['peers'] === true ? ['vllm-router', 'portkey', 'litellm'] : []
const contenders = pick(flags.only.length > 0 ? flags.only : [...ours, ...peers])
const wanted = new Set(flags.scenarios.length > 0 ? flags.scenarios : names)
for (const name of wanted) if (!names.includes(name)) throw new Error(`no scenario is called ${name}`)
// The long scenarios look at processes one after the other; peers and parsing twins add time there and no insight.
const looked = contenders.filter((one) => ['switchyard', 'bare-http', 'bare-fastify'].includes(one.name))
const cpuScenarios = SCENARIOS.filter((one) => wanted.has(one.name)).map((one) => (quick ? shorter(one) : one))
const starts = quick ? 2 : 10
const memorySteps = quick ? 4 : 10
const steps =
  cpuScenarios.length * stepsOf(contenders.length, rounds) +
  looked.length *
    ((wanted.has('open') ? 1 : 0) +
      (wanted.has('first-token') ? (quick ? 1 : 3) : 0) +
      (wanted.has('start') ? starts : 0) +
      (wanted.has('memory') ? memorySteps : 0)) +
  (wanted.has('memory') ? 2 : 0)
const progress = new Progress(steps)
const figures = new Figures()
const report: Record<string, unknown> = { quick, rounds, seconds, pinning }

await withField(contenders, progress, async (field) => {
  for (const scenario of cpuScenarios) {
    const { mock, running } = field
    const series = await compare(scenario, running, { mock, rounds, seconds, warmSeconds, progress })
    const reference = ['vllm-router', 'bare-fastify'].find((name) =>
      series.some((one) => one.contender === name && one.hits.length > 0),
    )
    const rows = costRows(scenario, series, reference)
    print(costTable(scenario, rows, reference))
    for (const one of series)
      if (one.failure !== undefined) console.log(`not measured: ${one.contender}: ${one.failure}`)
    report[scenario.name] = { scenario, reference, rows }
    figures.cost(scenario, series)
  }
  const others = { open: runOpenStreams, 'first-token': runFirstToken, start: runStart, memory: runMemory }
  for (const [name, run] of Object.entries(others)) {
    if (!wanted.has(name)) continue
    try {
      await run(field)
    } catch (error) {
      // What was measured before must still be written.
      progress.note(`${name} failed: ${error instanceof Error ? error.message : String(error)}`)
      process.exitCode = 1
    }
  }
  for (const { name, reason } of field.absent) console.log(`left out: ${name}: ${reason}`)
  report['absent'] = field.absent
  if (field.absent.some((one) => one.name === 'switchyard')) process.exitCode = 1
})
report['figures'] = figures.all
print(
  table(
    FIGURE_HEADER,
    figures.all.map((one: Figure) => [one.what, one.asked, one.seen, one.met]),
  ),
)
if (quick) console.log('quick run: too short for these figures to mean anything')
console.log(writeReport(quick ? 'load-quick' : 'load', report))

/** A stream of a hundred chunks lasts 0.8 s whatever the gateway; a smoke run has no time for that. */
function shorter(scenario: Scenario): Scenario {
  return scenario.stream === undefined ? scenario : { ...scenario, stream: { chunks: 20, intervalMs: 8 } }
}

function print(text: string): void {
  progress.end()
  console.log(`\n${text}`)
}

/** Every process is started afresh: what an earlier scenario left in memory must not count. */
async function each<T>(field: Field, work: (fresh: Running) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (const contender of present(field)) {
    const fresh = await field.start(contender)
    try {
      results.push(await work(fresh))
    } finally {
      await fresh.service.stop()
    }
  }
  return results
}
function present(field: Field): Contender[] {
  return looked.filter((one) => field.running.some((running) => running.name === one.name))
}

async function runOpenStreams(field: Field): Promise<void> {
  const count = quick ? 100 : 2000
  const shape = quick
    ? { count, perSecond: 400, chunks: 5, intervalMs: 300, idleMs: 300 }
    : { count, perSecond: 400, chunks: 12, intervalMs: 2000, idleMs: 3000 } // 22 to 24 s each, 5 s to open all: 17 s side by side
  const results = await each(field, (running) => {
    progress.step(`${count} open streams: ${running.name}`)
    return openStreams(running, { mock: field.mock, ...shape })
  })
  print(openStreamsTable(results, count))
  report['open'] = { shape, results }
  figures.open(results, count)
}

async function runFirstToken(field: Field): Promise<void> {
  const turns = quick ? 1 : 3
  const shape = { perSecond: 100, requests: quick ? 100 : 1000, warm: quick ? 20 : 1000 }
  const results: FirstTokenResult[] = []
  const fresh: Running[] = []
  for (const contender of present(field)) fresh.push(await field.start(contender))
  for (let turn = 0; turn < turns; turn++)
    for (const running of fresh) {
      progress.step(`time to first token: ${running.name}, round ${turn + 1} of ${turns}`)
      results.push(await firstToken(running, { mock: field.mock, ...shape }))
    }
  for (const running of fresh) await running.service.stop()
  const rows = firstTokenRows(results)
  print(firstTokenTable(rows))
  report['first-token'] = { shape, turns, rows, results }
  figures.firstToken(rows)
}

async function runStart(field: Field): Promise<void> {
  const times = new Map<string, number[]>(present(field).map((one) => [one.name, []]))
  for (let turn = 0; turn < starts; turn++)
    for (const contender of present(field)) {
      progress.step(`start to ready: ${contender.name}, ${turn + 1} of ${starts}`)
      const { service } = await field.start(contender)
      times.get(contender.name)?.push(service.readyMs)
      await service.stop()
    }
  const rows = startRows(times)
  print(startTable(rows))
  report['start'] = rows
  figures.start(rows)
}

async function runMemory(field: Field): Promise<void> {
  const perStep = quick ? 200 : 10_000
  const results = await each(field, (running) =>
    memory(running, {
      perStep,
      steps: memorySteps,
      onStep: (step) => progress.step(`memory: ${running.name}, ${(step + 1) * perStep} requests`),
    }),
  )
  print(memoryTable(results, perStep))
  const kept = await runLiveHeap(field, quick ? 400 : 100_000)
  report['memory'] = { results, kept }
  figures.memory(results, kept)
}

async function runLiveHeap(field: Field, requests: number): Promise<LiveHeapResult | undefined> {
  if (!field.running.some((one) => one.name === 'switchyard')) return undefined
  const fresh = await field.start(switchyard({ nodeArgs: ['--inspect=127.0.0.1:0'] }))
  try {
    return await liveHeap(fresh, requests, (half) => progress.step(`live heap: switchyard, half ${half + 1} of 2`))
  } finally {
    await fresh.service.stop()
  }
}
