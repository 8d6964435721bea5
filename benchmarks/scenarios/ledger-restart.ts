import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NANO_PER_USD } from '../../src/shared/money.ts'
import { callMaker, moneySteps, scratch } from '../support/ledger-field.ts'
import { launch } from '../support/launch.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const CHUNK = 1000

export interface LedgerRestartResult {
  readonly tasks: number
  readonly readyMs: readonly number[]
  /** What the started service counts as spent though nobody knows its cost: all that was held. */
  readonly unresolvedUsd: number
}

/** Makes `tasks` tasks with an attempt under way in each, leaves them as a killed process would, and starts the service on them. */
export async function ledgerRestart(options: {
  readonly tasks: number
  readonly starts: number
  readonly note: (text: string) => void
}): Promise<LedgerRestartResult> {
  const { tasks, starts, note } = options
  const dir = scratch()
  const steps = await moneySteps(dir, 'process')
  const { admitter, ledger, target } = steps
  const makeCall = callMaker((serial) => `task-${serial}`)
  let held = 0
  for (let made = 0; made < tasks; made += CHUNK) {
    const chunk = Array.from({ length: Math.min(CHUNK, tasks - made) }, async () => {
      const call = makeCall()
      const admission = await admitter.admit(call)
      const hold = await ledger.reserve(call, admission, { callId: call.id, number: 1, target, isLast: true })
      held += hold.amount
    })
    await Promise.all(chunk)
  }
  await steps.close()
  note(`${tasks} tasks with an attempt under way are written`)
  const readyMs: number[] = []
  const unresolvedUsd = held / NANO_PER_USD
  for (let start = 0; start < starts; start++) {
    const service = await launch({
      name: 'switchyard',
      command: process.execPath,
      args: [
        '--max-semi-space-size=16',
        main,
        'serve',
        '--config',
        join(dir, 'switchyard.yaml'),
        '--port',
        '0',
        '--data-dir',
        join(dir, 'data'),
        '--no-detect',
      ],
      cwd: dir,
      ready: /switchyard listening on (http:\S+)/,
      timeoutMs: 60_000,
      logFile: join(dir, `output-${start}.log`),
    })
    readyMs.push(service.readyMs)
    const page = await (await fetch(`${service.url}/metrics`)).text()
    const usd = Number(/^switchyard_budget_unresolved_usd (\S+)$/m.exec(page)?.[1])
    if (Math.abs(usd - unresolvedUsd) > 1e-6) throw new Error(`${usd} of ${unresolvedUsd} USD are unresolved`)
    await service.stop()
  }
  return { tasks, readyMs, unresolvedUsd }
}
