import { existsSync, readFileSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import { ConfigError, Lines } from './problems.ts'

export interface RawFile {
  readonly path: string
  readonly value: unknown
  readonly lines: Lines
}

/** Reads a YAML file (JSON is YAML too). Throws ConfigError. */
export function readConfigFile(path: string): RawFile {
  if (!existsSync(path)) {
    throw new ConfigError(
      [{ setting: '', line: undefined, sentence: 'there is no such file. Write one with "switchyard init".' }],
      path,
    )
  }
  const counter = new LineCounter()
  const document = parseDocument(readFileSync(path, 'utf8'), {
    lineCounter: counter,
    uniqueKeys: true,
    prettyErrors: false,
  })
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      setting: '',
      line: counter.linePos(error.pos[0]).line,
      sentence:
        error.code === 'DUPLICATE_KEY'
          ? 'this name stands twice in the same place. Remove one.'
          : `this is not valid YAML: ${error.message}.`,
    }))
    throw new ConfigError(problems, path)
  }
  return { path, value: document.toJS() ?? {}, lines: new Lines(document, counter) }
}
