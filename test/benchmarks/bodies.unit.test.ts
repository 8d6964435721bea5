import { expect, test } from 'vitest'
import { chatBodies } from '../../benchmarks/support/bodies.ts'

test.each([1024, 20_480])('bodies of %d bytes have that size, are valid JSON and never repeat', (bytes) => {
  const body = chatBodies({ bytes, stream: false, from: 0 })
  const seen = new Set<string>()
  for (let count = 0; count < 600; count++) {
    const text = body()
    expect(Math.abs(Buffer.byteLength(text) - bytes)).toBeLessThan(bytes * 0.02)
    const { model, stream } = JSON.parse(text) as { model: unknown; stream?: unknown }
    expect(model).toBe('auto')
    expect(stream).toBeUndefined()
    seen.add(text)
  }
  expect(seen.size).toBe(600)
})

test('a later run that starts at a later number repeats nothing of an earlier one', () => {
  const [first, second] = [0, 300].map((from) => chatBodies({ bytes: 1024, stream: true, from }))
  const texts = Array.from({ length: 300 }, () => first?.())
  const later = new Set(Array.from({ length: 300 }, () => second?.()))
  expect(texts.filter((text) => later.has(text ?? ''))).toEqual([])
})
