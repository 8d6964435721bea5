import { describe, expect, test } from 'vitest'
import type { Capability, Target } from '../../src/gateway/steps.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'
import { expectedPrice, sizeOf } from '../../src/routing/request-size.ts'
import { fitOf, refusal, type Needs } from '../../src/routing/rules.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { chatRequest, target } from '../support/fake-steps.ts'

function needs(request: Partial<ChatRequest> = {}, capabilities: readonly Capability[] = []): Needs {
  return { capabilities, size: sizeOf(chatRequest(request)) }
}

const able = (contextTokens: number | undefined, ...capabilities: Capability[]): Target =>
  target('m', { contextTokens, capabilities: new Set(capabilities) })

test.each<[string, Target, Needs, string]>([
  ['nothing special on a plain model', able(undefined), needs(), 'fits'],
  ['tools on a plain model', able(undefined), needs({}, ['tools']), 'lacks'],
  ['tools on a model with tools', able(undefined, 'tools'), needs({}, ['tools']), 'fits'],
  ['tools and images on a model with tools', able(undefined, 'tools'), needs({}, ['tools', 'images']), 'lacks'],
  ['3,500 bytes in 1,000 tokens', able(1000), needs({ bodyBytes: 3500 }), 'fits'],
  ['3,504 bytes in 1,000 tokens', able(1000), needs({ bodyBytes: 3504 }), 'tight'],
  ['8,000 bytes in 1,000 tokens', able(1000), needs({ bodyBytes: 8000 }), 'tight'],
  ['8,001 bytes in 1,000 tokens', able(1000), needs({ bodyBytes: 8001 }), 'lacks'],
  ['350 bytes and 900 tokens of output', able(1000), needs({ bodyBytes: 350, maxOutputTokens: 900 }), 'fits'],
  ['350 bytes and 901 tokens of output', able(1000), needs({ bodyBytes: 350, maxOutputTokens: 901 }), 'tight'],
  ['350 bytes and 1,000 tokens of output', able(1000), needs({ bodyBytes: 350, maxOutputTokens: 1000 }), 'lacks'],
  ['32 MiB without a known context', able(undefined), needs({ bodyBytes: 33_554_432 }), 'fits'],
])('%s', (_, model, what, fit) => {
  expect(fitOf(model, what)).toBe(fit)
})

test('a picture counts as a picture and not as the bytes of its base64', () => {
  const url = `data:image/png;base64,${'A'.repeat(1_000_000)}`
  const request = chatRequest({ messages: [{ role: 'user', content: [{ type: 'image', url }] }], bodyBytes: 1_000_200 })
  expect(fitOf(able(8192), { capabilities: [], size: sizeOf(request) })).toBe('fits')
})

describe('the refusal where no model can', () => {
  test.each<[Capability, string]>([
    ['tools', 'tools'],
    ['custom_tools', 'tools'],
    ['images', 'messages'],
    ['audio', 'messages'],
    ['json_schema', 'response_format'],
    ['web_search', 'web_search_options'],
    ['logprobs', 'logprobs'],
  ])('%s names %s', (capability, param) => {
    const error = refusal('auto', [able(undefined)], needs({}, [capability]))
    expect(error).toMatchObject({ status: 400, param })
  })

  test('names what the nearest model lacks', () => {
    const error = refusal('auto', [able(undefined), able(undefined, 'tools')], needs({}, ['tools', 'images']))
    expect(error.param).toBe('messages')
  })

  test('says context_length_exceeded where only length is missing, and whose fault it is', () => {
    const tooLong = refusal('auto', [able(1000), able(4000)], needs({ bodyBytes: 100_000 }))
    expect(tooLong).toMatchObject({ code: 'context_length_exceeded', status: 400, param: 'messages' })
    expect(tooLong.message).toContain('4000 tokens')
    const tooMuch = refusal('auto', [able(1000)], needs({ maxOutputTokens: 5000 }))
    expect(tooMuch).toMatchObject({ code: 'context_length_exceeded', param: 'max_completion_tokens' })
  })
})

describe('expected price', () => {
  // 1 nano-dollar per input token and 10 per output token.
  const { price } = target('m')

  test('counts the prompt and an answer of ordinary length, of the cap where that is less', () => {
    expect(expectedPrice(sizeOf(chatRequest({ bodyBytes: 3500 })), price)).toBe(1000 + 280 * 10)
    expect(expectedPrice(sizeOf(chatRequest({ bodyBytes: 3500, maxOutputTokens: 5 })), price)).toBe(1050)
    expect(expectedPrice(sizeOf(chatRequest({ bodyBytes: 3500, maxOutputTokens: 9999 })), price)).toBe(3800)
    expect(expectedPrice(sizeOf(chatRequest({ bodyBytes: 3500, maxOutputTokens: 5, n: 3 })), price)).toBe(1150)
  })

  test('takes the rates of the context tier that the prompt reaches', () => {
    const rates = { inputPerM: toNanoUsd(3_000_000), outputPerM: toNanoUsd(30_000_000) }
    const tiered = price === undefined ? undefined : { ...price, tiers: [{ aboveInputTokens: 1000, ...rates }] }
    expect(expectedPrice(sizeOf(chatRequest({ bodyBytes: 3500, maxOutputTokens: 5 })), tiered)).toBe(1050)
    expect(expectedPrice(sizeOf(chatRequest({ bodyBytes: 7000, maxOutputTokens: 5 })), tiered)).toBe(2000 * 3 + 5 * 30)
  })

  test('is unknown for an unpriced model', () => {
    expect(expectedPrice(sizeOf(chatRequest()), undefined)).toBeUndefined()
  })
})
