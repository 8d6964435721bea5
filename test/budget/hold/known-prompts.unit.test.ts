import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KnownPrompts } from '../../../src/budget/hold/known-prompts.ts'
import { planHold } from '../../../src/budget/hold/plan-hold.ts'
import type { ChatRequest, Message } from '../../../src/protocol/request.ts'
import { toNanoUsd } from '../../../src/shared/money.ts'
import { requests } from '../../support/arbitrary-requests.ts'
import { chatRequest } from '../../support/fake-steps.ts'
import { ENGINE_RENDERINGS } from '../../support/renderings.ts'
import { makePrice } from '../../../src/budget/prices/make-price.ts'

const TARGET = { upstream: 'gpu', kind: 'vllm', model: 'm', contextTokens: undefined, extraBody: {} } as const
const user = (content: string): Message => ({ role: 'user', content })
const long = user('a long beginning '.repeat(1000))

function knowing(request: ChatRequest, tokens: number): KnownPrompts {
  const known = new KnownPrompts()
  known.note(request, TARGET, tokens)
  return known
}

describe('what was billed for the beginning of a transcript bounds the whole', () => {
  const before = chatRequest({ messages: [long] })
  const after = chatRequest({ messages: [long, { role: 'assistant', content: 'yes' }, user('more')] })

  test('with the bytes of what is new', () => {
    const bound = knowing(before, 3000).bound(after, TARGET) ?? Infinity
    expect(bound).toBeGreaterThan(3000)
    expect(bound).toBeLessThan(6000)
  })

  test('by the longest beginning that is known', () => {
    const known = knowing(before, 3000)
    known.note(chatRequest({ messages: after.messages.slice(0, 2) }), TARGET, 2000)
    expect(known.bound(after, TARGET)).toBeLessThan(3000 + 1200)
    expect(known.bound(before, TARGET)).toBeGreaterThanOrEqual(3000)
  })

  test('by the shortest of the prompts that begin so', () => {
    const known = knowing(chatRequest({ messages: [long, user('a')] }), 3000)
    known.note(chatRequest({ messages: [long, user('b')] }), TARGET, 8000)
    expect(known.bound(after, TARGET)).toBeLessThan(4500)
  })

  test('also where the marker of a cache has wandered', () => {
    const marked = (cache: boolean): Message => ({
      role: 'user',
      content: [{ type: 'text', text: 'hello', ...(cache ? { cache: { ttl: '5m' } as const } : {}) }],
    })
    const known = knowing(chatRequest({ messages: [marked(true)] }), 10)
    expect(known.bound(chatRequest({ messages: [marked(false), marked(true)] }), TARGET)).toBeDefined()
  })

  test('also where the last messages were rewritten, unless a turn that is gone may have left out reasoning', () => {
    const thought = { type: 'reasoning', text: 'hm' } as const
    const said = (reasoning: boolean): Message => ({
      role: 'assistant',
      content: 'yes',
      ...(reasoning ? { reasoning: [thought] } : {}),
    })
    for (const isThinking of [false, true]) {
      const begin = [long, said(isThinking)]
      const known = knowing(chatRequest({ messages: [...begin, user('a'), user('b'), user('c')] }), 3000)
      const whole = known.bound(
        chatRequest({ messages: [...begin, user('a'), user('b'), user('c'), user('d')] }),
        TARGET,
      )
      expect(whole).toBeLessThan(4500)
      const rewritten = known.bound(chatRequest({ messages: [...begin, user('x'), user('d')] }), TARGET)
      if (isThinking) expect(rewritten).toBeUndefined()
      else expect(rewritten).toBeLessThan(4500)
    }
  })

  const tools = [{ kind: 'function', name: 'f' }] as const
  test.each<readonly [string, ChatRequest, Partial<typeof TARGET> & object]>([
    ['another beginning', { ...after, messages: [user('other'), ...after.messages.slice(1)] }, {}],
    ['a shorter transcript', { ...after, messages: [] }, {}],
    ['other tools', { ...after, tools }, {}],
    ['another format', { ...after, format: { type: 'json_object' } }, {}],
    ['other thinking', { ...after, thinking: { type: 'adaptive' } }, {}],
    ['passed fields', { ...after, passed: { context_management: {} } }, {}],
    ['switches by name', { ...after, betas: ['interleaved-thinking-2025-05-14'] }, {}],
    ['another model', after, { model: 'n' as 'm' }],
    ['another upstream', after, { upstream: 'cpu' as 'gpu' }],
  ])('but says nothing of %s', (_what, request, changes) => {
    expect(knowing(before, 3000).bound(request, { ...TARGET, ...changes })).toBeUndefined()
  })

  test('nor where the provider edits the transcript; what only switches something on may stay on', () => {
    const betas = ['context-management-2025-06-27']
    const on = { ...before, betas }
    expect(knowing(on, 3000).bound({ ...after, betas, maxOutputTokens: 9, stream: true }, TARGET)).toBeLessThan(6000)
    const edited = { ...before, thinking: { type: 'enabled', context_management: { edits: [] } } } as ChatRequest
    expect(knowing(edited, 3000).bound(edited, TARGET)).toBeUndefined()
    const body = { ...TARGET, extraBody: { context_management: { edits: [] } } }
    const known = new KnownPrompts()
    known.note(before, body, 3000)
    expect(known.bound(after, body)).toBeUndefined()
  })

  test('and only of so many', () => {
    const known = knowing(before, 3000)
    for (let i = 0; i < 64; i++) known.note(chatRequest({ messages: [user(`other ${i}`)] }), TARGET, 10)
    expect(known.bound(after, TARGET)).toBeUndefined()
  })

  test('a hold of a call that its bytes do not fit is sized by it, and no tokeniser is asked', () => {
    const price = makePrice({ inputPerM: toNanoUsd(1_000_000), outputPerM: toNanoUsd(1_000_000) }, 'test')
    const signal = new AbortController().signal
    const request = { ...after, bodyBytes: 18_000, maxOutputTokens: 100 }
    const asked = (): never => {
      throw new Error('asked')
    }
    const remaining = toNanoUsd(6000)
    const given = { request, target: TARGET, price, remaining, signal }
    expect(planHold(given, undefined).valueOf()).toMatchObject({ kind: 'refused' })
    const known = knowing(before, 3000)
    expect(planHold({ ...given, known }, { refine: asked })).toMatchObject({ kind: 'hold', outputCap: 100 })
  })
})

test.each(Object.entries(ENGINE_RENDERINGS))(
  'no prompt as %s renders it has more tokens, wherever the known beginning ends',
  (_name, render) => {
    fc.assert(
      fc.property(requests, fc.nat(), (request, cut) => {
        const messages = request.messages.slice(0, (cut % request.messages.length) + 1)
        const beginning = { ...request, messages }
        const isThinking = request.messages.some(
          (each) => each.role === 'assistant' && (each.reasoning ?? []).length > 0,
        )
        const extended = { ...request, messages: [...request.messages, user('a rewritten end')] }
        for (const [sent, count] of [
          [beginning, bytesOf],
          [beginning, tokensOf],
          [extended, tokensOf],
        ] as const) {
          const bound = knowing(sent, count(render(sent))).bound(request, TARGET)
          if (Object.keys(request.passed).length > 0 || (sent === extended && isThinking)) expect(bound).toBeUndefined()
          else expect(count(render(request))).toBeLessThanOrEqual(bound ?? -1)
        }
      }),
      { numRuns: 60 },
    )
  },
)

function bytesOf(text: string): number {
  return Buffer.byteLength(text)
}

function tokensOf(text: string): number {
  return countTokens(text, { disallowedSpecial: new Set<string>() })
}
