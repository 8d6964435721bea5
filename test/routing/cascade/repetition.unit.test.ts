import fc from 'fast-check'
import { expect, test } from 'vitest'
import { endsInLoop } from '../../../src/routing/cascade/repetition.ts'

const PROSE =
  'A gateway stands between agents and models. It counts what they cost, and it says no before the money is gone. '

test('a text that says the same over and over at its end is in a loop', () => {
  expect(endsInLoop(PROSE + 'I will now check the order. '.repeat(12))).toBe(true)
  expect(endsInLoop('the the the '.repeat(30))).toBe(true)
  expect(endsInLoop(`${PROSE}${'Let me try again.\n'.repeat(7)}`)).toBe(true)
})

test.each([
  ['prose', PROSE.repeat(3)],
  ['a rule', PROSE + '-'.repeat(300)],
  ['digits', `${PROSE}${'0123'.repeat(80)}`],
  ['a table', Array.from({ length: 40 }, (_, i) => `| row ${i} | value ${i * 7} |`).join('\n')],
  ['a short text', 'no no no no no no no'],
  ['a loop that was left', 'again '.repeat(60) + PROSE + PROSE],
])('%s is none', (_name, text) => {
  expect(endsInLoop(text)).toBe(false)
})

test('any piece with words that comes ten times in a row at the end is found', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 40 }), (noise) => {
      expect(endsInLoop(PROSE + `word ${noise.trim()} end `.repeat(20))).toBe(true)
    }),
  )
})
