import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { resolve } from 'node:path'
import { parseFaults } from '../simulator/faults.ts'
import type { MeterPrice } from '../simulator/meter.ts'
import { PROFILES } from '../simulator/profiles.ts'
import { createSimulator, type Simulator, type SimulatorOptions } from '../simulator/simulator.ts'
import { FLAVOURS } from '../simulator/wire.ts'
import { EXIT, UsageError, type Command, type Io } from './command.ts'
import { parseFlags } from './config-flags.ts'

export const simulate: Command = {
  name: 'simulate',
  summary: 'run a simulated model server: the wire of a provider or engine, faults, its own bill',
  usage: `switchyard simulate [flags]

Serves simulated models until SIGTERM. Useful for tests and load without a GPU or a bill.

  --port NUMBER       listening port (default: any free one)
  --flavour NAME      whose API: ${FLAVOURS.join(', ')} (default vllm)
  --model NAME        a model to serve; may be given several times (default sim-model)
  --profile NAME      latency: ${Object.keys(PROFILES).join(', ')} (default instant)
  --speed FACTOR      how much faster than the profile time runs (default 1)
  --faults FILE       JSON list of { fault, requests?, probability?, ms?, after? }
  --outcomes FILE     JSON Lines (may be gzipped) of { prompt, y: { MODEL: 0..1 }, gold? }: these prompts get the recorded outcome of the served name
  --key env:NAME      key that callers must send
  --price IN,OUT[,CACHED[,WRITE5M[,WRITE1H]]]
                      dollars per million tokens for the meter at /__meter; cached reads and writes are else at the provider's
                      own shares of IN (anthropic: 0.1, 1.25, 2) or at IN
  --seed NUMBER       for faults with a probability (default 1)`,
  async run(args, io) {
    const { values } = parseFlags(args, {
      port: { type: 'string', default: '0' },
      flavour: { type: 'string', default: 'vllm' },
      model: { type: 'string', multiple: true },
      profile: { type: 'string', default: 'instant' },
      speed: { type: 'string', default: '1' },
      faults: { type: 'string' },
      outcomes: { type: 'string' },
      key: { type: 'string' },
      price: { type: 'string' },
      seed: { type: 'string', default: '1' },
    })
    const port = number('--port', values['port'], 0, 65_535)
    const simulator = start(optionsOf(values, io))
    const { url } = await simulator.listen(port).catch((error: unknown) => {
      throw new UsageError(`--port: ${port} cannot be used (${reasonOf(error)}). Choose another; 0 takes any free one.`)
    })
    const stopped = new Promise<void>((done) => {
      const stop = io.onSignal((signal) => {
        if (signal === 'SIGHUP') return
        stop()
        done()
      })
    })
    io.stdout.write(`simulator listening on ${url}\n`)
    await stopped
    await simulator.close()
    return EXIT.ok
  },
}

function start(options: SimulatorOptions): Simulator {
  try {
    return createSimulator(options)
  } catch (error) {
    throw new UsageError(`--faults: ${reasonOf(error)}.`)
  }
}

function optionsOf(values: Readonly<Record<string, unknown>>, io: Io): SimulatorOptions {
  const text = (name: string): string | undefined => values[name] as string | undefined
  const flavour = FLAVOURS.find((each) => each === text('flavour'))
  if (flavour === undefined) throw new UsageError(`--flavour must be one of ${FLAVOURS.join(', ')}.`)
  const profile = text('profile') ?? 'instant'
  if (PROFILES[profile] === undefined)
    throw new UsageError(`--profile must be one of ${Object.keys(PROFILES).join(', ')}.`)
  const models = (values['model'] as string[] | undefined) ?? ['sim-model']
  const price = priceOf(text('price'))
  const faults = text('faults')
  const outcomes = text('outcomes')
  return {
    flavour,
    models,
    profiles: Object.fromEntries(models.map((model) => [model, profile])),
    speed: number('--speed', text('speed'), 0, 1e6),
    isMarked: false,
    prices: Object.fromEntries(models.map((model) => [model, price])),
    showsMeter: true,
    seed: number('--seed', text('seed'), 0, Number.MAX_SAFE_INTEGER),
    apiKey: keyOf(text('key'), io),
    ...(faults === undefined
      ? {}
      : { faults: read('--faults', resolve(io.cwd, faults), (path) => parseFaults(readFileSync(path, 'utf8'))) }),
    ...(outcomes === undefined ? {} : { outcome: read('--outcomes', resolve(io.cwd, outcomes), readOutcomes) }),
  }
}

const PRICE_NAMES = ['inputPerM', 'outputPerM', 'cachedInputPerM', 'cacheWrite5mPerM', 'cacheWrite1hPerM'] as const

function priceOf(value: string | undefined): MeterPrice {
  const figures = (value ?? '0,0').split(',').map((each) => number('--price', each, 0, 1e6))
  if (figures.length < 2 || figures.length > PRICE_NAMES.length)
    throw new UsageError('--price takes two to five figures, as in --price 0.05,0.20 or --price 3,15,0.30,3.75,6.')
  return {
    inputPerM: 0,
    outputPerM: 0,
    ...Object.fromEntries(figures.map((figure, at) => [PRICE_NAMES[at] as string, figure])),
  }
}

/** Throws UsageError where a flag is no number, or one outside of its range. */
function number(flag: string, value: unknown, least: number, most: number): number {
  const found = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  if (!(found >= least && found <= most)) throw new UsageError(`${flag} must be a number from ${least} to ${most}.`)
  return found
}

/** Throws UsageError where a file cannot be read or does not hold what it should. */
function read<Value>(flag: string, path: string, parse: (path: string) => Value): Value {
  try {
    return parse(path)
  } catch (error) {
    throw new UsageError(`${flag}: ${path} cannot be used (${reasonOf(error)}).`)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
}

function keyOf(value: string | undefined, io: Io): string | undefined {
  if (value === undefined) return undefined
  const name = /^env:(\w+)$/.exec(value)?.[1]
  const key = name === undefined ? undefined : io.env[name]
  if (key === undefined) throw new UsageError('--key takes env:NAME, and the variable must be set.')
  return key
}

/** Recorded outcomes by prompt; scores from 0.5 on count as right. */
function readOutcomes(path: string): NonNullable<SimulatorOptions['outcome']> {
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  const rows = new Map<string, { readonly y: Readonly<Record<string, number>>; readonly gold?: unknown }>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    const row = JSON.parse(line) as { prompt: string; y: Record<string, number>; gold?: unknown }
    rows.set(row.prompt.trim(), row)
  }
  return (prompt, model) => {
    const row = rows.get(prompt.trim())
    const score = row?.y[model]
    return score === undefined
      ? undefined
      : { isRight: score >= 0.5, gold: row?.gold === undefined ? undefined : String(row.gold) }
  }
}
