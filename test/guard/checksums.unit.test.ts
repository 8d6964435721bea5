import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  passesCodiceFiscale,
  passesCpf,
  passesIban,
  passesLuhn,
  passesMod11_10,
  passesMod11_2,
  passesVerhoeff,
  passesVin,
} from '../../src/guard/checksums.ts'

/** Numbers that their makers publish as examples. */
const PUBLISHED: readonly (readonly [string, (value: string) => boolean, readonly string[]])[] = [
  ['Luhn', passesLuhn, ['4111111111111111', '378282246310005', '79927398713']],
  ['IBAN', passesIban, ['DE89370400440532013000', 'GB29NWBK60161331926819', 'FR1420041010050500013M02606']],
  ['MOD 11,10', passesMod11_10, ['86095742719', '47036892816', '65929970489']],
  ['MOD 11-2', passesMod11_2, ['11010519491231002X', '440524188001010014']],
  ['Verhoeff', passesVerhoeff, ['2363', '123451']],
  ['VIN', passesVin, ['1HGCM82633A004352', '11111111111111111']],
  ['CPF', passesCpf, ['11144477735', '52998224725']],
  ['codice fiscale', passesCodiceFiscale, ['RSSMRA85T10A562S']],
]

describe.each(PUBLISHED)('%s', (name, passes, examples) => {
  test.each(examples)('%s passes', (example) => {
    expect(passes(example)).toBe(true)
  })

  // MOD 97, Verhoeff, MOD 11,10, MOD 11-2 and Luhn find every wrong digit; the others do in the places that are tried here.
  test('with any one digit changed, an example fails', () => {
    const isComplete = !['VIN', 'CPF', 'codice fiscale'].includes(name)
    fc.assert(
      fc.property(fc.constantFrom(...examples), fc.nat(), fc.integer({ min: 1, max: 9 }), (example, place, by) => {
        const digits = example.split('').flatMap((sign, at) => (/\d/.test(sign) ? [at] : []))
        const at = (isComplete ? digits[place % digits.length] : digits.at(-1)) as number
        const changed = (Number(example[at]) + by) % 10
        expect(passes(example.slice(0, at) + changed + example.slice(at + 1))).toBe(false)
      }),
    )
  })
})

test('a number with its own check digit passes Luhn, and no other check digit does', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[1-9]\d{6,17}$/), (body) => {
      const passing = '0123456789'.split('').filter((digit) => passesLuhn(body + digit))
      expect(passing).toHaveLength(1)
    }),
  )
})
