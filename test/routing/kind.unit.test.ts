import { expect, test } from 'vitest'
import { featuresOf } from '../../src/routing/features.ts'
import { kindOf } from '../../src/routing/kind.ts'
import { chatRequest } from '../support/fake-steps.ts'

test.each([
  ['Which one?\nA. this\nB. that', 'choice'],
  ['Which one?\n(a) this\n(b) that', 'choice'],
  ['Write a function to find the longest chain.', 'code'],
  ['Fix this:\n```js\nlet a\n```', 'code'],
  ['Find $\\frac{1}{2} + \\sqrt{x}$.', 'formulas'],
  ['Prove that a + b = b + a.', 'formulas'],
  ['Tom has 3 apples and eats 2. How many are left?', 'sums'],
  ['Ann earns twice as much each week as Bob. How much do they earn in total?', 'sums'],
  ['Write a poem about the sea.', 'chat'],
  ['', 'chat'],
])('%j is %s', (content, kind) => {
  expect(kindOf(featuresOf(chatRequest({ messages: [{ role: 'user', content }] })).counts)).toBe(kind)
})

test('a request with tools is one, whatever is asked', () => {
  const request = chatRequest({
    messages: [{ role: 'user', content: 'Which one?\nA. this\nB. that' }],
    tools: [{ kind: 'function', name: 'f' }],
  })
  expect(kindOf(featuresOf(request).counts)).toBe('tools')
})
