import { loadStateLocation } from '../config/load.ts'
import type { ForgetResult } from '../control/ledger-operations.ts'
import { EXIT, UsageError, type Command, type Io } from './command.ts'
import { parseFlags } from './config-flags.ts'
import { callLedgerOperation } from './ledger-client.ts'
import { CLIENT_OPTIONS, clientFlagsOf, operatorExit } from './operation-client.ts'

const OPTIONS = {
  ...CLIENT_OPTIONS,
  tenant: { type: 'string' },
  user: { type: 'string' },
  yes: { type: 'boolean' },
} as const

export const forget: Command = {
  name: 'forget',
  summary: 'delete everything of a tenant or a user; sums of money stay, without names',
  usage: `switchyard forget --tenant NAME [--user NAME] [--yes]

Deletes what is kept of a tenant, or of one user in it: made keys, tasks, attempts, stored responses, feedback and lines of the event log. What they have cost stays in
the totals of each day, under the name "(forgotten)". Keys end first; requests under way and attempts of unknown cost must be over before.
Lines of the request log, and backups, are yours to delete.

  --tenant NAME                whose data (required)
  --user NAME                  only what the made keys of this user have done; tasks that others have worked on stay
  --yes                        do not ask (needed where no terminal is)
  --json                       print JSON
  --config FILE                configuration file, to find the data directory (as for "serve")
  --data-dir DIR               the service's data directory
  --url URL                    a service elsewhere, with its admin key in SWITCHYARD_ADMIN_KEY or
  --admin-key-file FILE        in a file`,
  run: (args, io) => operatorExit(io, () => run(args, io)),
}

async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseFlags(args, OPTIONS)
  const { tenant, user } = values as { readonly tenant?: string; readonly user?: string }
  if (tenant === undefined) throw new UsageError('--tenant is missing: say whose data is to be deleted.')
  const whose = user === undefined ? `tenant "${tenant}"` : `user "${user}" of tenant "${tenant}"`
  if (values['yes'] !== true) await confirm(whose, user ?? tenant, io)
  const { result } = await callLedgerOperation('ledger.forget', { tenant, user }, clientFlagsOf(values), io)
  const gone = result as ForgetResult
  if (values['json'] === true) io.stdout.write(`${JSON.stringify(gone)}\n`)
  else {
    io.stdout.write(
      `${whose} is forgotten: ${gone.keys} keys, ${gone.tasks} tasks, ${gone.attempts} attempts, ${gone.events} lines of the event log deleted; ${gone.responses} stored responses deleted; ${gone.totals} daily totals have no name now\n`,
    )
  }
  if (gone.keysInFile.length > 0)
    io.stderr.write(
      `The configuration file still has keys of this tenant (${gone.keysInFile.join(', ')}): take them out, or it is back with the next request.\n`,
    )
  if (hasSharedBooks(values, io))
    io.stderr.write(
      'Stored responses and lines of the event logs of other gateways, and keys made at them, are theirs: say it there as well, or leave them to retention.responsesDays and eventsDays.\n',
    )
  return EXIT.ok
}

/** A service elsewhere keeps its own counsel. */
function hasSharedBooks(values: Readonly<Record<string, unknown>>, io: Io): boolean {
  return values['url'] === undefined && loadStateLocation(clientFlagsOf(values), io).storeUrl() !== undefined
}

async function confirm(whose: string, name: string, io: Io): Promise<void> {
  if (io.ask === undefined) throw new UsageError('There is no terminal to ask for confirmation. Say it with --yes.')
  const answer = await io.ask(`Everything of ${whose} is deleted for good. Type "${name}" to go on: `)
  if (answer.trim() !== name) throw new UsageError('Nothing was deleted.')
}
