/** What a small model's answer and its second opinions came to, as results that can be compared; undefined = none was found. */
export interface Opinions {
  readonly own: string | undefined
  readonly others: readonly (string | undefined)[]
}

/** What is known beside the opinions. */
export interface Circumstances {
  /** Length of the small model's answer. */
  readonly answerChars: number
  /** Share of recent answers of the same kind whose first opinion differed, 0..1: where it is high, agreement is worth less too. */
  readonly disagreement: number
}

/** Ridge weights of the expected gain for one and for two opinions, in the order of `acceptanceFeatures`. */
export interface AcceptanceHead {
  readonly version: 1
  readonly one: readonly number[]
  readonly two: readonly number[]
}

/** Log of a text of middle length, so that the feature is about zero. */
const MIDDLE_LOG_CHARS = 6

/** How much better a big model's answer is expected to be, in -1..1. */
export function expectedGain(opinions: Opinions, circumstances: Circumstances, head: AcceptanceHead): number {
  const features = acceptanceFeatures(opinions, circumstances)
  const weights = opinions.others.length > 1 ? head.two : head.one
  let gain = 0
  for (let i = 0; i < features.length; i++) gain += (features[i] as number) * (weights[i] as number)
  return gain
}

/** Two results that were found and are the same. */
export function agree(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && a === b
}

/** Who agrees with whom (one of so many cases is 1), whether there is a result, how long the answer is, and the cases where answers of this kind often differ. */
export function acceptanceFeatures(
  { own, others }: Opinions,
  { answerChars, disagreement }: Circumstances,
): readonly number[] {
  const [first, second] = others
  const withFirst = agree(own, first)
  const withSecond = agree(own, second)
  const cases =
    others.length > 1
      ? [
          withFirst && withSecond,
          withFirst && !withSecond,
          !withFirst && withSecond,
          !withFirst && !withSecond && agree(first, second),
          !withFirst && !withSecond && !agree(first, second),
        ]
      : [withFirst, !withFirst]
  return [
    ...cases.map(Number),
    Number(own === undefined),
    Math.log(1 + answerChars) - MIDDLE_LOG_CHARS,
    ...cases.map((each) => Number(each) * disagreement),
  ]
}
