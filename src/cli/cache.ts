import {
  CACHE_ROUTES,
  type CacheOperationName,
  type CacheRemoval,
  type CacheStatus,
} from '../control/cache-operations.ts'
import { nearest } from '../config/problems.ts'
import { EXIT, UsageError, type Command, type Io } from './command.ts'
import { parseFlags } from './config-flags.ts'
import { callOperation, CLIENT_OPTIONS, clientFlagsOf, operatorExit } from './operation-client.ts'

const OPTIONS = {
  ...CLIENT_OPTIONS,
  id: { type: 'string' },
  tag: { type: 'string' },
  model: { type: 'string' },
  route: { type: 'string' },
  tenant: { type: 'string' },
  all: { type: 'boolean' },
  'never-again': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
} as const
const ACTIONS = ['status', 'remove'] as const

export const cache: Command = {
  name: 'cache',
  summary: 'how many answers are kept in memory; remove some of them',
  usage: `switchyard cache status
switchyard cache remove [--id ID] [--tag TAG] [--model NAME] [--route NAME] [--tenant NAME] [--all] [--never-again] [--dry-run]

status: how many answers the running service keeps, and how much memory they take.

remove: removes the answers that all given flags fit.
  --id ID                      the one of this id (header x-cache-entry)
  --tag TAG                    kept with this tag (request header x-cache-tags)
  --model NAME                 that this model gave, or that were asked of this name
  --route NAME                 asked of this route
  --tenant NAME                of this tenant
  --all                        every one
  --never-again                these requests are not answered from memory any more, until the service is started again
  --dry-run                    only count them

all:
  --json                       print JSON
  --config FILE                configuration file, to find the data directory (as for "serve")
  --data-dir DIR               the service's data directory
  --url URL                    a service elsewhere, with its admin key in SWITCHYARD_ADMIN_KEY or
  --admin-key-file FILE        in a file`,
  run: (args, io) => operatorExit(io, () => run(args, io)),
}

async function run([action = '', ...rest]: readonly string[], io: Io): Promise<number> {
  const { values } = parseFlags(rest, OPTIONS)
  switch (action) {
    case 'status': {
      const { entries, bytes } = (await call('cache.status', {}, values, io)) as CacheStatus
      const text = `${entries} answers in ${(bytes / 1024 / 1024).toFixed(1)} MiB`
      return say(values['json'] === true ? JSON.stringify({ entries, bytes }) : text, io)
    }
    case 'remove': {
      const { id, tag, model, route, tenant, all } = values
      const input = {
        id,
        tag,
        model,
        route,
        tenant,
        all,
        never_again: values['never-again'],
        dry_run: values['dry-run'],
      }
      if ([id, tag, model, route, tenant, all].every((each) => each === undefined))
        throw new UsageError('Say which answers: --id, --tag, --model, --route, --tenant, or --all.')
      const { entries, dry_run } = (await call('cache.remove', input, values, io)) as CacheRemoval
      const text = dry_run ? `${entries} answers would be removed.` : `${entries} answers removed.`
      return say(values['json'] === true ? JSON.stringify({ entries, dry_run }) : text, io)
    }
    default:
      throw new UsageError(unknownAction(action))
  }
}

async function call(
  name: CacheOperationName,
  input: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, unknown>>,
  io: Io,
): Promise<unknown> {
  const alone = (): Promise<never> =>
    Promise.reject(new UsageError('No service runs on this data directory, and answers are kept in its memory alone.'))
  const answer = await callOperation({ name, route: CACHE_ROUTES[name], input, alone }, clientFlagsOf(values), io)
  return answer.result
}

function say(text: string, io: Io): number {
  io.stdout.write(`${text}\n`)
  return EXIT.ok
}

function unknownAction(action: string): string {
  if (action === '') return `Say what to do: ${ACTIONS.join(' or ')}. "switchyard cache --help" explains them.`
  const near = nearest(action, ACTIONS)
  return `There is no "cache ${action}". ${near === undefined ? `There are: ${ACTIONS.join(', ')}.` : `Did you mean "${near}"?`}`
}
