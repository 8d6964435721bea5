/** The encoder as the configuration asks for it. */
import { fileURLToPath } from 'node:url'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/problems.ts'
import type { Encoder } from './encoder/encoder.ts'
import type { EncoderReporter } from './encoder/encoder-reporter.ts'
import { checkModelFolder, readModelFiles } from './encoder/model-files.ts'
import { NoEncoder } from './encoder/no-encoder.ts'
import { WorkerEncoder } from './encoder/worker-encoder.ts'
import { startWorkerOf } from './encoder/worker-port.ts'

const FOLDER = fileURLToPath(new URL('../router-models/minilm-l6', import.meta.url))

export interface OpenEncoderOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly reporter: EncoderReporter
  readonly onEvent: (event: { readonly event: 'encoder'; readonly detail: string }) => void
}

/** An encoder that is not loaded yet. Throws ConfigError where a file of its model is missing or has another size than it should. */
export function openEncoder(config: Config['encoder'], options: OpenEncoderOptions): Encoder {
  if (config.enabled === 'off') return new NoEncoder()
  const folder = config.folder ?? FOLDER
  refusing(config, () => checkModelFolder(folder))
  const { deadlineMs, storeBytes } = config
  return new WorkerEncoder({ ...options, start: startWorkerOf(folder), deadlineMs, storeBytes })
}

/** Loads it where the configuration says `on`. Rejects with ConfigError where it cannot be loaded. */
export async function loadEncoder(config: Config['encoder'], encoder: Encoder): Promise<void> {
  if (config.enabled !== 'on') return
  try {
    await encoder.load()
  } catch (error) {
    throw problem(config, error)
  }
}

/** Throws ConfigError where the files of the model would stop the start. */
export function checkEncoder(config: Config['encoder']): void {
  if (config.enabled === 'off') return
  const folder = config.folder ?? FOLDER
  refusing(config, () => (config.enabled === 'on' ? readModelFiles(folder) : checkModelFolder(folder)))
}

function refusing(config: Config['encoder'], check: () => unknown): void {
  try {
    check()
  } catch (error) {
    throw problem(config, error)
  }
}

function problem(config: Config['encoder'], error: unknown): ConfigError {
  const why = error instanceof Error ? error.message : String(error)
  const fix =
    config.folder === undefined
      ? 'Install the release again ("git checkout router-models" in a clone), or write encoder: { enabled: off }.'
      : 'Name another folder, or none for the one that ships.'
  const setting = config.folder === undefined ? 'encoder.enabled' : 'encoder.folder'
  return new ConfigError([{ setting, line: undefined, sentence: `${why}. ${fix}` }], undefined)
}
