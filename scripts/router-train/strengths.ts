/** How good each recorded model is, whatever sets it was recorded on. */
import { plainName } from '../../src/routing/model-strength.ts'
import { mean, type OutcomeFile } from './outcome-sets.ts'

const ROUNDS = 100

/** Mean outcome = what the set yields + what the model adds, by least squares; the average model adds 0. In two decimals. */
export function strengthsOf(files: readonly OutcomeFile[]): Record<string, number> {
  const means = files.flatMap(({ set, rows }) =>
    Object.keys(rows[0]?.y ?? {}).map((model) => ({
      set,
      model: plainName(model),
      quality: mean(rows.map(({ y }) => y[model])),
    })),
  )
  const added = new Map(means.map(({ model }) => [model, 0]))
  const yielded = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const [set, own] of Map.groupBy(means, ({ set }) => set)) {
      yielded.set(set, mean(own.map(({ model, quality }) => quality - (added.get(model) ?? 0))))
    }
    for (const [model, own] of Map.groupBy(means, ({ model }) => model)) {
      added.set(model, mean(own.map(({ set, quality }) => quality - (yielded.get(set) ?? 0))))
    }
  }
  const average = mean([...added.values()])
  return Object.fromEntries(
    [...added]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([model, value]) => [model, Math.round((value - average) * 100) / 100]),
  )
}
