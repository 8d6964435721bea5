/** Worker thread that counts tokens with OpenAI's own vocabularies; each is loaded when it is first needed (60 to 130 ms). */
import { parentPort } from 'node:worker_threads'

export const ENCODINGS = ['o200k_base', 'cl100k_base'] as const
export type Encoding = (typeof ENCODINGS)[number]

export interface CountJob {
  readonly id: number
  readonly encoding: Encoding
  readonly texts: readonly string[]
}
export interface CountResult {
  readonly id: number
  readonly tokens: number
}

/**
 * Merging takes quadratic time within one piece of the vocabulary's split, and a run of one kind of characters is one piece: 200,000
 * blanks would take 17 s. A text with a longer run is bounded by its bytes instead.
 */
const LONG_RUN = /[\p{L}\p{M}]{800}|\s{800}|[^\s\p{L}\p{N}]{800}/u
/** Control tokens that stand in a text are text to OpenAI's API, as they are here. */
const PLAIN = { disallowedSpecial: new Set<string>() }

type Count = (text: string) => number

const counters = new Map<Encoding, Promise<Count>>()

async function load(encoding: Encoding): Promise<Count> {
  const { countTokens } =
    encoding === 'o200k_base'
      ? await import('gpt-tokenizer/encoding/o200k_base')
      : await import('gpt-tokenizer/encoding/cl100k_base')
  return (text) => (LONG_RUN.test(text) ? Buffer.byteLength(text) : countTokens(text, PLAIN))
}

parentPort?.on('message', (job: CountJob) => {
  void run(job)
})

async function run({ id, encoding, texts }: CountJob): Promise<void> {
  let counter = counters.get(encoding)
  if (counter === undefined) counters.set(encoding, (counter = load(encoding)))
  const count = await counter
  let tokens = 0
  for (const text of texts) tokens += count(text)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
  parentPort?.postMessage({ id, tokens } satisfies CountResult)
}
