/** Intents as the configuration asks for them: the built-in ones, and the own ones learned in the background. */
import { fileURLToPath } from 'node:url'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/problems.ts'
import type { Encoder } from './encoder/encoder.ts'
import { exampleVectors, loadBuiltInIntents } from './routing/intent/built-in-file.ts'
import type { BuiltInIntents } from './routing/intent/built-in-intents.ts'
import { IntentReader } from './routing/intent/intent-reader.ts'
import { learnIntents, type IntentExamples } from './routing/intent/learn-intents.ts'
import { ROUTING_TOKENS } from './routing/assessment.ts'

const MODEL = fileURLToPath(new URL('../router-models/intents/builtin', import.meta.url))
const AGAIN_MS = 1000

type Event = { readonly event: 'intents'; readonly detail: string }

export interface IntentSource {
  /** The same reader as long as the configured intents are the same. */
  readerFor(config: Config): IntentReader
  /** Ends what is being learned. */
  close(): void
}

export function openIntents(encoder: Pick<Encoder, 'embed' | 'state'>, onEvent: (event: Event) => void): IntentSource {
  const builtIn = load()
  let last: { readonly key: string; readonly reader: IntentReader; readonly stop: AbortController } | undefined
  return {
    readerFor({ intents, router }) {
      const key = JSON.stringify([intents, router.outOfScope])
      if (last?.key === key) return last.reader
      const own = intents.filter(({ examples }) => examples.length > 0)
      const rules = new Map(
        intents.flatMap(({ name, route }) => (route === undefined ? [] : [[name, { route }] as const])),
      )
      const reader = new IntentReader(builtIn, { own: own.map(({ name }) => name), rules })
      last?.stop.abort()
      last = { key, reader, stop: new AbortController() }
      if (own.length > 0) {
        const { signal } = last.stop
        learn(own, builtIn, encoder, signal)
          .then((learned) => {
            if (learned === undefined || signal.aborted) return
            reader.learned(learned.intents, router.outOfScope)
            onEvent({ event: 'intents', detail: `learned ${own.length} of your own in ${learned.seconds} s` })
          })
          .catch((error: unknown) => onEvent({ event: 'intents', detail: `not learned: ${String(error)}` }))
      }
      return reader
    },
    close() {
      last?.stop.abort()
    },
  }
}

/** Throws ConfigError where the files of the built-in intents are missing or damaged. */
function load(): BuiltInIntents {
  try {
    return loadBuiltInIntents(MODEL)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const sentence = `${why} Install the release again ("git checkout router-models" in a clone).`
    throw new ConfigError([{ setting: 'intents', line: undefined, sentence }], undefined)
  }
}

/** Undefined = it was ended before. Requests are answered in between. */
async function learn(
  own: Config['intents'],
  builtIn: BuiltInIntents,
  encoder: Pick<Encoder, 'embed' | 'state'>,
  signal: AbortSignal,
) {
  const started = performance.now()
  const examples: IntentExamples[] = []
  for (const { name, examples: texts } of own) {
    const vectors: Float32Array[] = []
    for (const text of texts) {
      const vector = await vectorOf(text, encoder, signal)
      if (vector === undefined) return undefined
      vectors.push(vector)
    }
    examples.push({ name, vectors })
  }
  const work = learnIntents(examples, { background: exampleVectors(builtIn.parts) })
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return { intents: value, seconds: ((performance.now() - started) / 1000).toFixed(1) }
    await nextTurn()
    if (signal.aborted) return undefined
  }
}

/** Tried again while the encoder's worker is being started again; throws where there will be none. */
async function vectorOf(
  text: string,
  encoder: Pick<Encoder, 'embed' | 'state'>,
  signal: AbortSignal,
): Promise<Float32Array | undefined> {
  while (!signal.aborted) {
    const vector = await encoder.embed(text, { maxTokens: ROUTING_TOKENS, deadlineMs: Infinity })
    if (vector !== undefined) return vector
    if (encoder.state === 'closed') return undefined
    if (encoder.state === 'failed') throw new Error('the encoder cannot be loaded')
    await sleep(AGAIN_MS, undefined, { ref: false })
  }
  return undefined
}
