import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CHECKS, type Check } from '../../../src/gateway/checks.ts'
import type { AnswerChunk } from '../../../src/protocol/answer.ts'
import type { ChatRequest } from '../../../src/protocol/request.ts'
import { viewAnswer } from '../../../src/routing/cascade/answer-view.ts'
import { problemOf } from '../../../src/routing/cascade/checks.ts'
import { JsonChecker } from '../../../src/routing/cascade/json-checker.ts'
import { chatRequest, text } from '../../support/fake-steps.ts'

const json = new JsonChecker()
const ORDER = {
  kind: 'function' as const,
  name: 'get_order',
  parameters: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
}

function problem(
  chunks: readonly AnswerChunk[],
  changes: Partial<ChatRequest> = {},
  minLogprob?: number,
): Check | undefined {
  return problemOf(chatRequest(changes), viewAnswer(chunks), { checks: new Set(CHECKS), minLogprob }, json)
}

function call(name: string, ...pieces: readonly string[]): readonly AnswerChunk[] {
  return pieces.map((piece, i) => ({
    events: [{ type: 'tool-call', choice: 0, index: 0, ...(i === 0 ? { id: 'c1', name } : {}), arguments: piece }],
  }))
}

test('an ordinary answer has nothing wrong with it', () => {
  expect(problem([text('The capital of France '), text('is Paris.')])).toBeUndefined()
})

test.each(['', '  \n'])('an answer of no words (%j) is empty', (said) => {
  expect(problem([text(said)])).toBe('empty')
})

test('JSON that was asked for has to be JSON and to fit its schema', () => {
  const format = { type: 'json_schema' as const, name: 'order', schema: ORDER.parameters }
  expect(problem([text('{"id":'), text('7}')], { format })).toBeUndefined()
  expect(problem([text('{"id":"seven"}')], { format })).toBe('json')
  expect(problem([text('Here you are: {"id":7}')], { format })).toBe('json')
  expect(problem([text('{"a":1')], { format: { type: 'json_object' } })).toBe('json')
})

test('arguments of a call have to be JSON of the schema of a tool that was offered', () => {
  expect(problem(call('get_order', '{"id"', ':7}'), { tools: [ORDER] })).toBeUndefined()
  expect(problem(call('get_order', '{"id":7'), { tools: [ORDER] })).toBe('tools')
  expect(problem(call('get_order', '{"order":7}'), { tools: [ORDER] })).toBe('tools')
  expect(problem(call('delete_order', '{"id":7}'), { tools: [ORDER] })).toBe('tools')
})

test('a call without arguments counts as one with an empty object', () => {
  expect(problem(call('ping', ''), { tools: [{ kind: 'function', name: 'ping' }] })).toBeUndefined()
  expect(problem(call('get_order', ''), { tools: [ORDER] })).toBe('tools')
})

test('a schema that means nothing, or points out of itself, is no ground to refuse an answer', () => {
  for (const schema of [{ type: 'nonsense' }, { $ref: 'http://127.0.0.1:9/s.json' }, { properties: 3 as never }]) {
    const format = { type: 'json_schema' as const, name: 'x', schema }
    expect(problem([text('{"a":1}')], { format })).toBeUndefined()
    expect(problem([text('{')], { format })).toBe('json')
  }
})

test('a pattern of a caller is never run, however long it would take', () => {
  const schema = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } }
  const format = { type: 'json_schema' as const, name: 'x', schema }
  expect(problem([text(JSON.stringify({ a: `${'a'.repeat(60)}!` }))], { format })).toBeUndefined()
})

test('two schemas of one $id do not disturb each other', () => {
  const schemaOf = (type: string) => ({ $id: 'same', type })
  const format = (type: string) => ({ type: 'json_schema' as const, name: 'x', schema: schemaOf(type) })
  expect(problem([text('[]')], { format: format('array') })).toBeUndefined()
  expect(problem([text('[]')], { format: format('object') })).toBe('json')
})

test('an end by length is the small model’s own only where the caller set no cap', () => {
  const cut: AnswerChunk = { events: [{ type: 'finish', choice: 0, reason: 'length' }] }
  expect(problem([text('The answer'), cut])).toBe('truncation')
  expect(problem([text('The answer'), cut], { maxOutputTokens: 2 })).toBeUndefined()
})

test('a mean log-probability below the limit is not believed, and none is no sign', () => {
  const logprobs = (...values: readonly number[]): AnswerChunk => ({
    events: [
      { type: 'logprobs', choice: 0, content: values.map((logprob) => ({ token: 'x', logprob })), refusal: null },
    ],
  })
  expect(problem([text('yes'), logprobs(-0.1, -3)], {}, -1)).toBe('logprob')
  expect(problem([text('yes'), logprobs(-0.1, -0.2)], {}, -1)).toBeUndefined()
  expect(problem([text('yes')], {}, -1)).toBeUndefined()
})

test('no answer of whatever text and pieces makes a check throw, and pieces do not matter', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 8 }), (pieces) => {
      const format = { type: 'json_object' as const }
      const whole = problem([text(pieces.join(''))], { format })
      expect(problem(pieces.map(text), { format })).toBe(whole)
    }),
  )
})
