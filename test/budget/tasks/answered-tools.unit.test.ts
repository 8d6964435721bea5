import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answeredTools } from '../../../src/budget/tasks/answered-tools.ts'
import type { Message } from '../../../src/protocol/request.ts'

const answers = (...ids: readonly string[]): readonly Message[] =>
  ids.map((toolCallId) => ({ role: 'tool', toolCallId, content: 'ok' }))

test('a tool call counts once, however often the transcript is sent', () => {
  const seen = new Set<string>()
  expect(answeredTools(answers('a', 'b'), seen)).toHaveLength(2)
  expect(answeredTools(answers('a', 'b', 'c'), seen)).toHaveLength(1)
})

test('an id that a model gave twice in one transcript is two calls, and stays two', () => {
  const seen = new Set<string>()
  expect(answeredTools(answers('a', 'b'), seen)).toHaveLength(2)
  expect(answeredTools(answers('a', 'b', 'a'), seen)).toHaveLength(1)
  expect(answeredTools(answers('a', 'b', 'a'), seen)).toHaveLength(0)
})

test('a transcript whose beginning was cut off adds nothing that was counted before', () => {
  const ids = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 20 })
  fc.assert(
    fc.property(ids, fc.nat({ max: 20 }), (all, from) => {
      const seen = new Set<string>()
      expect(answeredTools(answers(...all), seen)).toHaveLength(all.length)
      expect(answeredTools(answers(...all.slice(from)), seen)).toHaveLength(0)
    }),
  )
})

test('an answered call is known with its name and arguments and the place that asked for it, also where an id comes twice', () => {
  const asks = (id: string, name: string): Message => ({
    role: 'assistant',
    content: null,
    toolCalls: [{ id, kind: 'function', name, arguments: `{"of":"${name}"}` }],
  })
  const messages = [asks('a', 'first'), ...answers('a'), asks('a', 'second'), ...answers('a', 'lost')]
  expect(answeredTools(messages, new Set())).toMatchObject([
    { key: 'a', call: { name: 'first', arguments: '{"of":"first"}' }, askedAt: 0 },
    { key: 'a\n2', call: { name: 'second' }, askedAt: 2 },
    { key: 'lost', call: undefined, askedAt: undefined },
  ])
  // Only what is new is looked for.
  expect(answeredTools(messages, new Set(['a', 'lost']))).toMatchObject([{ key: 'a\n2', call: { name: 'second' } }])
})
