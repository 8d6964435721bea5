import { Worker } from 'node:worker_threads'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { expect, onTestFinished, test } from 'vitest'
import { OpenAiTokenizer } from '../../../src/budget/hold/openai-tokenizer.ts'
import type { BoundTarget } from '../../../src/budget/hold/prompt-rules.ts'
import { TokenCounter, type TokenCounterOptions } from '../../../src/budget/hold/token-counter.ts'
import { walkedTokenBound } from '../../../src/budget/hold/walked-bound.ts'
import { chatRequest } from '../../support/fake-steps.ts'

const PATIENT = { deadlineMs: 8000, coldDeadlineMs: 8000 }
const GPT: BoundTarget = {
  kind: 'openai',
  model: 'gpt-4o',
  contextTokens: 128_000,
  extraBody: {},
  isHostedOpenAi: true,
}
const never = new AbortController().signal
const prose = 'The quick brown fox jumps over the lazy dog. '.repeat(100)
const request = chatRequest({ messages: [{ role: 'user', content: prose }], bodyBytes: prose.length + 60 })

function counter(options: TokenCounterOptions = PATIENT): TokenCounter {
  const made = new TokenCounter(options)
  onTestFinished(() => made.close())
  return made
}

test("texts are counted by OpenAI's vocabulary, the rest of the prompt stays bounded by bytes", async () => {
  const tokens = await new OpenAiTokenizer(counter()).refine(request, GPT, never)
  const { otherTokens } = walkedTokenBound(request, GPT)
  expect(tokens).toBe(countTokens(prose) + otherTokens)
  // The cookbook's own count: 3 a message, 1 for the role, 3 for the answer.
  expect(tokens).toBeGreaterThanOrEqual(countTokens(prose) + 7)
})

test('control tokens in a text are text, and a run that would take seconds is bounded by its bytes', async () => {
  const counting = counter()
  expect(await counting.count('o200k_base', ['<|endoftext|> hi'], never)).toBe(8)
  expect(await counting.count('cl100k_base', ['hello world'], never)).toBe(2)
  expect(await counting.count('o200k_base', [' '.repeat(200_000)], never)).toBe(200_000)
})

test.each([
  ['another server that names its model gpt-4o', { ...GPT, isHostedOpenAi: false }],
  ['a model whose vocabulary is not known', { ...GPT, model: 'gpt-9' }],
])('%s is not counted', async (_name, target) => {
  expect(await new OpenAiTokenizer(counter()).refine(request, target, never)).toBeUndefined()
})

test('a count that is late is given up, and so is one whose caller has left', async () => {
  expect(await counter({ deadlineMs: 1, coldDeadlineMs: 1 }).count('o200k_base', ['x'], never)).toBeUndefined()
  const leaving = new AbortController()
  const counted = counter().count('o200k_base', ['x'], leaving.signal)
  leaving.abort()
  expect(await counted).toBeUndefined()
})

test('a crash of the thread costs its counts and nothing else: the next need starts another', async () => {
  const threads: Worker[] = []
  const counting = counter({
    ...PATIENT,
    spawn: () => {
      const thread = new Worker(new URL('../../../src/budget/hold/tokenizer-worker.ts', import.meta.url))
      threads.push(thread)
      return thread
    },
  })
  expect(await counting.count('o200k_base', ['hello'], never)).toBe(1)
  const lost = counting.count('o200k_base', [prose.repeat(200)], never)
  await threads[0]?.terminate()
  expect(await lost).toBeUndefined()
  expect(await counting.count('o200k_base', ['hello'], never)).toBe(1)
  expect(threads).toHaveLength(2)
})

test('a system that gives no thread leaves the cheap bound standing', async () => {
  const counting = counter({
    spawn: () => {
      throw new Error('No more threads.')
    },
  })
  expect(await counting.count('o200k_base', ['x'], never)).toBeUndefined()
})

test('no thread is started before the first need, nor after the end', async () => {
  let threads = 0
  const counting = counter({
    spawn: () => {
      threads += 1
      throw new Error('No thread was needed.')
    },
  })
  await counting.close()
  expect(await counting.count('o200k_base', ['x'], never)).toBeUndefined()
  expect(threads).toBe(0)
})
