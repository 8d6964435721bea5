/** Profiles the gateway under load and prints where its CPU time goes. See README.md. */
import { writeFileSync } from 'node:fs'
import { bare } from './contenders/bare.ts'
import { switchyard } from './contenders/switchyard.ts'
import { chatBodies } from './support/bodies.ts'
import { SCENARIOS } from './support/compare.ts'
import { Unavailable, type Contender } from './support/contender.ts'
import { ownerTimes, selfTimes, type SelfTime } from './support/cpu-profile.ts'
import { withField, type Field } from './support/field.ts'
import { connectInspector, inspectorAddress } from './support/inspector.ts'
import { fire, type Hit } from './support/load.ts'
import { readFlags } from './support/options.ts'
import { Progress } from './support/progress.ts'
import { resultPath, writeReport } from './support/report.ts'
import { short, table } from './support/table.ts'

const flags = readFlags({
  help: `node benchmarks/profile.ts [--scenarios json-1k,stream] [--seconds 6] [--top 10] [--only switchyard] [--quick]

Scenarios: ${SCENARIOS.map((one) => one.name).join(', ')}. --only also takes bare-http and bare-fastify.
Writes benchmarks/results/profile.json and one .cpuprofile per scenario (opens in Chrome DevTools).`,
  rounds: 1,
  seconds: 6,
  quick: { rounds: 1, seconds: 0.5 },
  more: { top: { type: 'string', default: '10' } },
})
const top = Math.max(1, Number(flags.more['top']) || 10)
const nodeArgs = ['--inspect=127.0.0.1:0']
const choices: Readonly<Record<string, Contender>> = {
  switchyard: switchyard({ nodeArgs }),
  'bare-http': bare('bare-http', false, nodeArgs),
  'bare-fastify': bare('bare-fastify', false, nodeArgs),
}
const contender = choices[flags.only[0] ?? 'switchyard']
if (contender === undefined) throw new Error(`--only takes one of ${Object.keys(choices).join(', ')}`)
const wanted = flags.scenarios.length === 0 ? ['json-1k', 'stream'] : flags.scenarios
const scenarios = SCENARIOS.filter((one) => wanted.includes(one.name))
const progress = new Progress(scenarios.length * 2)

await withField([contender], progress, measure, false)

/** Not pinned: the sampler is a thread of the profiled process and would wait for the very work it should catch. */
async function measure({ mock, running: [running], absent }: Field): Promise<void> {
  if (running === undefined) throw new Unavailable(absent[0]?.reason ?? 'nothing to profile')
  const address = await inspectorAddress(running.service.logFile)
  const inspector = await connectInspector(address)
  const report: Record<string, unknown> = {}
  let serial = 900_000_000
  for (const scenario of scenarios) {
    const { bytes, connections, stream } = scenario
    if (stream !== undefined) await mock.pace(stream.chunks, stream.intervalMs)
    const shoot = (amount: number): Promise<Hit> => {
      const body = chatBodies({ bytes, stream: stream !== undefined, from: serial })
      serial += amount
      const { url, headers, service } = running
      return fire(service.pid, { url, headers, body, connections, amount, ceilingMs: 120_000 })
    }
    progress.step(`${scenario.title}: warming`)
    const probe = await shoot(connections)
    if (probe.failed > 0) throw new Error(`${probe.failed} of ${connections} first requests failed`)
    const perShot = (perSecond: number): number => Math.max(connections, Math.round(perSecond * flags.seconds))
    const warm = await shoot(perShot(probe.perSecond))
    progress.step(`${scenario.title}: profiling`)
    const stop = await inspector.profile(200)
    const hit = await shoot(perShot(warm.perSecond))
    const profile = await stop()
    const path = resultPath(`${running.name}-${scenario.name}.cpuprofile`)
    writeFileSync(path, JSON.stringify(profile))
    const units = hit.completed * (stream?.chunks ?? 1)
    const functions = selfTimes(profile)
    const owners = ownerTimes(profile)
    const cost = (hit.cpuUsPerRequest * hit.completed) / units
    progress.end()
    console.log(
      `\n${running.name}, ${scenario.title}: ${short(cost)} CPU us per ${stream === undefined ? 'request' : 'chunk'}`,
    )
    console.log(`(by /proc, while being profiled; ${hit.completed} requests, ${hit.failed} failed)\n`)
    console.log(`${show('function', functions, units)}\n\n${show('owner', owners, units)}\n\n${path}`)
    report[scenario.name] = { cpuUs: cost, requests: hit.completed, functions: functions.slice(0, 50), owners }
  }
  inspector.close()
  console.log(writeReport(flags.quick ? 'profile-quick' : 'profile', { contender: running.name, ...report }))
}

function show(title: string, times: readonly SelfTime[], units: number): string {
  const sum = times.reduce((total, one) => total + one.us, 0)
  const rows = times
    .slice(0, top)
    .map((one) => [`${one.name}  ${one.where}`, short(one.us / units), `${((100 * one.us) / sum).toFixed(1)}%`])
  return table([title, 'self us', 'share'], rows)
}
