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
