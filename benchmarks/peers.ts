/** Compares gateways on the same mock in interleaved rounds: CPU per request and per stream chunk. See README.md. */
import { ALL, pick } from './contenders/all.ts'
import { compare, SCENARIOS, stepsOf } from './support/compare.ts'
import { costRows, costTable } from './support/cost-table.ts'
import { withField } from './support/field.ts'
import { pinning } from './support/launch.ts'
import { readFlags } from './support/options.ts'
import { Progress } from './support/progress.ts'
import { writeReport } from './support/report.ts'

const flags = readFlags({
  help: `node benchmarks/peers.ts [--only a,b] [--scenarios json-1k,stream] [--rounds 5] [--seconds 4] [--reference vllm-router] [--quick]

Contenders: ${ALL.map((one) => one.name).join(', ')}
Scenarios:  ${SCENARIOS.map((one) => one.name).join(', ')} (default: json-1k,stream)
Peers are installed from npm and PyPI at their first run, into node_modules/.cache/switchyard-bench; one that cannot be
installed is left out with the reason. Writes benchmarks/results/peers.json, or peers-quick.json.`,
  rounds: 5,
  seconds: 4,
  quick: { rounds: 1, seconds: 0.4 },
  more: { reference: { type: 'string', default: 'vllm-router' } },
})
const contenders = flags.only.length === 0 ? ALL : pick(flags.only)
const wanted = flags.scenarios.length === 0 ? ['json-1k', 'stream'] : flags.scenarios
const scenarios = SCENARIOS.filter((one) => wanted.includes(one.name))
const reference = String(flags.more['reference'])
const progress = new Progress(scenarios.length * stepsOf(contenders.length, flags.rounds))

await withField(contenders, progress, async ({ mock, running, absent }) => {
  const results = []
  for (const scenario of scenarios) {
    const { rounds, seconds, warmSeconds } = flags
    const series = await compare(scenario, running, { mock, rounds, seconds, warmSeconds, progress })
    const base = series.some((one) => one.contender === reference && one.hits.length > 0) ? reference : undefined
    const rows = costRows(scenario, series, base)
    const failures = series.flatMap((one) => (one.failure === undefined ? [] : [`${one.contender}: ${one.failure}`]))
    results.push({ scenario, reference: base, rows, failures })
    progress.end()
    console.log(`\n${costTable(scenario, rows, base)}`)
    for (const failure of failures) console.log(`not measured: ${failure}`)
  }
  for (const { name, reason } of absent) console.log(`left out: ${name}: ${reason}`)
  const { rounds, seconds } = flags
  console.log(`\n${writeReport(flags.quick ? 'peers-quick' : 'peers', { rounds, seconds, pinning, results, absent })}`)
})
