import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineBuffer } from '../../src/shared/line-buffer.ts'

test('what was added is what waits, in its order, whatever the characters and however small the start', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 20 })),
      fc.integer({ min: 1, max: 64 }),
      (lines, start) => {
        const buffer = new LineBuffer(start, 1_000_000)
        for (const line of lines) expect(buffer.add(line)).toBe(true)
        expect(buffer.view().toString()).toBe(lines.join(''))
        buffer.clear()
        expect(buffer.length).toBe(0)
        expect(buffer.add('again\n')).toBe(true)
        expect(buffer.view().toString()).toBe('again\n')
      },
    ),
  )
})

test('a line without room is left out whole, and what waits stays as it is', () => {
  const buffer = new LineBuffer(8, 30)
  expect(buffer.add('1234567890')).toBe(true)
  expect(buffer.add('x'.repeat(10))).toBe(false)
  expect(buffer.add('é\n')).toBe(true)
  expect(buffer.view().toString()).toBe('1234567890é\n')
})
