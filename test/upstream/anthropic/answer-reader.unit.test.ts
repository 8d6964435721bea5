import { expect, test } from 'vitest'
import { AnswerReader } from '../../../src/upstream/anthropic/answer-reader.ts'

function started(): AnswerReader {
  const reader = new AnswerReader(100, 1)
  reader.start({ id: 'msg_1', model: 'claude', usage: { input_tokens: 3, output_tokens: 1 } })
  return reader
}

test('a part of a block that has not begun is garbage, and not lost', () => {
  const reader = started()
  expect(() => reader.delta(3, { type: 'text_delta', text: 'LOST' })).toThrow(
    expect.objectContaining({ code: 'upstream_garbage' }),
  )
})

test('a part of a newer kind is left out, whatever block it names', () => {
  const reader = started()
  reader.delta(3, { type: 'smell_delta', smell: 'pine' })
  expect(reader.take().every((event) => event.type === 'start' || event.type === 'usage')).toBe(true)
})

test('a block that begins twice is garbage: the arguments of one call would be lost', () => {
  const reader = started()
  const call = { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }
  reader.open(0, call)
  expect(() => reader.open(0, call)).toThrow(expect.objectContaining({ code: 'upstream_garbage' }))
})

test.each([undefined, null, '', 7])('a tool call whose name is %j is garbage', (name) => {
  expect(() => started().open(0, { type: 'tool_use', id: 'toolu_1', name })).toThrow(
    expect.objectContaining({ code: 'upstream_garbage' }),
  )
})

test('citations that are no objects are left out', () => {
  const reader = started()
  reader.open(0, { type: 'text', text: 'so', citations: [null, 1] })
  reader.close(0)
  expect(reader.take().filter((event) => event.type === 'annotations')).toEqual([])
})

test('why the model refused is told beside what it said, and is no output that anybody counts', () => {
  const reader = started()
  reader.end(
    {
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: 'cyber', explanation: 'I cannot do that.' },
    },
    undefined,
  )
  expect(reader.take().slice(-2)).toEqual([
    { type: 'refusal', choice: 0, text: 'I cannot do that.', aside: { category: 'cyber' } },
    { type: 'finish', choice: 0, reason: 'content_filter' },
  ])
  expect(reader.usage()).toMatchObject({ output: 1, estimated: false })
})

test.each([undefined, null, 'why', {}, { explanation: null }, { explanation: '' }])(
  'a refusal without a reason (%j) is its stop reason alone',
  (stop_details) => {
    const reader = started()
    reader.end({ stop_reason: 'refusal', stop_details }, undefined)
    expect(reader.take().map(({ type }) => type)).toEqual(['start', 'usage', 'finish'])
  },
)
