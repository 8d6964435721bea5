import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ANY_JSON,
  argumentsGrowth,
  escapeGrowth,
  jsonGrowth,
  normalisationGrowth,
} from '../../../src/budget/hold/rendering.ts'
import type { Json } from '../../../src/protocol/request.ts'
import { json, text } from '../../support/arbitrary-requests.ts'
import { dumps, html } from '../../support/renderings.ts'

/** Every form but the escaped ones. */
const PLAIN = { ...ANY_JSON, escapes: false }
const bytes = (sample: string): number => Buffer.byteLength(sample)

test.each(['NFC', 'NFKC'] as const)('no text is longer in %s than its bytes and its growth', (form) => {
  fc.assert(
    fc.property(text, (sample) => {
      expect(bytes(sample.normalize(form))).toBeLessThanOrEqual(bytes(sample) + normalisationGrowth(sample))
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['plain English', 0],
  ['Grüße, 漢字, 🙂', 0],
  ['\u0958', 3],
  ['\u{1D160}', 8],
  ['\u{FDFA}', 30],
])('%j grows by %i bytes under the longer of both forms', (sample, growth) => {
  expect(normalisationGrowth(sample)).toBe(growth)
})

test('no string is longer inside escaped JSON than its bytes and its growth', () => {
  fc.assert(
    fc.property(text, (sample) => {
      const compact = bytes(JSON.stringify(sample))
      expect(bytes(html(dumps(sample, true)))).toBeLessThanOrEqual(compact + escapeGrowth(sample))
    }),
    { numRuns: 300 },
  )
})

/** The shortest JSON that a client can have written for a value, as far as numbers go. */
const compact = (value: unknown): number => bytes(JSON.stringify(value).replaceAll('100000000000000000000', '1e20'))

test('no JSON is longer than its bytes and its growth, indented by four, with blanks, or escaped', () => {
  fc.assert(
    fc.property(json, (value) => {
      const growth = jsonGrowth(value as Json, 0, PLAIN)
      expect(bytes(JSON.stringify(value, null, 4))).toBeLessThanOrEqual(compact(value) + growth)
      expect(bytes(dumps(value as Json, false))).toBeLessThanOrEqual(compact(value) + growth)
      const escaped = compact(value) + jsonGrowth(value as Json, 0, ANY_JSON)
      expect(bytes(html(dumps(value as Json, true)))).toBeLessThanOrEqual(escaped)
      expect(bytes(dumps(value as Json, false).normalize('NFKC'))).toBeLessThanOrEqual(escaped)
    }),
    { numRuns: 300 },
  )
})

test('no arguments are longer than their bytes and their growth, printed anew or as elements', () => {
  fc.assert(
    fc.property(json, fc.boolean(), (value, isNamed) => {
      const given = JSON.stringify(isNamed ? { value } : value).replaceAll('100000000000000000000', '1e20')
      const parsed = JSON.parse(given) as Json
      expect(bytes(dumps(parsed, false))).toBeLessThanOrEqual(bytes(given) + argumentsGrowth(given, PLAIN))
      expect(bytes(html(dumps(parsed, true)))).toBeLessThanOrEqual(bytes(given) + argumentsGrowth(given, ANY_JSON))
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return
      const elements = Object.entries(parsed).map(
        ([key, item]) =>
          `<arg_key>${key}</arg_key>\n<arg_value>${typeof item === 'string' ? item : dumps(item as Json, false)}</arg_value>\n`,
      )
      expect(bytes(elements.join(''))).toBeLessThanOrEqual(bytes(given) + argumentsGrowth(given, PLAIN))
    }),
    { numRuns: 300 },
  )
})
