import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ToolNames } from '../../../src/budget/tasks/tool-names.ts'

test.each([
  [['refund'], 'refund', true],
  [['refund'], 'refund_all', false],
  [['refund*'], 'refund', true],
  [['refund*'], 'a_refund', false],
  [['*_write'], 'file_write', true],
  [['*_write'], 'file_write_dry', false],
  [['db*write*'], 'db_over_write_2', true],
  [['a*a'], 'a', false],
  [['a*b*b'], 'ab', false],
  [['a*b*b'], 'abb', true],
  [['*'], '', true],
  [['a.b'], 'aXb', false],
  [['x', 'y*'], 'yes', true],
  [[], 'x', false],
])('%j has %s: %s', (names, name, expected) => {
  expect(new ToolNames(names).has(name)).toBe(expected)
})

test('a star stands for exactly what a regular expression would let it', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 })
  fc.assert(
    fc.property(text, name, (pattern, given) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '[^]*')}$`).test(given)
      expect(new ToolNames([pattern]).has(given)).toBe(expected)
    }),
    { numRuns: 1000 },
  )
})
