/** The weights that routing is judged by, as the configuration asks for them. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/problems.ts'
import type { Scorer } from './routing/scorer.ts'
import { loadTrainedScorer } from './routing/trained-scorer.ts'

const FOLDER = fileURLToPath(new URL('../router-models', import.meta.url))

/** Cannot say anything: what the rules leave open is decided by chance in the shares of the route (reason `degraded`). */
const RULES_ONLY: Scorer = {
  score() {
    throw new Error('There are no router weights.')
  },
}

/**
 * Throws ConfigError where the weights are missing, damaged or of another version, unless the configuration says that they are optional;
 * `onTrouble` is then told why.
 */
export function openScorer({ weights, folder }: Config['router'], onTrouble: (detail: string) => void): Scorer {
  try {
    return loadTrainedScorer(join(folder ?? FOLDER, 'gain-heads'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (weights === 'optional') {
      onTrouble(why)
      return RULES_ONLY
    }
    const fix =
      folder === undefined
        ? 'Install the release again ("git checkout router-models" in a clone), or write router: { weights: optional } to route by rules and chance alone.'
        : 'Name another folder, or none for the weights that ship.'
    const setting = folder === undefined ? 'router.weights' : 'router.folder'
    throw new ConfigError([{ setting, line: undefined, sentence: `${why} ${fix}` }], undefined)
  }
}
