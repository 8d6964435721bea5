import { nearest } from '../config/problems.ts'
import { UsageError, type Command, type Io } from './command.ts'
import { backup } from './ledger-backup.ts'
import { reconcile } from './ledger-reconcile.ts'
import { verify } from './ledger-verify.ts'
import { operatorExit } from './operation-client.ts'

const ACTIONS: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<number>>> = {
  reconcile,
  backup,
  verify,
}

export const ledger: Command = {
  name: 'ledger',
  summary: 'settle what nobody knows the cost of, back the ledger up, check it',
  usage: `switchyard ledger reconcile
switchyard ledger reconcile --settle ID --usd USD --evidence TEXT
switchyard ledger reconcile --void ID --evidence TEXT
switchyard ledger reconcile --from FILE [--yes]
switchyard ledger backup FILE [--force]
switchyard ledger verify [FILE]

reconcile: attempts that were sent and whose cost nobody learned (a killed service, a time-out) count with the most that they may have
cost. Without flags they are listed, and under them what was settled with evidence. A running service takes settlements over at once.
  --settle ID --usd USD        what the provider billed for it
  --void ID                    the provider says that it billed nothing: settled at 0
  --evidence TEXT              where that is known from; kept with the attempt, with who settled it and when
  --from FILE                  many: CSV with a heading, or JSON lines, with id, usd, evidence and if known input_tokens, output_tokens;
                               shows what would be done, unless --yes is given
  --url URL                    a service elsewhere, with its admin key in SWITCHYARD_ADMIN_KEY or
  --admin-key-file FILE        in a file

backup: copies the ledger into one file while the service runs or not, and checks the copy before it gets its name.
  --force                      overwrite FILE

verify: checks the ledger, or a backup: the file, its checksums, and that attempts, daily totals and books add up.

all:
  --json                       print JSON
  --config FILE                configuration file, to find the data directory (as for "serve")
  --data-dir DIR               the service's data directory

Exit codes: 0, 1 the ledger does not add up, 2 usage or a refused settlement, 69 the service cannot be reached.`,
  run(args, io) {
    const [action = '', ...rest] = args
    const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
    if (run === undefined) throw new UsageError(unknownAction(action))
    return operatorExit(io, () => run(rest, io))
  },
}

function unknownAction(action: string): string {
  const names = Object.keys(ACTIONS)
  if (action === '')
    return `Say what to do with the ledger: ${names.join(', ')}. "switchyard ledger --help" explains them.`
  const near = nearest(action, names)
  return `There is no "ledger ${action}". ${near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${near}"?`}`
}
