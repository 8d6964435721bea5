/** Which recorded pair of models is most like the one that a route has. */
import type { HeadChoice } from './gain-heads.ts'

export interface ModelPair {
  readonly small: string
  readonly big: string
}

export interface RecordedPair extends ModelPair {
  readonly name: string
  /** Mean of quality(big) - quality(small) over its recorded sets. */
  readonly meanGain: number
  /** Scores of its rows at equal steps of rank, in rising order: what is usual before anything was seen. */
  readonly usualScores: readonly number[]
}

/** A name as outcomes and configurations both could have it: no owner, no dots, none of the endings that say only "for chat". */
export function plainName(model: string): string {
  return (model.split('/').at(-1) ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^meta-/, '')
    .replaceAll(/-(?:instruct|chat|it|hf|latest|v0-1|fp8|awq|gptq)(?=-|$)/g, '')
    .replaceAll(/^-+|-+$/g, '')
}

/** Strengths further apart than this, small and big together, are not alike. */
const FAR = 0.35

export function nearestPair(
  models: Partial<ModelPair>,
  pairs: readonly RecordedPair[],
  strengths: Readonly<Record<string, number>>,
): HeadChoice {
  const { small, big } = models
  if (small === undefined || big === undefined) return { kind: 'general', pair: undefined }
  const own = pairs.find((pair) => isSame(pair.small, small) && isSame(pair.big, big))
  if (own !== undefined) return { kind: 'own', pair: own.name }
  const strengthOf = (model: string): number | undefined => {
    const name = plainName(model)
    return Object.hasOwn(strengths, name) ? strengths[name] : undefined
  }
  const at = { small: strengthOf(small), big: strengthOf(big) }
  let nearest: { readonly pair: string; readonly distance: number } | undefined
  for (const pair of pairs) {
    const distance = apart(at.small, strengthOf(pair.small)) + apart(at.big, strengthOf(pair.big))
    if (distance <= FAR && (nearest === undefined || distance < nearest.distance)) {
      nearest = { pair: pair.name, distance }
    }
  }
  return nearest === undefined ? { kind: 'general', pair: undefined } : { kind: 'nearest', pair: nearest.pair }
}

function isSame(a: string, b: string): boolean {
  return plainName(a) === plainName(b)
}

function apart(a: number | undefined, b: number | undefined): number {
  return a === undefined || b === undefined ? Number.POSITIVE_INFINITY : Math.abs(a - b)
}
