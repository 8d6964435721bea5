import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal, mayBecomeRefusal } from '../../../src/routing/cascade/refusal.ts'

const REFUSALS = [
  "I'm sorry, but I can't help with that.",
  'I’m sorry, but I cannot assist with this request.',
  'I cannot provide instructions for that.',
  "**I'm unable to access the internet.**",
  'As an AI language model, I do not have the ability to browse.',
  'Unfortunately, I am not able to open attachments.',
  "I won't write that.",
  'Sorry, but I can’t do this.',
]
const ANSWERS = [
  "I'm sorry to hear that your order is late. It ships tomorrow.",
  'Sorry for the wait! Your refund of $38.50 was issued.',
  'The letter begins with "I cannot come on Friday."',
  'It is not possible to divide by zero.',
  'As an example, take x = 3.',
  'I think the answer is 42.',
  'Unfortunately, the train left at 9. The next one leaves at 10.',
  `I'm sorry for the confusion, I can't have been clear. ${'Here is the whole function again. '.repeat(60)}`,
]

test.each(REFUSALS)('is a refusal: %s', (text) => {
  expect(isRefusal(text)).toBe(true)
})

test.each(ANSWERS)('is an answer: %s', (text) => {
  expect(isRefusal(text)).toBe(false)
})

test('a stream may be let go as soon as it cannot become a refusal, and never before a refusal could be seen', () => {
  expect(mayBecomeRefusal('The')).toBe(false)
  expect(mayBecomeRefusal('I think')).toBe(false)
  expect(mayBecomeRefusal('')).toBe(true)
  for (const refusal of REFUSALS) {
    for (let end = 0; end <= refusal.length; end++) expect(mayBecomeRefusal(refusal.slice(0, end))).toBe(true)
  }
})

test('whatever was let go is no refusal when more of it comes', () => {
  fc.assert(
    fc.property(fc.constantFrom(...REFUSALS, ...ANSWERS), fc.string(), fc.nat(60), (start, more, end) => {
      const begun = start.slice(0, end)
      if (!mayBecomeRefusal(begun)) expect(isRefusal(begun + more)).toBe(false)
    }),
  )
})
