import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AcceptanceHead } from './acceptance.ts'

const LENGTHS = { one: 6, two: 12 } as const

const NAME = 'acceptance.json'
const SHIPPED = new URL(`../../../router-models/${NAME}`, import.meta.url)

/** The one in `folder` (`router.folder`), or the one that ships where there is none. */
export function acceptanceFile(folder: string | undefined): URL {
  const own = folder === undefined ? undefined : join(folder, NAME)
  return own !== undefined && existsSync(own) ? pathToFileURL(own) : SHIPPED
}

/** Reads the weights that `npm run bench:cascade -- --train` wrote. Throws Error that says what to do where they are missing or of another form. */
export function loadAcceptanceHead(file: URL): AcceptanceHead {
  let read: unknown
  try {
    read = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file.pathname} cannot be read (${String(error)}). Restore it from the release.`, {
      cause: error,
    })
  }
  if (!isHead(read)) {
    throw new Error(`${file.pathname} is not an acceptance head of version 1. Restore it from the release.`)
  }
  return read
}

function isHead(read: unknown): read is AcceptanceHead {
  if (typeof read !== 'object' || read === null) return false
  const { version, one, two } = read as Record<string, unknown>
  return version === 1 && areWeights(one, LENGTHS.one) && areWeights(two, LENGTHS.two)
}

function areWeights(read: unknown, length: number): boolean {
  return Array.isArray(read) && read.length === length && read.every((each) => Number.isFinite(each))
}
