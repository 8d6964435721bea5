/** Secrets of the file: read from where `env:NAME` and `file:PATH` point, never from the file itself. */
import { readFileSync } from 'node:fs'
import { maskedRecord, Secret } from '../shared/secret.ts'

/** RFC 9110, section 5.5, without the obsolete bytes above ASCII. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
])

type Path = readonly (string | number)[]

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** A path as the file writes it to an absolute one. */
  readonly pathOf: (path: string) => string
  readonly report: (path: Path, sentence: string) => void
}

export class SecretReader {
  readonly #env: SecretSources['env']
  readonly #pathOf: SecretSources['pathOf']
  readonly #report: SecretSources['report']

  constructor({ env, pathOf, report }: SecretSources) {
    this.#env = env
    this.#pathOf = pathOf
    this.#report = report
  }

  /** A key that is sent in a header. */
  forHeader(value: string | undefined, path: Path): Secret | undefined {
    const secret = this.read(value, path)
    if (secret !== undefined && !HEADER_VALUE.test(secret.reveal()))
      this.#report(path, 'the key holds characters that no HTTP header may carry, such as a line break.')
    return secret
  }

  /** Undefined where there is none, or none could be read (which is reported). */
  read(value: string | undefined, path: Path): Secret | undefined {
    if (value === undefined) return undefined
    if (value.startsWith('env:')) {
      const name = value.slice(4)
      const found = this.#env[name]?.trim()
      if (found === undefined || found === '') {
        this.#report(path, `the environment variable ${name} is not set. Set it, or remove this setting.`)
        return undefined
      }
      return new Secret(found)
    }
    const file = this.#pathOf(value.slice(5))
    try {
      const text = readFileSync(file, 'utf8').trim()
      if (text === '') this.#report(path, `the file ${file} is empty. Write the secret into it.`)
      return new Secret(text)
    } catch (error) {
      this.#report(
        path,
        `the file ${file} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'error'}). Check its path and rights.`,
      )
      return undefined
    }
  }

  /** Fixed headers, lower-cased, with their references read. */
  headers(headers: Readonly<Record<string, string>>, at: Path): Readonly<Record<string, string>> {
    const values: Record<string, string> = {}
    for (const [header, value] of Object.entries(headers)) {
      const path = [...at, header]
      const name = header.toLowerCase()
      if (OWN_HEADERS.has(name)) this.#report(path, 'this header is set by the service itself. Remove it.')
      if (Object.hasOwn(values, name)) this.#report(path, 'this header stands twice. Remove one.')
      const plain = isReference(value) ? this.read(value, path)?.reveal() : value
      if (plain !== undefined && !HEADER_VALUE.test(plain))
        this.#report(path, 'its value holds characters that no HTTP header may carry.')
      values[name] = plain ?? ''
    }
    return maskedRecord(values)
  }
}

/** True for a value that says where it is to be read. */
export function isReference(value: string): boolean {
  return /^(?:env|file):/.test(value)
}
