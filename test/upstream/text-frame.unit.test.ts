import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StreamDecoder } from '../../src/upstream/openai/decode-stream.ts'
import { TextFrame } from '../../src/upstream/openai/text-frame.ts'

const HEAD = { id: 'chatcmpl-up', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'served' }
const frame = (delta: object, more: object = {}): string =>
  JSON.stringify({ ...HEAD, choices: [{ index: 0, delta, logprobs: null, finish_reason: null, ...more }] })

test('a frame of the learnt form says its content without being parsed, any other frame has to be parsed', () => {
  const form = TextFrame.learn(frame({ content: 'first' }), 'first')
  expect(form?.contentOf(frame({ content: ' token' }))).toBe(' token')
  for (const other of [
    frame({ content: '' }),
    frame({ content: 'a "quote"' }),
    frame({ content: 'line\nend' }),
    frame({ content: 'back\\slash' }),
    frame({ content: 'x' }, { finish_reason: 'stop' }),
    frame({ content: 'x' }, { index: 1 }),
    frame({ role: 'assistant', content: 'x' }),
    frame({ content: 'x' }).replace('chatcmpl-up', 'chatcmpl-uq'),
    frame({ content: 'x' }).replace('"x"', '"x","content":"y"'),
    '',
  ]) {
    expect(form?.contentOf(other), other).toBeUndefined()
  }
})

test('nothing is learnt where the place of the content is not certain', () => {
  expect(TextFrame.learn(frame({ content: 'a', other: { content: 'b' } }), 'a')).toBeUndefined()
  expect(TextFrame.learn(frame({ content: 'a "b"' }), 'a "b"')).toBeUndefined()
  expect(TextFrame.learn(frame({ refusal: 'a' }), 'a')).toBeUndefined()
  expect(TextFrame.learn(frame({ content: 'b' }), 'a')).toBeUndefined()
})

test('a stream says the same whether its frames were read by form or parsed', () => {
  const delta = fc.oneof(
    { weight: 5, arbitrary: fc.record({ content: fc.string({ unit: 'binary', maxLength: 8 }) }) },
    { weight: 1, arbitrary: fc.record({ content: fc.constantFrom('"content":"', '\\', '"}', '\u0001', 'é', '🙂') }) },
    { weight: 1, arbitrary: fc.record({ refusal: fc.string() }) },
    { weight: 1, arbitrary: fc.record({ reasoning_content: fc.string() }) },
  )
  fc.assert(
    fc.property(fc.array(delta, { minLength: 1, maxLength: 30 }), (deltas) => {
      const frames = [frame({ role: 'assistant', content: '' }), ...deltas.map((each) => frame(each))]
      const decoder = new StreamDecoder(100, 1)
      const chunks = frames.map((data) => decoder.feed(Buffer.from(`data: ${data}\n\n`)))
      const events = chunks.flatMap((chunk) => chunk?.events ?? []).filter((event) => event.type !== 'start')
      const expected = deltas.flatMap((each) =>
        Object.entries(each)
          .filter(([, text]) => text !== '')
          .map(([name, text]) => ({ type: name === 'content' ? 'text' : name.split('_')[0], choice: 0, text })),
      )
      expect(events).toEqual(expected)
      // What is relayed as it is says the same as the events do.
      for (const chunk of chunks) {
        if (chunk?.wire === undefined) continue
        const data = JSON.parse(chunk.wire.slice(6)) as { choices: { delta: { content?: string } }[] }
        const text = chunk.events.find((event) => event.type === 'text')
        expect(data.choices[0]?.delta.content ?? '').toBe(text?.text ?? '')
      }
      expect(decoder.error).toBeUndefined()
    }),
  )
})
