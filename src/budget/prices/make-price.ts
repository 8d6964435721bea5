import { hash } from 'node:crypto'
import type { Price } from '../../shared/price.ts'

/** Figures of a price without their origin. */
export type Figures = Omit<Price, 'source' | 'revision'>

/** 64 bits: enough to tell the prices of a deployment apart, short enough for every attempt's record. */
const REVISION_LENGTH = 16

/** A price with its revision: SHA-256 of the figures, the same in whatever order they were written. */
export function makePrice(figures: Figures, source: string): Price {
  const revision = hash('sha256', JSON.stringify(figures, inOrder)).slice(0, REVISION_LENGTH)
  return { ...figures, source, revision }
}

/** Properties by name. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
