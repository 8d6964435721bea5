import type { ParseArgsOptionsConfig } from 'node:util'
import { nearest } from '../config/problems.ts'
import { OperationRefused, ServiceUnreachable } from '../control/call-operation.ts'
import type { CreatedKey } from '../control/key-operations.ts'
import type { ShownKey } from '../control/show-key.ts'
import { visiblePrefix, API_KEY_PREFIX } from '../shared/api-key.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { KeyStoreError } from '../store/key-store.ts'
import { EXIT, UsageError, type Command, type Io } from './command.ts'
import { parseFlags } from './config-flags.ts'
import { callKeyOperation } from './key-client.ts'
import { keyTable } from './key-table.ts'
import { CLIENT_OPTIONS, clientFlagsOf, type Answer } from './operation-client.ts'

const CREATE = {
  ...CLIENT_OPTIONS,
  name: { type: 'string' },
  tenant: { type: 'string' },
  user: { type: 'string' },
  'max-usd-per-day': { type: 'string' },
  'max-usd-per-month': { type: 'string' },
  'requests-per-minute': { type: 'string' },
  'tokens-per-minute': { type: 'string' },
  concurrency: { type: 'string' },
  models: { type: 'string', multiple: true },
  'expires-at': { type: 'string' },
  'can-top-up': { type: 'boolean' },
  store: { type: 'boolean' },
  metrics: { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig

const ROTATE = { ...CLIENT_OPTIONS, grace: { type: 'string' } } as const satisfies ParseArgsOptionsConfig

type Values = Readonly<Record<string, unknown>>

const ACTIONS: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<void>>> = {
  create,
  list,
  revoke,
  rotate,
}

export const keys: Command = {
  name: 'keys',
  summary: 'make, list, revoke and rotate the keys of callers',
  usage: `switchyard keys create --name NAME [limits]
switchyard keys list
switchyard keys revoke NAME|PREFIX
switchyard keys rotate NAME [--grace SECONDS]

Keys of callers, beside those of the configuration file. A running service takes each change over at once; where none runs the change is
written to the data directory. A key is shown once, alone on stdout, and kept as SHA-256 only. With the first key a service that needed none
needs one, and stays so when all have ended. Revoking refuses new requests within a second; running answers end by themselves.

create:
  --name NAME                  shown in logs and lists; stands for the key in its books (required)
  --tenant NAME                whose requests these are (default "default")
  --user NAME                  whose key it is
  --max-usd-per-day USD        --max-usd-per-month USD
  --requests-per-minute N      --tokens-per-minute N      --concurrency N
  --models A,B                 routes, models and aliases that it may use (default all)
  --expires-at TIME            a day (its beginning in UTC) or a time with its zone: 2027-01-31, 2027-01-31T12:00:00Z
  --can-top-up                 may raise the budget of a task
  --store                      its answers of /v1/responses are stored, unless a request says otherwise
  --metrics                    may read /metrics
revoke:
  PREFIX                       what a key starts with, as lists show it: ends that one secret; NAME ends all of the key
rotate:
  --grace SECONDS              how long the old secret stays valid (default 0, at most 2592000)
all:
  --json                       print JSON
  --config FILE                configuration file, to find the data directory (as for "serve")
  --data-dir DIR               the service's data directory
  --url URL                    a service elsewhere, with its admin key in SWITCHYARD_ADMIN_KEY or
  --admin-key-file FILE        in a file`,
  async run(args, io) {
    const [action = '', ...rest] = args
    const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
    if (run === undefined) throw new UsageError(unknownAction(action))
    try {
      await run(rest, io)
      return EXIT.ok
    } catch (error) {
      if (error instanceof ServiceUnreachable) {
        io.stderr.write(`${error.message}\n`)
        return EXIT.unavailable
      }
      const isOurs = error instanceof SwitchyardError && error.code !== 'internal_error'
      if (isOurs || error instanceof OperationRefused || error instanceof KeyStoreError)
        throw new UsageError(asFlag(error.message))
      throw error
    }
  },
}

async function create(args: readonly string[], io: Io): Promise<void> {
  const { values } = parseFlags(args, CREATE)
  if (values['name'] === undefined) throw new UsageError('--name is missing. Each key has one, as in --name ci.')
  const answer = await callKeyOperation(
    'keys.create',
    {
      name: values['name'],
      tenant: values['tenant'],
      user: values['user'],
      max_usd_per_day: number(values, 'max-usd-per-day'),
      max_usd_per_month: number(values, 'max-usd-per-month'),
      requests_per_minute: number(values, 'requests-per-minute'),
      tokens_per_minute: number(values, 'tokens-per-minute'),
      concurrency: number(values, 'concurrency'),
      models: (values['models'] as readonly string[] | undefined)?.flatMap((list) => list.split(',')),
      expires_at: values['expires-at'],
      can_top_up: values['can-top-up'],
      store: values['store'],
      metrics: values['metrics'],
    },
    clientFlagsOf(values),
    io,
  )
  const key = answer.result as CreatedKey
  showSecret(key, `key "${key.name}" of tenant "${key.tenant}"`, answer, values, io)
  if (key.requires_key_from_now_on)
    io.stderr.write(
      'This is the first key: from now on callers need one, and requests without are answered with 401.\n',
    )
}

async function rotate(args: readonly string[], io: Io): Promise<void> {
  const { values, positionals } = parseFlags(args, ROTATE, true)
  const input = { key: only(positionals, 'the NAME of the key to rotate'), grace_seconds: number(values, 'grace') }
  const answer = await callKeyOperation('keys.rotate', input, clientFlagsOf(values), io)
  const key = answer.result as CreatedKey
  const grace = input.grace_seconds ?? 0
  const old = grace === 0 ? 'the old secret is refused' : `the old secret is valid for another ${grace} s`
  showSecret(key, `new secret of the key "${key.name}"; ${old}`, answer, values, io)
}

/** The secret alone goes to stdout, so that `KEY=$(switchyard keys create …)` works; what is said about it to stderr. */
function showSecret(key: CreatedKey, what: string, answer: Answer, values: Values, io: Io): void {
  io.stdout.write(values['json'] === true ? `${JSON.stringify(key)}\n` : `${key.key}\n`)
  io.stderr.write(`${what}: shown this once, and kept nowhere. ${whenInForce(answer)}\n`)
}

async function list(args: readonly string[], io: Io): Promise<void> {
  const { values } = parseFlags(args, CLIENT_OPTIONS)
  const { result } = await callKeyOperation('keys.list', {}, clientFlagsOf(values), io)
  const { keys } = result as { readonly keys: readonly ShownKey[] }
  if (values['json'] === true) io.stdout.write(`${JSON.stringify(keys)}\n`)
  else for (const line of keyTable(keys)) io.stdout.write(`${line}\n`)
}

async function revoke(args: readonly string[], io: Io): Promise<void> {
  const { values, positionals } = parseFlags(args, CLIENT_OPTIONS, true)
  const given = only(positionals, 'the NAME or PREFIX of the key to revoke')
  // Of a whole key the beginning is enough; the rest need not travel, or stand in anybody's log.
  const key = given.startsWith(API_KEY_PREFIX) ? API_KEY_PREFIX + visiblePrefix(given) : given
  const answer = await callKeyOperation('keys.revoke', { key }, clientFlagsOf(values), io)
  const { keys } = answer.result as { readonly keys: readonly ShownKey[] }
  if (values['json'] === true) io.stdout.write(`${JSON.stringify(keys)}\n`)
  else for (const each of keys) io.stdout.write(`${each.prefix} of "${each.name}" revoked at ${each.revoked_at}\n`)
  io.stderr.write(`${whenInForce(answer)}\n`)
}

function whenInForce({ by, where }: Answer): string {
  return by === 'service'
    ? 'The running service knows it.'
    : `No service runs on ${where}; it counts from the next start on.`
}

/** A flag's number; anything else is left for the check of the input, which has the sentence. */
function number(values: Values, flag: string): number | undefined {
  const text = values[flag] as string | undefined
  if (text === undefined) return undefined
  if (!/^\d+(?:\.\d+)?$/.test(text)) throw new UsageError(`--${flag} must be a number, not "${text}".`)
  return Number(text)
}

function only(positionals: readonly string[], what: string): string {
  const [first, ...more] = positionals
  if (first === undefined) throw new UsageError(`Name ${what}. "switchyard keys list" shows them.`)
  if (more.length > 0) throw new UsageError(`Name only one: ${what}.`)
  return first
}

/** The operation names its inputs; here they are flags. */
function asFlag(sentence: string): string {
  return sentence.replace(/^([a-z]+(?:_[a-z]+)*)(?:\.\d+)?: /, (_all, input: string) =>
    input === 'grace_seconds' ? '--grace: ' : `--${input.replaceAll('_', '-')}: `,
  )
}

function unknownAction(action: string): string {
  const names = Object.keys(ACTIONS)
  if (action === '') return `Say what to do with keys: ${names.join(', ')}. "switchyard keys --help" explains them.`
  const near = nearest(action, names)
  return `There is no "keys ${action}". ${near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${near}"?`}`
}
