import { expect } from 'vitest'
import {
  ANSWER,
  LOGPROB,
  NEW_CALLS,
  OBJECT,
  OTHER_ANSWER,
  REFUSAL,
  THOUGHT,
  USAGE,
  type Capability,
  type Ingress,
} from '../../../scripts/compatibility/matrix/capabilities.ts'
import type { Egress } from '../../../scripts/compatibility/matrix/egresses.ts'
import type { Got } from './got.ts'
import { PRICE } from './world.ts'

/** Why an answer ended, in the words of each API. */
const ENDS: Readonly<Record<Ingress, Readonly<Record<'stop' | 'length' | 'calls' | 'filter', string>>>> = {
  'openai-chat': { stop: 'stop', length: 'length', calls: 'tool_calls', filter: 'content_filter' },
  'openai-responses': {
    stop: 'completed',
    length: 'max_output_tokens',
    calls: 'completed',
    filter: 'content_filter',
  },
  'anthropic-messages': { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use', filter: 'refusal' },
}

/** The caller got what the provider said, and what it cost. */
export function expectGot(capability: Capability, ingress: Ingress, egress: Egress, got: Got): void {
  const ends = ENDS[ingress]
  expectUsage(capability, egress, got)
  switch (capability) {
    case 'tools':
      expectCalls(got, 1)
      expect(got.finish).toBe(ends.calls)
      break
    case 'parallel tools':
      expectCalls(got, egress.name === 'tgi' ? 1 : 2)
      expect(got.finish).toBe(ends.calls)
      break
    case 'structured output':
      expect(got.texts).toEqual([OBJECT])
      break
    case 'reasoning kept across turns with its signature':
      expect(got.thought).toBe(THOUGHT)
      expect(got.texts).toEqual([ANSWER])
      break
    case 'refusal':
      expectRefusal(ingress, egress, got)
      break
    case 'max-tokens cut':
      expect(got.texts).toEqual([ANSWER])
      expect(got.finish).toBe(ends.length)
      break
    case 'logprobs':
      expect(got.logprobs.length).toBeGreaterThan(0)
      expect(new Set(got.logprobs)).toEqual(new Set([LOGPROB]))
      expect(got.texts).toEqual([ANSWER])
      break
    case 'n>1':
      expect(got.texts).toEqual([ANSWER, OTHER_ANSWER])
      break
    case 'text':
    case 'stream':
    case 'tool result with image':
    case 'image in':
    case 'stop':
    case 'seed':
    case 'cached-token usage':
      expect(got.texts).toEqual([ANSWER])
      expect(got.finish).toBe(ends.stop)
      break
    case 'error before stream':
    case 'error in stream':
      throw new Error('An error is no answer.')
    default:
      capability satisfies never
  }
}

function expectUsage(capability: Capability, egress: Egress, { usage }: Got): void {
  const cached = capability === 'cached-token usage' && egress.name !== 'tgi' ? USAGE.cached : 0
  const { inputPerM, cachedInputPerM, outputPerM } = PRICE
  const nanoUsd = Math.round(
    1000 * ((USAGE.input - cached) * inputPerM + cached * cachedInputPerM + USAGE.output * outputPerM),
  )
  expect(usage).toEqual({ input: USAGE.input, cached, output: USAGE.output, nanoUsd })
}

function expectCalls({ calls }: Got, count: number): void {
  const expected = NEW_CALLS.slice(0, count)
  expect(calls.map(({ name, quay }) => ({ name, quay }))).toEqual(
    expected.map(({ name, arguments: args }) => ({ name, quay: (JSON.parse(args) as { quay: string }).quay })),
  )
  // TGI numbers its calls from 0, which would be the same id in every turn.
  for (const { id } of calls) expect(id).toMatch(/\w{4}/)
  expect(new Set(calls.map(({ id }) => id)).size).toBe(count)
}

function expectRefusal(ingress: Ingress, egress: Egress, { texts, refusal, finish }: Got): void {
  const ends = ENDS[ingress]
  const isMessages = ingress === 'anthropic-messages'
  switch (egress.name) {
    case 'openai':
    case 'openai, Responses':
      expect(refusal).toBe(REFUSAL)
      // Callers of Anthropic read the text; it ends as a refusal there.
      expect(texts).toEqual([isMessages ? REFUSAL : ''])
      expect(finish).toBe(isMessages ? ends.filter : ends.stop)
      break
    case 'anthropic':
      expect(refusal).toBe(REFUSAL)
      expect(texts).toEqual([''])
      expect(finish).toBe(ends.filter)
      break
    case 'google':
      expect({ texts, refusal, finish }).toEqual({ texts: [''], refusal: '', finish: ends.filter })
      break
    case 'vllm':
    case 'tgi':
      expect({ texts, refusal, finish }).toEqual({ texts: [REFUSAL], refusal: '', finish: ends.stop })
      break
    default:
      egress.name satisfies never
  }
}
