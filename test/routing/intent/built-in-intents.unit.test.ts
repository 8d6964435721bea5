import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { featuresOf } from '../../../src/routing/features.ts'
import { decodeBuiltIn, encodeBuiltIn, loadBuiltInIntents } from '../../../src/routing/intent/built-in-file.ts'
import { IntentReader } from '../../../src/routing/intent/intent-reader.ts'
import { learnIntentsAtOnce } from '../../../src/routing/intent/learn-intents.ts'
import { BUILT_IN_INTENTS, OTHER_INTENT } from '../../../src/shared/intent-names.ts'
import { chatRequest } from '../../support/fake-steps.ts'

const MODEL = fileURLToPath(new URL('../../../router-models/intents/builtin', import.meta.url))
const builtIn = loadBuiltInIntents(MODEL)

function read(content: string, changes: Parameters<typeof chatRequest>[0] = {}) {
  return builtIn.read(featuresOf(chatRequest({ messages: [{ role: 'user', content }], ...changes })))
}

describe('without the encoder', () => {
  test.each([
    ['Solve the equation 5x + 2 = 17 and find x.', 'maths'],
    ['Tell me a bedtime story with a dragon and write a poem about it', 'creative_writing'],
    ['hello, how are you?', 'chat'],
  ])('%s', (text, intent) => expect(read(text).name).toBe(intent))

  test('an output schema and tools speak for themselves', () => {
    const schema = { type: 'object', properties: { name: { type: 'string' } } }
    const format = { type: 'json_schema', name: 'person', schema } as const
    const text = 'Extract the names from the text below.'
    expect(read(text, { format }).confidence).toBeGreaterThan(read(text).confidence)
    expect(read(text, { format }).name).toBe('extraction')
    const tools = [
      { kind: 'function', name: 'book_table', description: 'Book a table in a restaurant', parameters: schema },
    ] as const
    expect(read('Book a table for two at eight', { tools }).name).toBe('tool_use')
  })

  test('nothing asked is `other`', () => {
    expect(read('')).toMatchObject({ name: OTHER_INTENT, isOutOfScope: true })
  })

  test('whatever is asked, the name is one of the closed set and the confidence a probability', () => {
    const names = new Set<string>([...BUILT_IN_INTENTS, OTHER_INTENT])
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (text) => {
        const { name, confidence, isOutOfScope } = read(text)
        expect(names).toContain(name)
        expect(confidence).toBeGreaterThan(0)
        expect(confidence).toBeLessThanOrEqual(1)
        expect(isOutOfScope).toBe(name === OTHER_INTENT)
      }),
    )
  })

  test('another request in between changes nothing', () => {
    const features = featuresOf(chatRequest({ messages: [{ role: 'user', content: 'Translate this into French.' }] }))
    const first = builtIn.read(features)
    read('Solve 3x = 9')
    expect(builtIn.read(features)).toEqual(first)
  })
})

describe('the files', () => {
  const files = { bin: readFileSync(`${MODEL}.bin`), json: readFileSync(`${MODEL}.json`, 'utf8') }

  test('say the same when they are written again', () => {
    const meta = JSON.parse(files.json) as { encoderSha256: string }
    const again = encodeBuiltIn(decodeBuiltIn(files), meta.encoderSha256)
    expect(again.json).toBe(files.json)
    expect(Buffer.compare(again.bin, files.bin)).toBe(0)
  })

  test('are refused where a byte is another one', () => {
    const bin = Uint8Array.from(files.bin)
    bin[1000] = (bin[1000] as number) ^ 1
    expect(() => decodeBuiltIn({ ...files, bin })).toThrow(/SHA-256/)
    expect(() => loadBuiltInIntents('/nowhere/builtin')).toThrow(/intent:train/)
  })
})

test("an intent of one's own goes before the built-in one, once it is learned and only in its scope", () => {
  const unit = (at: number): Float32Array => {
    const vector = new Float32Array(384)
    vector[at] = 1
    vector[(at + 7) % 384] = 0.1
    return vector
  }
  const features = featuresOf(chatRequest({ messages: [{ role: 'user', content: 'Solve 3x + 7 = 22.' }] }))
  const reader = new IntentReader(builtIn, { own: ['algebra'] })
  expect(reader.names).toEqual(['algebra', ...BUILT_IN_INTENTS, OTHER_INTENT])
  expect([reader.wantsVector, reader.read(features, unit(3)).name]).not.toContain('algebra')
  const vectors = Array.from({ length: 10 }, (_, i) => {
    const vector = unit(3)
    vector[20 + i] = 0.2
    return vector
  })
  reader.learned(learnIntentsAtOnce([{ name: 'algebra', vectors }], { background: [unit(100), unit(200)] }), 0.05)
  expect(reader.wantsVector).toBe(true)
  expect(reader.read(features, unit(3)).name).toBe('algebra')
  expect(reader.read(features, unit(150)).name).not.toBe('algebra')
  expect(reader.read(features).name).toBe('maths')
})
