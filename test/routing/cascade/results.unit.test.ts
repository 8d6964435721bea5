import fc from 'fast-check'
import { expect, test } from 'vitest'
import { viewAnswer } from '../../../src/routing/cascade/answer-view.ts'
import { extractAnswer } from '../../../src/routing/cascade/extract-answer.ts'
import { resultOf } from '../../../src/routing/cascade/result-of.ts'
import { chatRequest, text } from '../../support/fake-steps.ts'

test.each([
  ['She has 3 + 4 = 7 apples.\n#### 7', '7'],
  ['So the total is $1,200.50. The answer is $1,200.50.', '1200.5'],
  ['Therefore \\boxed{\\frac{3}{4}}', '\\frac{3}{4}'],
  ['{"reasoning": "2 and 2", "answer": "4"}', '4'],
  ['{"reasoning": "2 and 2", "answer": 4}', '4'],
  ['The answer is (B).', 'b'],
  ['**Answer:** C', 'c'],
  ['It takes 18.0 hours', '18'],
  ['Paris', 'paris'],
])('%j comes to %s', (said, result) => {
  expect(extractAnswer(said)).toBe(result)
})

test('prose without a result has none', () => {
  expect(
    extractAnswer(
      'The function reads the file, checks every line of it and writes what it found to the log of the service.',
    ),
  ).toBe(undefined)
  expect(extractAnswer('')).toBe(undefined)
})

test('numbers that are written in other ways are the same result', () => {
  fc.assert(
    fc.property(fc.integer({ min: -9_999_999, max: 9_999_999 }), (value) => {
      const plain = extractAnswer(`The answer is ${value}.`)
      expect(extractAnswer(`It follows that\n#### ${value.toLocaleString('en-US')}`)).toBe(plain)
      expect(extractAnswer(`{"answer": ${value}.0}`)).toBe(plain)
      expect(extractAnswer(`Hence \\boxed{${value}}`)).toBe(plain)
    }),
  )
})

test('JSON is compared by its values and calls by their names and arguments', () => {
  const format = { type: 'json_object' as const }
  const of = (said: string): string | undefined => resultOf(chatRequest({ format }), viewAnswer([text(said)]))
  expect(of('{"b":[1,{"d":2,"c":3}],"a":null}')).toBe(of('{ "a": null, "b": [1, {"c": 3, "d": 2}] }'))
  expect(of('{"a":1}')).not.toBe(of('{"a":2}'))
  const calls = (args: string): string | undefined =>
    resultOf(
      chatRequest(),
      viewAnswer([{ events: [{ type: 'tool-call', choice: 0, index: 0, id: 'x', name: 'pay', arguments: args }] }]),
    )
  expect(calls('{"to":"a","usd":5}')).toBe(calls('{"usd": 5, "to": "a"}'))
  expect(calls('{"usd":5}')).not.toBe(calls('{"usd":50}'))
})
