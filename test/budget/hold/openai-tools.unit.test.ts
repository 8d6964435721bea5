/**
 * How many tokens tools have at OpenAI is published for GPT-4o and GPT-4 only, as a way to count them (OpenAI cookbook, "How to count
 * tokens with tiktoken", section 7). The bound must be above that count, with any tokeniser.
 */
import fc from 'fast-check'
import { countTokens as o200k } from 'gpt-tokenizer/encoding/o200k_base'
import { expect, test } from 'vitest'
import { inputTokenBound } from '../../../src/budget/hold/input-bound.ts'
import { walkedTokenBound } from '../../../src/budget/hold/walked-bound.ts'
import type { ChatRequest, Json } from '../../../src/protocol/request.ts'
import { requests } from '../../support/arbitrary-requests.ts'

type Fields = Readonly<Record<string, Json | undefined>>

/** The cookbook's figures: GPT-4 has ten for each function, GPT-4o seven; the rest is the same. */
const PER_FUNCTION = 10
const PER_OBJECT = 3
const PER_PROPERTY = 3
const PER_ENUM = -3
const PER_ENUM_ITEM = 3
const AT_THE_END = 12
/** Seen by others where one function is demanded by name (hmarr/openai-chat-tokens, issue 9). */
const PER_DEMAND = 4

function tokensOfTools({ tools, toolChoice }: ChatRequest, count: (text: string) => number): number {
  if (tools.length === 0) return 0
  let tokens = AT_THE_END
  for (const tool of tools) {
    tokens += PER_FUNCTION + count(`${tool.name}:${tool.description ?? ''}`)
    const schema = (tool.kind === 'function' ? tool.parameters : tool.format) as Fields | undefined
    const properties = Object.entries((schema?.['properties'] ?? {}) as Readonly<Record<string, Fields>>)
    if (properties.length > 0) tokens += PER_OBJECT
    for (const [name, { type, description, enum: items }] of properties) {
      tokens += PER_PROPERTY + count(`${name}:${String(type)}:${String(description ?? '')}`)
      if (!Array.isArray(items)) continue
      tokens += PER_ENUM
      for (const item of items as readonly Json[]) tokens += PER_ENUM_ITEM + count(String(item))
    }
  }
  return tokens + (toolChoice === undefined ? 0 : PER_DEMAND + Math.max(...tools.map(({ name }) => count(name))))
}

test.each([
  ['a byte a token', (text: string) => Buffer.byteLength(text), 300],
  ['o200k_base', (text: string) => o200k(text, { disallowedSpecial: new Set<string>() }), 60],
])('what tools add is bounded, by the count that OpenAI published, with %s', (_name, count, numRuns) => {
  const target = {
    kind: 'openai',
    model: 'gpt-4o',
    contextTokens: undefined,
    extraBody: {},
    isHostedOpenAi: true,
  } as const
  let counted = 0
  fc.assert(
    fc.property(
      requests.filter(({ tools }) => tools.length > 0),
      (request) => {
        // What tools add to the bound of the same messages without them.
        const without: ChatRequest = { ...request, tools: [] }
        const tokens = tokensOfTools(request, count)
        const bare = walkedTokenBound(without, target).tokens
        expect(walkedTokenBound(request, target).tokens - bare).toBeGreaterThanOrEqual(tokens)
        expect(inputTokenBound(request, target).tokens).toBeGreaterThanOrEqual(tokens)
        counted += 1
      },
    ),
    { numRuns },
  )
  expect(counted).toBe(numRuns)
})
