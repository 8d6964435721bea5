/**
 * `npm run conformance`: the official clients and the streaming list against this checkout; with `--url` or `--gateway` the list
 * against any OpenAI-compatible gateway. Exits 1 if a row that was run does not hold, 2 if the command line is wrong.
 */
import { parseArgs } from 'node:util'
import { runClients } from './conformance/clients.ts'
import { GATEWAYS, startGateway, type GatewayName, type RunningGateway } from './conformance/gateways.ts'
import { LIST } from './conformance/list.ts'
import { Output } from './conformance/output.ts'
import { keepResults } from './conformance/results.ts'
import { runList } from './conformance/run-list.ts'
import { ANY_ANSWER } from './conformance/tell.ts'
import { startUpstream } from './conformance/upstream.ts'

const HELP = `npm run conformance -- [options]

Without options: the official clients, then the streaming list, against this checkout.

  --gateway NAME        run the list against a ready set-up: ${GATEWAYS.join(', ')}
  --url URL             run the list against a gateway that is up (its base URL, with /v1)
  --upstream-port PORT  with --url: listen here as the provider behind the gateway; without it many rows are not run
  --model NAME          with --url: the model to ask for (default: auto)
  --header 'NAME: TEXT' with --url: a header of every request; may be repeated
  --patience SECONDS    how long the gateway may take to give a silent provider up (default: 5)
  --only TEXT           only rows whose id contains the text; may be repeated
  --save                with --gateway and without --only: keep the results for docs/streaming-conformance.md
  --json                print results as JSON
  --list                print the promises and who taught them
  --markdown            the clients' table alone, as the README shows it
  --help                this text

See docs/streaming-conformance.md.`

class Usage extends Error {}

const { values } = parse()
try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof Usage ? 2 : 1
}

async function main(): Promise<boolean> {
  if (values.help) return say(HELP)
  if (values.list)
    return say(LIST.map((row) => `${row.id.padEnd(33)}${row.promise}\n${''.padEnd(33)}${row.source}`).join('\n'))
  if (values.url !== undefined && values.gateway !== undefined) throw new Usage('give --url or --gateway, not both')
  const isPlain = values.url === undefined && values.gateway === undefined && values.only === undefined && !values.json
  const clientsHold = isPlain ? runClients(values.markdown) : true
  if (values.markdown) return clientsHold
  if (isPlain) console.log('')
  return (await list()) && clientsHold
}

function say(text: string): true {
  console.log(text)
  return true
}

async function list(): Promise<boolean> {
  const rows = LIST.filter((row) => values.only === undefined || values.only.some((part) => row.id.includes(part)))
  if (rows.length === 0) throw new Usage(`no row's id contains ${values.only?.join(' or ')}; --list shows them`)
  if (values.save && (values.gateway === undefined || values.only !== undefined))
    throw new Usage('--save needs --gateway and the whole list')
  const name = values.gateway ?? (values.url === undefined ? 'switchyard' : undefined)
  const port = number('upstream-port', values['upstream-port'], 0)
  const needsUpstream = name !== undefined || values['upstream-port'] !== undefined
  const upstream = needsUpstream ? await startUpstream(port, ANY_ANSWER) : undefined
  let gateway: RunningGateway | undefined
  try {
    gateway =
      name === undefined || upstream === undefined ? given() : await startGateway(known(name), upstream.url, note)
    const output = new Output(LIST, values.json)
    const patienceMs = number('patience', values.patience, 5) * 1000
    const results = await runList(rows, { target: gateway.target, upstream, patienceMs, onResult: output.result })
    output.end(name ?? values.url ?? '', gateway.setUp, results)
    if (values.save && name !== undefined) keepResults(name, gateway.setUp, results)
    return !results.some((each) => each.outcome === 'broken') && results.some((each) => each.outcome === 'holds')
  } finally {
    await gateway?.stop()
    await upstream?.stop()
  }
}

/** The gateway of `--url`, which is not ours to start or stop. */
function given(): RunningGateway {
  const url = (values.url ?? '').replace(/\/+$/, '')
  if (!URL.canParse(url)) throw new Usage(`--url is not an address: ${values.url}`)
  const headers = Object.fromEntries(
    (values.header ?? []).map((text) => {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(text) ?? []
      if (name === undefined || value === undefined) throw new Usage(`--header is not 'NAME: TEXT': ${text}`)
      return [name.toLowerCase(), value]
    }),
  )
  return { target: { url, model: values.model ?? 'auto', headers }, setUp: url, stop: () => Promise.resolve() }
}

function known(name: string): GatewayName {
  const found = GATEWAYS.find((each) => each === name)
  if (found === undefined) throw new Usage(`--gateway is one of ${GATEWAYS.join(', ')}, not ${name}`)
  return found
}

function number(option: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (!Number.isFinite(value) || value < 0) throw new Usage(`--${option} is not a number: ${text}`)
  return value
}

function note(text: string): void {
  console.error(text)
}

function parse(): { values: ReturnType<typeof parseOptions>['values'] } {
  try {
    return parseOptions()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`)
    return process.exit(2)
  }
}

function parseOptions() {
  return parseArgs({
    options: {
      gateway: { type: 'string' },
      url: { type: 'string' },
      'upstream-port': { type: 'string' },
      model: { type: 'string' },
      header: { type: 'string', multiple: true },
      patience: { type: 'string' },
      only: { type: 'string', multiple: true },
      save: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
}
