import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSettlements } from '../../src/cli/settlement-file.ts'
import { formatUsd, toNanoUsd } from '../../src/shared/money.ts'
import { parseUsd } from '../../src/shared/parse-usd.ts'

describe('dollars as text', () => {
  test('every amount that is written is read back to the nano-dollar', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (amount) => {
        expect(parseUsd(formatUsd(toNanoUsd(amount)))).toBe(amount)
      }),
    )
  })

  test.each([
    ['0.0000000001', 1],
    ['0.1234567891', 123_456_790],
    ['0.12345678900', 123_456_789],
    ['1234567.123456789', 1_234_567_123_456_789],
    [' 2 ', 2_000_000_000],
    ['9007199.254740991', Number.MAX_SAFE_INTEGER],
  ])('%s is %s nano-dollars, rounded up', (text, amount) => {
    expect(parseUsd(text)).toBe(amount)
  })

  test.each(['', '-1', '+1', '1e3', 'NaN', '.5', '1.', '1,5', '9007199.254740992', '1 2', '0x1'])(
    '"%s" is none',
    (text) => {
      expect(parseUsd(text)).toBeUndefined()
    },
  )
})

test('CSV and JSON lines say the same', () => {
  const csv =
    '\uFEFFid,usd,evidence,input_tokens,output_tokens\r\na/1,0.25,"says ""so"", twice",7,3\r\n\r\nb/1,1e-9,x,,\r\n'
  const json =
    '{"id":"a/1","usd":"0.25","evidence":"says \\"so\\", twice","input_tokens":7,"output_tokens":3}\n\n{"id":"b/1","usd":1e-9,"evidence":"x"}\n'
  expect(() => readSettlements(csv, 'u.csv')).toThrow('u.csv, line 4: usd must be dollars')
  const expected = [
    { id: 'a/1', nano_usd: 250_000_000, evidence: 'says "so", twice', input_tokens: 7, output_tokens: 3 },
    { id: 'b/1', nano_usd: 1, evidence: 'x' },
  ]
  expect(readSettlements(csv.replace('1e-9', '0.000000001'), 'u.csv')).toEqual(expected)
  expect(readSettlements(json, 'u.jsonl')).toEqual(expected)
})

test.each([
  ['id,usd,evidence\na/1,1\n', /u: Invalid Record Length/],
  ['id,usd,evidence\na/1,1,\n', /line 2: it needs an id, usd and evidence/],
  ['id,usd,evidence,input_tokens\na/1,1,x,-1\n', /line 2: input_tokens must be a whole number/],
  ['{"id":1,"usd":1,"evidence":"x"}', /line 1: it needs an id/],
  ['{"id":"a","usd":null,"evidence":"x"}', /line 1: usd must be dollars/],
  ['{"id":"a","usd":1e400,"evidence":"x"}', /line 1: usd must be dollars/],
])('%j is refused with the line and what is wrong', (text, message) => {
  expect(() => readSettlements(text, 'u')).toThrow(message)
})
