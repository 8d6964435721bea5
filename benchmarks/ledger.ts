/** What the ledger costs: CPU per request beside none, reservations per second with fsync, and a start with many open tasks. See README.md. */
import { ledgerCost } from './scenarios/ledger-cost.ts'
import { ledgerPower } from './scenarios/ledger-power.ts'
import { ledgerRestart } from './scenarios/ledger-restart.ts'
import { readFlags } from './support/options.ts'
import { Progress } from './support/progress.ts'
import { writeReport } from './support/report.ts'
import { short, table } from './support/table.ts'

const ALL = ['cost', 'power', 'restart'] as const
const flags = readFlags({
  help: `node benchmarks/ledger.ts [--scenarios cost,power,restart] [--rounds 5] [--seconds 4] [--quick]

cost:    CPU per request of admit, reserve, settle and release at 200 concurrent requests, SQLite with durability "process",
         beside a ledger that does nothing; rounds are interleaved
power:   reservations per second with durability "power" (fsync before each is answered), 200 waiting at a time
restart: start to ready of the real service on a ledger with 100,000 open tasks, each with an attempt of unknown outcome
Writes benchmarks/results/ledger.json, or ledger-quick.json.`,
  rounds: 5,
  seconds: 4,
  quick: { rounds: 1, seconds: 0.3 },
})
const wanted = flags.scenarios.length === 0 ? ALL : ALL.filter((one) => flags.scenarios.includes(one))
const progress = new Progress(wanted.length)
const report: Record<string, unknown> = {}

for (const name of wanted) {
  progress.step(name)
  switch (name) {
    case 'cost': {
      const rows = await ledgerCost({ rounds: flags.rounds, calls: flags.quick ? 2000 : 40_000, concurrent: 200 })
      report[name] = rows
      progress.end()
      console.log(
        table(
          ['ledger, 200 concurrent', 'CPU us/request', 'min-max', 'added us', 'min-max', 'n'],
          rows.map((row) => [
            row.name,
            short(row.us.median),
            `${short(row.us.min)}-${short(row.us.max)}`,
            short(row.added.median),
            `${short(row.added.min)}-${short(row.added.max)}`,
            `${flags.rounds}x${row.calls}`,
          ]),
        ),
      )
      break
    }
    case 'power': {
      const result = await ledgerPower({ seconds: flags.seconds, concurrent: 200 })
      report[name] = result
      progress.end()
      console.log(
        table(
          ['durability power, 200 waiting', 'per second', 'p50 ms', 'p99 ms', 'n'],
          [
            [
              'reserve and settle',
              short(result.perSecond),
              short(result.p50Ms),
              short(result.p99Ms),
              String(result.reservations),
            ],
          ],
        ),
      )
      break
    }
    case 'restart': {
      const result = await ledgerRestart({
        tasks: flags.quick ? 1000 : 100_000,
        starts: flags.quick ? 1 : 5,
        note: (text) => progress.note(text),
      })
      report[name] = result
      progress.end()
      const ms = result.readyMs.toSorted((a, b) => a - b)
      console.log(
        table(
          ['start to ready', 'median ms', 'min-max', 'unresolved USD', 'starts'],
          [
            [
              `${result.tasks} open tasks`,
              short(ms[Math.floor(ms.length / 2)] ?? Number.NaN),
              `${short(ms[0] ?? Number.NaN)}-${short(ms.at(-1) ?? Number.NaN)}`,
              short(result.unresolvedUsd),
              String(ms.length),
            ],
          ],
        ),
      )
      break
    }
    default:
      name satisfies never
  }
}
console.log(`\n${writeReport(flags.quick ? 'ledger-quick' : 'ledger', report)}`)
