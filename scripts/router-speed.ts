/** `node scripts/router-speed.ts`: how long the first router takes to load its weights and to score prompts of several sizes. */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { ChatRequest } from '../src/protocol/request.ts'
import { featuresOf } from '../src/routing/features.ts'
import { loadTrainedScorer } from '../src/routing/trained-scorer.ts'

const PATH = fileURLToPath(new URL('../router-models/first-router', import.meta.url))
/** Prose with some structure: this repository's own licence. */
const TEXT = readFileSync(new URL('../LICENSE', import.meta.url), 'utf8').repeat(8)
const SIZES = [100, 455, 1024, 2500, 20_480, 65_536]
const WARM_UP = 3000
const ROUNDS = 3000

const started = performance.now()
const scorer = loadTrainedScorer(PATH)
console.log(`weights loaded in ${(performance.now() - started).toFixed(1)} ms (${cpus()[0]?.model ?? 'unknown processor'})`)

for (const size of SIZES) {
  const requests = Array.from({ length: 50 }, (_, i) => requestOf(TEXT.slice(i * 37, i * 37 + size)))
  const measure = (i: number): number => {
    const from = performance.now()
    scorer.score(featuresOf(requests[i % requests.length] as ChatRequest))
    return (performance.now() - from) * 1000
  }
  for (let i = 0; i < WARM_UP; i++) measure(i)
  const times = Float64Array.from({ length: ROUNDS }, (_, i) => measure(i)).sort()
  const at = (share: number): string => `${(times[Math.floor(share * ROUNDS)] as number).toFixed(0)} us`.padStart(8)
  console.log(`${String(size).padStart(6)} characters: p50${at(0.5)}, p99${at(0.99)}  (features and score, n = ${ROUNDS})`)
}

function requestOf(content: string): ChatRequest {
  return {
    model: 'auto',
    messages: [{ role: 'user', content }],
    tools: [],
    n: 1,
    sampling: {},
    openai: {},
    stream: false,
    includeUsage: false,
    legacyFunctions: false,
    dropped: [],
    bodyBytes: content.length,
  }
}
