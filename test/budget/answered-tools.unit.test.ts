import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countAnsweredTools } from '../../src/budget/answered-tools.ts'
import type { Message } from '../../src/protocol/request.ts'

const answers = (...ids: readonly string[]): readonly Message[] =>
  ids.map((toolCallId) => ({ role: 'tool', toolCallId, content: 'ok' }))

test('a tool call counts once, however often the transcript is sent', () => {
  const seen = new Set<string>()
  expect(countAnsweredTools(answers('a', 'b'), seen)).toBe(2)
  expect(countAnsweredTools(answers('a', 'b', 'c'), seen)).toBe(1)
})

test('an id that a model gave twice in one transcript is two calls, and stays two', () => {
  const seen = new Set<string>()
  expect(countAnsweredTools(answers('a', 'b'), seen)).toBe(2)
  expect(countAnsweredTools(answers('a', 'b', 'a'), seen)).toBe(1)
  expect(countAnsweredTools(answers('a', 'b', 'a'), seen)).toBe(0)
})

test('a transcript whose beginning was cut off adds nothing that was counted before', () => {
  const ids = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 20 })
  fc.assert(
    fc.property(ids, fc.nat({ max: 20 }), (all, from) => {
      const seen = new Set<string>()
      expect(countAnsweredTools(answers(...all), seen)).toBe(all.length)
      expect(countAnsweredTools(answers(...all.slice(from)), seen)).toBe(0)
    }),
  )
})
