import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { exportLedger, type ExportRecord } from '../budget/upkeep/export-ledger.ts'
import type { Subject } from '../budget/upkeep/forget.ts'
import { LEDGER_FILE } from '../budget/ledger/ledger-file.ts'
import { openWholeLedger, type WholeLedger } from '../budget/ledger/whole-ledger.ts'
import { loadStateLocation } from '../config/load.ts'
import { publicPart } from '../config/resolve-keys.ts'
import { showKey, showStaticKey } from '../control/show-key.ts'
import { eventLines } from '../event-lines.ts'
import { exportFeedback } from '../store/export-feedback.ts'
import { exportResponses } from '../store/export-responses.ts'
import { hasMadeKeys, KeyStore } from '../store/key-store.ts'
import { EXIT, UsageError, type Command, type Io } from './command.ts'
import { parseFlags } from './config-flags.ts'
import { operatorExit, type StateLocation } from './operation-client.ts'
import { redisCopy, TEMPORARY } from './redis-copy.ts'
import type { Secret } from '../shared/secret.ts'

const OPTIONS = {
  config: { type: 'string' },
  'data-dir': { type: 'string' },
  tenant: { type: 'string' },
  user: { type: 'string' },
  out: { type: 'string' },
} as const
const BATCH_CHARS = 64 * 1024

export const exportCommand: Command = {
  name: 'export',
  summary: 'write everything that is kept of a tenant or a user, as JSON lines',
  usage: `switchyard export --tenant NAME [--user NAME] [--out FILE]

Writes one JSON object per line: keys (without secrets and their hashes), tasks, attempts with the evidence of their cost, daily totals, stored
responses, decisions and feedback, and lines of the event log of this data directory; "type" says which. Reads the files, or Redis, of a service that runs or not.

  --tenant NAME                whose data (required)
  --user NAME                  only what the made keys of this user have done
  --out FILE                   a new file (mode 0600) instead of the standard output
  --config FILE                configuration file, to find the data directory (as for "serve")
  --data-dir DIR               the service's data directory`,
  run: (args, io) => operatorExit(io, () => run(args, io)),
}

async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseFlags(args, OPTIONS)
  const { tenant, user, out } = values as { readonly tenant?: string; readonly user?: string; readonly out?: string }
  if (tenant === undefined) throw new UsageError('--tenant is missing: say whose data is to be written.')
  const location = loadStateLocation({ config: values['config'] as string, dataDir: values['data-dir'] as string }, io)
  const records = recordsOf(location, tenant, user)
  if (out === undefined) {
    await write(records, (text) => io.stdout.write(text))
    return EXIT.ok
  }
  const path = resolve(io.cwd, out)
  const count = await writeFile(records, path)
  io.stderr.write(`${path}: ${count} lines\n`)
  return EXIT.ok
}

async function* recordsOf(
  { dataDir, keys, events, storeUrl }: StateLocation,
  tenant: string,
  user: string | undefined,
): AsyncGenerator<string, void, void> {
  const now = Date.now()
  const made = (hasMadeKeys(dataDir) ? madeKeys(dataDir) : []).filter(
    (key) => key.tenant === tenant && (user === undefined || key.user === user),
  )
  const inFile = user === undefined ? keys.map(publicPart).filter((key) => key.tenant === tenant) : []
  for (const key of [...inFile.map((each) => showStaticKey(each, now)), ...made.map((each) => showKey(each, now))])
    yield JSON.stringify({ type: 'key', ...key })
  const names = user === undefined ? undefined : new Set(made.map(({ name }) => name))
  const requests = new Set<string>()
  for await (const record of ledgerRecords(dataDir, storeUrl(), { tenant, keys: names })) {
    const { type, id } = record
    // An attempt's id is its request's and a number.
    if (names !== undefined && type === 'attempt') requests.add(String(id).slice(0, String(id).lastIndexOf('/')))
    yield JSON.stringify(record)
  }
  for (const response of exportResponses(dataDir, tenant, names))
    yield JSON.stringify({ type: 'response', ...response })
  for (const record of exportFeedback(dataDir, tenant, names)) yield JSON.stringify(record)
  if (events === undefined) return
  for await (const line of eventLines(events, tenant, names === undefined ? undefined : requests))
    yield `{"type":"event","event":${line}}`
}

/** Records of the ledger; none where there is none yet. */
async function* ledgerRecords(
  dataDir: string,
  url: Secret | undefined,
  subject: Subject,
): AsyncGenerator<ExportRecord, void, void> {
  const path = join(dataDir, LEDGER_FILE)
  if (url === undefined && !existsSync(path)) return
  const ledger = url === undefined ? await openWholeLedger(path) : await openRedisCopy(url)
  try {
    yield* exportLedger(ledger.db, subject)
  } finally {
    ledger.close()
  }
}

async function openRedisCopy(url: Secret): Promise<WholeLedger> {
  const db = await redisCopy(url, TEMPORARY)
  return { db, close: () => db.close() }
}

function madeKeys(dataDir: string): ReturnType<KeyStore['list']> {
  const store = new KeyStore(dataDir)
  try {
    return store.list()
  } finally {
    store.close()
  }
}

async function write(records: AsyncIterable<string>, to: (text: string) => void): Promise<number> {
  let batch = ''
  let count = 0
  for await (const record of records) {
    batch += `${record}\n`
    count += 1
    if (batch.length < BATCH_CHARS) continue
    to(batch)
    batch = ''
  }
  to(batch)
  return count
}

/** Under another name until it is whole. */
async function writeFile(records: AsyncIterable<string>, path: string): Promise<number> {
  if (existsSync(path)) throw new UsageError(`--out: ${path} is there already. Choose another name.`)
  const part = `${path}.part`
  const file = openSync(part, 'w', 0o600)
  try {
    const count = await write(records, (text) => void writeSync(file, text))
    renameSync(part, path)
    return count
  } finally {
    closeSync(file)
    rmSync(part, { force: true })
  }
}
