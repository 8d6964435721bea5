/** How well a share of big calls is held while traffic changes its kind, and how many decisions survive noise, through the policy as it runs. */
import { fileURLToPath } from 'node:url'
import {
  examplesOf,
  readOutcomeFiles,
  requestOf,
  TRAINING_SETS,
  type Example,
} from '../scripts/router-train/outcome-sets.ts'
import { readOptions } from '../scripts/support/read-options.ts'
import { featuresOf } from '../src/routing/features.ts'
import { createPolicy } from '../src/routing/policy.ts'
import { loadTrainedScorer, type TrainedScorer } from '../src/routing/trained-scorer.ts'
import { NOISES } from './support/noisy-prompts.ts'
import { seededRandom } from './support/router-lines.ts'

const { values } = readOptions(
  `node benchmarks/share-control.ts [--json]

Sends recorded prompts of one set and then of another through the policy of one route, for every ordered pair of sets in
../shared/data/routing, and counts the big calls. Then the same prompts with noise, beside themselves without.
--json  ends with one line of JSON.`,
  { json: { type: 'boolean', default: false } },
)

/** Decisions before the change, and decisions after it over which the share is counted. */
const RUN = 500
const TARGETS = [0.1, 0.3, 0.5]
const SETS_FROM = new URL('../../shared/data/routing/', import.meta.url)
const PRICES = { smallPrice: undefined, bigPrice: undefined }

// One route judges all of its traffic by one head: here the one of no recorded pair.
const scorer: TrainedScorer = loadTrainedScorer(fileURLToPath(new URL('../router-models/gain-heads', import.meta.url)))
const sets = readOutcomeFiles(SETS_FROM, TRAINING_SETS)
  .map(({ set, pair, rows }) => ({ set, examples: sampleOf(examplesOf(set, pair, rows)) }))
  .filter(({ examples }) => examples.length === RUN)

const shares = TARGETS.map((target) => {
  const misses = sets.flatMap((before) =>
    sets.filter((after) => after !== before).map((after) => missAfter(target, before.examples, after.examples)),
  )
  return { target, changes: misses.length, mean: mean(misses), worst: Math.max(...misses) }
})
console.log(
  `${sets.length} sets, the first ${RUN} decisions after traffic of one kind has become another, without the encoder:`,
)
console.table(
  Object.fromEntries(
    shares.map(({ target, changes, mean: usual, worst }) => [
      `targetBigShare: ${target}`,
      { changes, 'mean miss, points': (100 * usual).toFixed(2), 'worst miss, points': (100 * worst).toFixed(2) },
    ]),
  ),
)
const stability = Object.entries(NOISES).map(([noise, change]) => ({ noise, same: unchanged(change) }))
console.log(
  `Decisions at targetBigShare: 0.3 that stay under noise (${sets.length * RUN} prompts): ` +
    stability.map(({ noise, same }) => `${noise} ${(100 * same).toFixed(1)} %`).join(', '),
)
if (values.json)
  console.log(
    JSON.stringify({ shares, stability: Object.fromEntries(stability.map(({ noise, same }) => [noise, same])) }),
  )

/** Evenly over the set, so that all of its domains are there. */
function sampleOf(examples: readonly Example[]): readonly Example[] {
  return Array.from(
    { length: Math.min(RUN, examples.length) },
    (_, i) => examples[Math.floor((i * examples.length) / RUN)] as Example,
  )
}

function missAfter(target: number, before: readonly Example[], after: readonly Example[]): number {
  const decide = policyAt(target)
  for (const { features } of before) decide(scorer.score(features))
  const big = after.filter(({ features }) => decide(scorer.score(features))).length
  return Math.abs(big / after.length - target)
}

/** All sets in one stream, in turn, once as they are and once with noise, each with a policy of its own. */
function unchanged(change: (text: string) => string): number {
  const clean = policyAt(0.3)
  const noisy = policyAt(0.3)
  let same = 0
  for (let i = 0; i < RUN; i++) {
    for (const { examples } of sets) {
      const { features, row } = examples[i] as Example
      const changed = featuresOf(requestOf({ ...row, prompt: change(row.prompt) }))
      if (clean(scorer.score(features)) === noisy(scorer.score(changed))) same++
    }
  }
  return same / (RUN * sets.length)
}

/** A route's policy, with the same luck every time. */
function policyAt(target: number): (score: number) => boolean {
  const policy = createPolicy('auto', { targetBigShare: target }, { usualScores: scorer.usualScores })
  const random = seededRandom(11)
  return (score) => policy.decide({ ...PRICES, score, chance: random() }).isBig
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length
}
