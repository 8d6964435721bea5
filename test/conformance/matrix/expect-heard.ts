import { expect } from 'vitest'
import {
  CAP,
  NEXT_QUESTION,
  OTHER_TOOL,
  PAST_CALLS,
  PNG,
  QUESTION,
  SCHEMA,
  SEED,
  SIGNATURE,
  STOP,
  THOUGHT,
  TOOL,
  TOP_LOGPROBS,
  type Capability,
} from '../../../scripts/compatibility/matrix/capabilities.ts'
import type { Egress } from '../../../scripts/compatibility/matrix/egresses.ts'
import type { Heard } from './heard.ts'

const SIGNERS: readonly Egress['name'][] = ['openai, Responses', 'anthropic', 'google']

/** The provider was asked for the capability. `isLeftOut`: it was asked all the rest. */
export function expectHeard(capability: Capability, egress: Egress, heard: Heard, isLeftOut: boolean): void {
  expect(heard.texts).toContain(QUESTION)
  switch (capability) {
    case 'tools':
      expect(heard.tools).toEqual([TOOL, OTHER_TOOL])
      expectPast(heard, 1)
      break
    case 'parallel tools':
      expect(heard.tools).toEqual([TOOL, OTHER_TOOL])
      expectPast(heard, 2)
      break
    case 'tool result with image':
      expect(heard.pictures).toEqual([PNG])
      expectPast(heard, 1)
      break
    case 'image in':
      expect(heard.pictures).toEqual([PNG])
      break
    case 'structured output':
      expect(heard.schema).toEqual(SCHEMA)
      break
    case 'reasoning kept across turns with its signature': {
      expect(heard.texts).toContain(NEXT_QUESTION)
      const signature = SIGNERS.includes(egress.name) ? SIGNATURE : ''
      expect(heard.thoughts).toEqual(isLeftOut ? [] : [{ text: THOUGHT, signature }])
      break
    }
    case 'stop':
      expect(heard.stop).toEqual([STOP])
      break
    case 'max-tokens cut':
      expect(heard.cap).toBe(CAP)
      break
    case 'logprobs':
      expect(heard.topLogprobs).toBe(TOP_LOGPROBS)
      expect(heard.wantsLogprobs).toBe(true)
      break
    case 'seed':
      expect(heard.seed).toBe(isLeftOut ? undefined : SEED)
      break
    case 'n>1':
      expect(heard.n).toBe(2)
      break
    case 'stream':
    case 'error before stream':
    case 'error in stream':
      expect(heard.isStream).toBe(true)
      break
    case 'text':
    case 'refusal':
    case 'cached-token usage':
      break
    default:
      capability satisfies never
  }
}

/** Calls with their arguments, and each result with the id of its call, whatever form the ids have there. */
function expectPast({ calls, results }: Heard, count: number): void {
  const past = PAST_CALLS.slice(0, count)
  expect(calls.map(({ name, quay }) => ({ name, quay }))).toEqual(
    past.map(({ name, arguments: args }) => ({ name, quay: (JSON.parse(args) as { quay: string }).quay })),
  )
  expect(results).toEqual(past.map(({ result }, at) => ({ id: calls[at]?.id, text: result })))
  expect(new Set(calls.map(({ id }) => id)).size).toBe(count)
}
