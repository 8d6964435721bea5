/**
 * Process that holds the model of the folder it is given: loads it once, then answers jobs in their order. It ends with its parent, and
 * with nothing else: a signal to both must not take it away from requests that are still being answered.
 */
import { setPriority } from 'node:os'
import { DIMENSIONS } from './encoder.ts'
import type { Job, JobDone, WorkerMessage } from './jobs.ts'
import { meanVector } from './mean-vector.ts'
import { readModelFiles } from './model-files.ts'
import type { TokenModel } from './onnx-model.ts'
import { createTokeniser, type Tokenise } from './text-tokens.ts'

/** About a third of an ordinary process's share where both want the same processor. */
const NICENESS = 5

interface Loaded {
  readonly tokenise: Tokenise
  readonly model: TokenModel
}

process.on('disconnect', () => process.exit(0))
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
giveWay()

const started = performance.now()
const loading = load(process.argv[2] ?? '')
let last: Promise<void> = Promise.resolve()

process.on('message', (jobs) => {
  last = last.then(() => run(jobs as readonly Job[]))
})

async function load(folder: string): Promise<Loaded | undefined> {
  try {
    const files = readModelFiles(folder)
    // Only now: without the files nothing of it is needed, and where its binary does not run the sentence below says so.
    const { loadOnnxModel } = await import('./onnx-model.ts')
    const model = await loadOnnxModel(files.weightsPath)
    const tokenise = createTokeniser(files.tokenizerJson, files.tokenizerConfigJson)
    // The first run allocates; nobody should wait for that.
    await model.rows(tokenise('a first text', 8).ids)
    post({ kind: 'loaded', sha256: files.weightsSha256, ms: performance.now() - started })
    return { tokenise, model }
  } catch (error) {
    post({ kind: 'unloadable', sentence: error instanceof Error ? error.message : String(error) })
    return undefined
  }
}

async function run(jobs: readonly Job[]): Promise<void> {
  const loaded = await loading
  if (loaded === undefined) return
  for (const job of jobs) {
    try {
      post(await answer(job, loaded))
    } catch (error) {
      post({ kind: 'failed', id: job.id, detail: String(error) })
    }
  }
}

async function answer({ id, text, maxTokens, wants }: Job, { tokenise, model }: Loaded): Promise<JobDone> {
  const begun = performance.now()
  const { ids, pieces, isCut } = tokenise(text, maxTokens)
  const rows = await model.rows(ids)
  const vector = meanVector(rows, DIMENSIONS)
  const done = { kind: 'done', id, vector, tokens: ids.length, isCut, ms: performance.now() - begun } as const
  return wants === 'tokens' ? { ...done, pieces, tokenVectors: rows } : done
}

function post(message: WorkerMessage): void {
  process.send?.(message)
}

/** Whoever answers requests comes first where processors are short. Some systems do not allow it. */
function giveWay(): void {
  try {
    setPriority(NICENESS)
  } catch {
    // It then competes as an equal.
  }
}
