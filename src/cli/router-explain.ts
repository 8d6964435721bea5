import type { ParseArgsOptionsConfig } from 'node:util'
import type { Config, KeyConfig } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { explainRouting, type Explanation } from '../explain-routing.ts'
import type { ChatRequest } from '../protocol/request.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { hasMadeKeys } from '../store/key-store.ts'
import { EXIT, UsageError, type Command } from './command.ts'
import { CONFIG_FLAGS_HELP, CONFIG_OPTIONS, configFlagsOf, parseFlags } from './config-flags.ts'
import { explanationJson } from './router-explain-json.ts'
import { explanationLines } from './router-explain-text.ts'
import { readRequest } from './request-source.ts'
import { styleFor } from './style.ts'

const OPTIONS = {
  ...CONFIG_OPTIONS,
  file: { type: 'string' },
  api: { type: 'string' },
  model: { type: 'string' },
  key: { type: 'string' },
  top: { type: 'string' },
  json: { type: 'boolean' },
  'no-encoder': { type: 'boolean' },
} satisfies ParseArgsOptionsConfig
/** Contributions that people are shown; the rest stands as one line. */
const TOP = 12

export const explain: Command = {
  name: 'explain',
  summary: 'show why a request goes where it goes',
  usage: `switchyard router explain TEXT [flags]
switchyard router explain --file REQUEST.json [flags]
switchyard router explain - [flags]

Says where the request would go, which rules were looked at and which decided, what the gain is made of, what it is held against, what
every model would cost, and what would change the choice. Sends nothing, counts nothing and needs no running service: it decides as one
that has just started, so it knows neither which answers a service gave nor what a task has left.

  --file FILE       a request's body: chat completions, Messages or Responses
  -                 the same, or a text, from the standard input
  --api API         chat, messages or responses (default: by the fields of the body)
  --model NAME      in the place of the body's own (default auto)
  --key NAME        as this key of the configuration: its tenant and the models it may use
  --top NUMBER      contributions to show (default ${TOP})
  --no-encoder      as if the encoder were not there (it is asked only where encoder.routingBand says so)
  --json            everything as JSON (docs/routing.md)
${CONFIG_FLAGS_HELP}`,
  async run(args, io) {
    const { values, positionals } = parseFlags(args, OPTIONS, true)
    const top = topOf(values['top'])
    const config = await loadConfig(configFlagsOf(values), { env: io.env, cwd: io.cwd, hasMadeKeys })
    const key = keyOf(config, values['key'] as string | undefined)
    const request = await readRequest(
      {
        words: positionals,
        file: values['file'] as string | undefined,
        api: values['api'] as string | undefined,
        model: values['model'] as string | undefined,
        textLimitBytes: config.server.textLimitBytes,
        passFields: new Set(config.upstreams.flatMap((upstream) => upstream.passFields)),
      },
      io,
    )
    const explanation = await explained(config, request, key, values['no-encoder'] !== true)
    const lines =
      values['json'] === true
        ? [JSON.stringify(explanationJson(explanation), undefined, 2)]
        : explanationLines(explanation, styleFor(io.stdout, io.env), top)
    for (const line of lines) io.stdout.write(`${line}\n`)
    return EXIT.ok
  },
}

/** Throws UsageError for a model that means nothing to the key. */
async function explained(
  config: Config,
  request: ChatRequest,
  key: KeyConfig | undefined,
  withEncoder: boolean,
): Promise<Explanation> {
  try {
    return await explainRouting(config, request, key, withEncoder)
  } catch (error) {
    if (error instanceof SwitchyardError) throw new UsageError(error.message)
    throw error
  }
}

function topOf(text: unknown): number {
  if (text === undefined) return TOP
  if (typeof text === 'string' && /^\d{1,5}$/.test(text)) return Number(text)
  throw new UsageError(`--top ${String(text)} is no number. Write it as in --top ${TOP}.`)
}

/** Throws UsageError for a key that the file does not have. */
function keyOf({ keys }: Config, name: string | undefined): KeyConfig | undefined {
  if (name === undefined) return undefined
  const key = keys.find((each) => each.name === name)
  if (key !== undefined) return key
  const known = keys.length === 0 ? 'It has none.' : `It has ${keys.map((each) => each.name).join(', ')}.`
  throw new UsageError(`There is no key ${name} in the configuration. ${known}`)
}
