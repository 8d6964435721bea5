/** `node scripts/router-speed.ts`: how long the router takes to load its weights and to route requests of several sizes. */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Call, Target } from '../src/gateway/steps.ts'
import { createRouter } from '../src/routing/router.ts'
import { RecentAnswers } from '../src/routing/answer-memory.ts'
import { loadTrainedScorer } from '../src/routing/trained-scorer.ts'
import { askOf, callOf } from './support/plain-call.ts'
import { readOptions } from './support/read-options.ts'

readOptions(
  'node scripts/router-speed.ts: how long the router takes to load and to decide, by size of the request. No options.',
  {},
)

const PATH = fileURLToPath(new URL('../router-models/gain-heads', import.meta.url))
/** Prose with some structure: this repository's own licence. */
const TEXT = readFileSync(new URL('../LICENSE', import.meta.url), 'utf8').repeat(8)
const SIZES = [100, 455, 1024, 2500, 20_480, 65_536]
const WARM_UP = 3000
const ROUNDS = 3000

const started = performance.now()
const scorer = loadTrainedScorer(PATH)
console.log(
  `weights loaded in ${(performance.now() - started).toFixed(1)} ms (${cpus()[0]?.model ?? 'unknown processor'})`,
)

const router = createRouter({
  targets: new Map([targetOf('small', 'local'), targetOf('big', 'frontier')].map((target) => [target.name, target])),
  routes: { auto: { small: ['small'], big: ['big'], targetBigShare: 0.3, fallback: 'cross-tier' } },
  aliases: {},
  scorer,
  answers: new RecentAnswers(),
  requires: () => [],
  now: () => performance.now(),
  random: Math.random,
})

for (const size of SIZES) {
  const calls = Array.from({ length: 50 }, (_, i) => callOf(askOf(TEXT.slice(i * 37, i * 37 + size))))
  const measure = (i: number): number => {
    const from = performance.now()
    void router.route(calls[i % calls.length] as Call, { taskId: undefined, taskType: 'default' })
    return (performance.now() - from) * 1000
  }
  for (let i = 0; i < WARM_UP; i++) measure(i)
  const times = Float64Array.from({ length: ROUNDS }, (_, i) => measure(i)).sort()
  const at = (share: number): string => `${(times[Math.floor(share * ROUNDS)] as number).toFixed(0)} us`.padStart(8)
  console.log(`${String(size).padStart(6)} characters: p50${at(0.5)}, p99${at(0.99)}  (whole decision, n = ${ROUNDS})`)
}

function targetOf(name: string, tier: Target['tier']): Target {
  return {
    name,
    upstream: name,
    kind: 'openai',
    model: name,
    tier,
    contextTokens: 128_000,
    capabilities: new Set(),
    price: undefined,
    extraBody: {},
    fallbacks: [],
  }
}
