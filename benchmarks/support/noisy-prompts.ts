/** How many decisions survive noise that does not change what is asked. */
import { requestOf, type Example } from '../../scripts/router-train/outcome-sets.ts'
import { featuresOf, type RoutingFeatures } from '../../src/routing/features.ts'
import { seededRandom } from './router-lines.ts'

const BIG_SHARE = 0.3
/** One pair of neighbouring letters is swapped in about this many characters. */
const CHARS_PER_TYPO = 100

export const NOISES: Readonly<Record<string, (text: string) => string>> = {
  'lower case': (text) => text.toLowerCase(),
  'upper case': (text) => text.toUpperCase(),
  spacing: (text) => `  ${text.replaceAll(' ', '  ')}\n`,
  typos: (text) => {
    const random = seededRandom(text.length)
    return text.replaceAll(/[a-z]{4,}/g, (word) => {
      if (random() > word.length / CHARS_PER_TYPO) return word
      const at = 1 + Math.floor(random() * (word.length - 2))
      return word.slice(0, at) + (word[at + 1] as string) + (word[at] as string) + word.slice(at + 2)
    })
  },
}

/** Share of rows on the same side of each set's own 30 % threshold, per noise. */
export function changedDecisions(
  sets: readonly (readonly Example[])[],
  scorerOf: (example: Example) => (features: RoutingFeatures) => number,
): { readonly noise: string; readonly share: number }[] {
  const judged = sets.map((rows) => {
    const score = scorerOf(rows[0] as Example)
    const clean = rows.map(({ features }) => score(features))
    const threshold = [...clean].sort((a, b) => b - a)[Math.floor(BIG_SHARE * clean.length)] as number
    return { rows, score, clean, threshold }
  })
  return Object.entries(NOISES).map(([noise, change]) => {
    let same = 0
    let all = 0
    for (const { rows, score, clean, threshold } of judged) {
      for (const [i, { row }] of rows.entries()) {
        const noisy = score(featuresOf(requestOf({ ...row, prompt: change(row.prompt) })))
        all++
        if (noisy >= threshold === (clean[i] as number) >= threshold) same++
      }
    }
    return { noise, share: same / all }
  })
}
