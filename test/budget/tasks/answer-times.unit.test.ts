import { expect, test } from 'vitest'
import { AnswerTimes } from '../../../src/budget/tasks/answer-times.ts'
import type { Message } from '../../../src/protocol/request.ts'

const user = (content: string): Message => ({ role: 'user', content })
const result = (toolCallId: string): Message => ({ role: 'tool', toolCallId, content: 'ok' })
const answer: Message = { role: 'assistant', content: 'a' }

test('an answer is known by the transcript before it, the latest where there are several', () => {
  const times = new AnswerTimes()
  times.note([user('hello')], 10)
  times.note([user('hello'), answer, result('a')], 20)
  times.note([user('hello'), answer, result('b')], 30)
  const next = (last: Message): readonly Message[] => [user('hello'), answer, last, answer, result('x')]
  expect(times.of(next(result('a')), 1)).toBe(10)
  expect(times.of(next(result('a')), 3)).toBe(20)
  expect(times.of(next(result('b')), 3)).toBe(30)
  expect(times.of(next(result('c')), 3)).toBeUndefined()
  times.note([user('hello')], 40)
  expect(times.of(next(result('a')), 1)).toBe(40)
})

test('only the last answers are kept', () => {
  const times = new AnswerTimes()
  for (let at = 0; at < 100; at++) times.note([result(`t${at}`)], at)
  expect(times.of([result('t0'), answer], 1)).toBeUndefined()
  expect(times.of([result('t99'), answer], 1)).toBe(99)
})
