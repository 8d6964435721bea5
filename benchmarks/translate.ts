/** What translation costs: each API in and out of the gateway, beside OpenAI in and out, in interleaved rounds. See README.md. */
import { switchyard } from './contenders/switchyard.ts'
import { compare, SCENARIOS, stepsOf } from './support/compare.ts'
import { costRows, costTable } from './support/cost-table.ts'
import { withField } from './support/field.ts'
import { pinning } from './support/launch.ts'
import { readFlags } from './support/options.ts'
import { Progress } from './support/progress.ts'
import { writeReport } from './support/report.ts'

const flags = readFlags({
  help: `node benchmarks/translate.ts [--scenarios json-1k,stream] [--rounds 3] [--seconds 4] [--quick]

Scenarios:  ${SCENARIOS.map((one) => one.name).join(', ')} (default: json-1k,stream)
Writes benchmarks/results/translate.json, or translate-quick.json.`,
  rounds: 3,
  seconds: 4,
  quick: { rounds: 1, seconds: 0.4 },
})
const pairs = (['chat', 'messages'] as const).flatMap((from) =>
  (['openai', 'anthropic'] as const).map((to) => switchyard({ speaks: { in: from, out: to } })),
)
const REFERENCE = 'openai to openai'
const wanted = flags.scenarios.length === 0 ? ['json-1k', 'stream'] : flags.scenarios
const scenarios = SCENARIOS.filter((one) => wanted.includes(one.name))
const progress = new Progress(scenarios.length * stepsOf(pairs.length, flags.rounds))

await withField(pairs, progress, async ({ mock, running, absent }) => {
  for (const { name, reason } of absent) throw new Error(`${name}: ${reason}`)
  const results = []
  for (const scenario of scenarios) {
    const { rounds, seconds, warmSeconds } = flags
    const series = await compare(scenario, running, { mock, rounds, seconds, warmSeconds, progress })
    for (const { contender, failure } of series) if (failure !== undefined) throw new Error(`${contender}: ${failure}`)
    const rows = costRows(scenario, series, REFERENCE)
    results.push({ scenario, reference: REFERENCE, rows })
    progress.end()
    console.log(`\n${costTable(scenario, rows, REFERENCE)}`)
  }
  const { rounds, seconds } = flags
  console.log(`\n${writeReport(flags.quick ? 'translate-quick' : 'translate', { rounds, seconds, pinning, results })}`)
})
