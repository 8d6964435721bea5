import { expect, test } from 'vitest'
import { hasOnlyResponses } from '../../src/shared/has-only-responses.ts'

test.each(
  `o1-pro o1-pro-2025-03-19 o3-pro gpt-5-pro gpt-5-pro-2025-10-06 gpt-5.5-pro gpt-5-codex gpt-5.1-codex-max
   gpt-5.1-codex-mini codex-mini-latest o3-deep-research o4-mini-deep-research-2025-06-26 computer-use-preview`.split(
    /\s+/,
  ),
)('%s', (model) => {
  expect(hasOnlyResponses(model)).toBe(true)
})

test.each(['o1', 'o3-mini', 'gpt-5', 'gpt-5-mini', 'gpt-4o', 'gpt-5.1-chat-latest', 'my-codex', 'gpt-5-production'])(
  'not %s',
  (model) => {
    expect(hasOnlyResponses(model)).toBe(false)
  },
)
