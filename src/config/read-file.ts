import { existsSync, readFileSync } from 'node:fs'
import { LineCounter, parseDocument, type Document } from 'yaml'
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
  const text = read(path)
  const document = parseDocument(text, {
    lineCounter: counter,
    uniqueKeys: true,
    prettyErrors: false,
    merge: true,
  })
  // A warning (an unknown tag, say) means that a value is not what was written.
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) {
    const problems = faults.map((fault) => ({
      setting: '',
      line: counter.linePos(fault.pos[0]).line,
      sentence:
        fault.code === 'DUPLICATE_KEY'
          ? `this name stands twice in the same place. Remove one "${nameAt(text, fault.pos[0])}".`
          : `this is not valid YAML: ${fault.message.replace(/\.$/, '')}.`,
    }))
    throw new ConfigError(problems, path)
  }
  return { path, value: valueOf(document, path), lines: new Lines(document, counter) }
}

/** The name of a setting that begins at an offset. */
function nameAt(text: string, offset: number): string {
  return /^[^\s:,{}]+/.exec(text.slice(offset))?.[0] ?? ''
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new ConfigError([{ setting: '', line: undefined, sentence: `the file cannot be read (${code}).` }], path)
  }
}

function valueOf(document: Document, path: string): unknown {
  try {
    return document.toJS() ?? {}
  } catch (error) {
    // Anchors that refer to each other, or that unfold to more than a configuration ever holds.
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError([{ setting: '', line: undefined, sentence: `its anchors make no sense: ${reason}.` }], path)
  }
}
