/** The bounds against real engines: every recorded answer whose prompt tokens are known. */
import { describe, expect, test } from 'vitest'
import { inputTokenBound } from '../../src/budget/hold/input-bound.ts'
import type { BoundTarget } from '../../src/budget/hold/prompt-rules.ts'
import { walkedTokenBound } from '../../src/budget/hold/walked-bound.ts'
import { recordedPrompts } from '../support/recorded-prompts.ts'

const TARGETS: Readonly<Record<string, BoundTarget>> = {
  'vllm-0.32.0': { kind: 'vllm', model: 'smollm2', contextTokens: 1024, extraBody: {} },
  'llamacpp-b11549': { kind: 'openai', model: 'smollm2', contextTokens: 1024, extraBody: {} },
  'transformers-serve-5.19.0': { kind: 'openai', model: './smollm2-hf', contextTokens: undefined, extraBody: {} },
}
/** Rows with a prompt count and a body that the gateway would accept, so that no row can fall out unseen. */
const ROWS: Readonly<Record<string, number>> = {
  'vllm-0.32.0': 50,
  'llamacpp-b11549': 54,
  'transformers-serve-5.19.0': 36,
}

describe.each(Object.keys(TARGETS))('%s', (engine) => {
  const rows = recordedPrompts(engine)
  const target = TARGETS[engine] as BoundTarget

  test('no recorded row with a prompt count falls out', () => {
    expect(rows).toHaveLength(ROWS[engine] as number)
  })

  test('no recorded prompt has more tokens than either bound, without any allowance for templates', () => {
    // SmolLM2's own system prompt is 22 tokens; its chat markup has to fit the markup of messages.
    const bare = { ...target, templateTokens: 24 }
    for (const { name, request, promptTokens } of rows) {
      expect(inputTokenBound(request, bare).tokens, name).toBeGreaterThanOrEqual(promptTokens)
      expect(walkedTokenBound(request, bare).tokens, name).toBeGreaterThanOrEqual(promptTokens)
    }
  })
})
