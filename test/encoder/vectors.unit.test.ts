import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { meanVector } from '../../src/encoder/mean-vector.ts'
import { readableText } from '../../src/encoder/readable-text.ts'
import { createTokeniser } from '../../src/encoder/text-tokens.ts'
import { VectorStore } from '../../src/encoder/vector-store.ts'

const file = (name: string): string =>
  readFileSync(new URL(`../../router-models/minilm-l6/${name}`, import.meta.url), 'utf8')
const tokenise = createTokeniser(file('tokenizer.json'), file('tokenizer_config.json'))
const golden = JSON.parse(
  readFileSync(new URL('../fixtures/encoder/golden.json', import.meta.url), 'utf8'),
) as readonly { readonly text: string; readonly ids: readonly number[] }[]

describe('tokens', () => {
  test.each(golden.map(({ text, ids }) => [text.slice(0, 30), text, ids] as const))(
    'of %j are those of the Rust tokeniser',
    (_name, text, ids) => expect(tokenise(text, 256).ids).toEqual(ids),
  )

  test('of any text begin with [CLS], end with [SEP], and are never more than asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 3, max: 256 }), (text, most) => {
        const { ids, pieces, isCut } = tokenise(readableText(text, most).text, most)
        expect([ids[0], ids.at(-1)]).toEqual([101, 102])
        expect(ids.length).toBeLessThanOrEqual(most)
        expect(pieces).toHaveLength(ids.length)
        if (isCut) expect(ids).toHaveLength(most)
      }),
    )
  })
})

test('what is read of a text is its beginning, well formed, and no more than a few kilobytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 3000 }), (text, times) => {
      const long = text.repeat(times).slice(0, 2_000_000)
      const { text: read, isCut } = readableText(long, 48)
      expect(read.isWellFormed()).toBe(true)
      expect(read.length).toBeLessThanOrEqual(48 * 24)
      expect(isCut).toBe(long.length > read.length)
    }),
  )
  expect(readableText('a\ud800b', 48).text).toBe('a\ufffdb')
})

test('a mean has length 1 and the direction of the sum', () => {
  const row = fc.float32Array({ minLength: 4, maxLength: 4, noNaN: true, min: -100, max: 100 })
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 9 }), (rows) => {
      const sum = [0, 1, 2, 3].map((at) => rows.reduce((total, each) => total + (each[at] as number), 0))
      fc.pre(Math.hypot(...sum) > 0.1)
      const mean = meanVector(Float32Array.from(rows.flatMap((each) => [...each])), 4)
      expect(Math.hypot(...mean)).toBeCloseTo(1, 5)
      const cosine = sum.reduce((total, each, at) => total + each * (mean[at] as number), 0) / Math.hypot(...sum)
      expect(cosine).toBeGreaterThan(0.999)
    }),
  )
  expect([...meanVector(new Float32Array(8), 4)]).toEqual([0, 0, 0, 0])
})

test('the store forgets what was asked for longest ago, and holds no more than it may', () => {
  const store = new VectorStore(18_000)
  const embedded = { vector: new Float32Array(384), tokens: 5, isCut: false }
  for (let at = 0; at < 100; at++) {
    store.set(String(at), 256, embedded)
    expect(store.get('0', 256)).toBe(embedded)
  }
  expect(store.size).toBe(10)
  expect(store.get('50', 256)).toBeUndefined()
  expect(store.get('99', 256)).toBe(embedded)
})
