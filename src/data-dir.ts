import { accessSync, constants, mkdirSync } from 'node:fs'
import { ConfigError } from './config/problems.ts'

/** Makes the data directory, its owner's alone, if it is not there. Throws ConfigError where nothing can be kept in it. */
export function prepareDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const sentence = `${dataDir} cannot be written (${why}). Give this user the right, or choose another place with --data-dir.`
    throw new ConfigError([{ setting: 'dataDir', line: undefined, sentence }], undefined)
  }
}
