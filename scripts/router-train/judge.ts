/** Scores of rows by heads that did not see them, in the ways in which a router can meet a request. */
import { HeadTrainer } from './train-heads.ts'
import type { TrainingRows } from './training-rows.ts'

export interface Scores {
  /** Row -> score, without and with the encoder's vector. */
  readonly plain: ReadonlyMap<number, number>
  readonly encoded: ReadonlyMap<number, number>
}

/** Every row by learners that saw neither it nor its question: 5 folds by question. */
export function crossValidated(trainer: HeadTrainer): Scores {
  return { plain: trainer.unseen('plain'), encoded: trainer.unseen('encoded') }
}

/**
 * Scores of the rows `held` by heads trained on the rows that `taught` allows, without those and their questions: a whole set or
 * category that nobody had seen, or a small budget of labels.
 */
export function scoredWithout(
  data: TrainingRows,
  held: (row: number) => boolean,
  taught: (row: number) => boolean = () => true,
): Scores {
  const rows = [...data.examples.keys()].filter(held)
  const stems = new Set(rows.map((row) => data.examples[row]?.stem))
  const use = [...data.examples.keys()].filter(
    (row) => !held(row) && taught(row) && !stems.has(data.examples[row]?.stem),
  )
  const trainer = new HeadTrainer(data, use)
  return {
    plain: new Map(rows.map((row) => [row, trainer.score(row, 'plain')])),
    encoded: new Map(rows.map((row) => [row, trainer.score(row, 'encoded')])),
  }
}
