import { expect, test } from 'vitest'
import { isEmbedder } from '../../src/shared/is-embedder.ts'

test.each([
  'text-embedding-3-small',
  'Qwen/Qwen3-Embedding-8B',
  'BAAI/bge-m3',
  'intfloat/multilingual-e5-large',
  'thenlper/gte-base',
  'sentence-transformers/all-MiniLM-L6-v2',
  'voyage-3.5',
  'nomic-embed-text',
])('%s makes vectors', (model) => {
  expect(isEmbedder(model)).toBe(true)
})

test.each(['gpt-5.1', 'Qwen/Qwen3-8B', 'bge-reranker-base', 'claude-sonnet-4-5', 'gemini-3-pro', 'sim'])(
  '%s does not',
  (model) => {
    expect(isEmbedder(model)).toBe(false)
  },
)
