/** Surprises of real engines, by their numbers, that a value alone can show; and what other servers do instead of streaming. */
import { expect, test } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'
import { StreamDecoder } from '../../src/upstream/openai/decode-stream.ts'
import { readUsage } from '../../src/upstream/openai/usage.ts'

test('4: cache writes are read under the name that vLLM gives them', () => {
  const raw = {
    prompt_tokens: 34,
    completion_tokens: 1,
    total_tokens: 35,
    prompt_tokens_details: { cached_tokens: 16, created_cache_tokens: 18 },
  }
  expect(readUsage(raw, { requestBytes: 100, contentChunks: 1, contentBytes: 1 })).toMatchObject({
    input: 34,
    cachedInput: 16,
    cacheWrite: 18,
  })
})

test('27: the wait for the first event outlasts the first use of a feature, for which 32 s were seen', () => {
  const file = configSchema.parse({ upstreams: { gpu: { kind: 'vllm' } } }) as {
    upstreams: { gpu: { timeouts: { firstByteMs: number } } }
  }
  expect(file.upstreams.gpu.timeouts.firstByteMs).toBeGreaterThan(32_000)
})

test('a whole message in one frame of a stream is not lost', () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
  const choice = {
    index: 0,
    message: { role: 'assistant', content: 'Hello', refusal: null, tool_calls: [call] },
    finish_reason: 'tool_calls',
  }
  const decoder = new StreamDecoder(100, 1)
  const chunk = decoder.feed(
    Buffer.from(
      `data: ${JSON.stringify({ id: 'x', object: 'chat.completion', choices: [choice] })}\n\ndata: [DONE]\n\n`,
    ),
  )
  expect(chunk?.events).toContainEqual({ type: 'text', choice: 0, text: 'Hello' })
  expect(chunk?.events).toContainEqual(expect.objectContaining({ type: 'tool-call', name: 'f', arguments: '{}' }))
  expect(chunk?.events).toContainEqual({ type: 'finish', choice: 0, reason: 'tool_calls' })
  expect(chunk?.wire).toBeUndefined()
})
