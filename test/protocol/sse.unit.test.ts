import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SseDecoder } from '../../src/protocol/sse.ts'

function decode(pieces: readonly Buffer[], maxChars?: number): readonly (readonly [string, string])[] {
  const events: (readonly [string, string])[] = []
  const decoder = new SseDecoder((data, event) => events.push([data, event]), maxChars)
  for (const piece of pieces) decoder.feed(piece)
  decoder.end()
  return events
}

test.each([
  [
    'data: a\n\ndata: b\n\n',
    [
      ['a', ''],
      ['b', ''],
    ],
  ],
  ['data:a\r\n\r\n', [['a', '']]],
  [
    'data: a\r\rdata: b\r\r',
    [
      ['a', ''],
      ['b', ''],
    ],
  ],
  ['\uFEFFdata: a\n\n', [['a', '']]],
  [': comment\n\ndata: a\n\n', [['a', '']]],
  ['event: x\nid: 1\nretry: 5\nunknown: y\nfoo\ndata: a\n\n', [['a', 'x']]],
  ['data: a\ndata: b\n\n', [['a\nb', '']]],
  ['data:\n\n', []],
  ['data:  two\n\n', [[' two', '']]],
  ['data: unfinished', [['unfinished', '']]],
])('%j', (text, expected) => {
  expect(decode([Buffer.from(text)])).toEqual(expected)
})

test('however the bytes are cut, the events are the same', () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, '')}`),
    fc.constantFrom(': ping', 'event: error', 'id: 7', '', '', 'data', 'data:'),
  )
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat(400), { maxLength: 12 }),
      (lines, eol, cuts) => {
        const bytes = Buffer.from(lines.map((each) => each + eol).join(''))
        const edges = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length]
        const pieces = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
        expect(decode(pieces)).toEqual(decode([bytes]))
      },
    ),
  )
})

test('an event without end is refused before it fills the memory', () => {
  const decoder = new SseDecoder(() => {}, 1000)
  expect(() => {
    for (let i = 0; i < 100; i++) decoder.feed(Buffer.from('data: '.padEnd(100, 'x')))
  }).toThrow(expect.objectContaining({ code: 'upstream_event_too_large' }))
})
