import { expect, test } from 'vitest'
import { describedSchema } from '../../src/upstream/described-schema.ts'

const schema = { type: 'object', properties: {} } as const

test.each([
  ['none', {}, {}, {}, []],
  ['its own place is free', { description: 'A bill' }, {}, { description: 'A bill' }, []],
  ['its own place is empty', { description: 'A bill' }, { description: '' }, { description: 'A bill' }, []],
  ['the same twice', { description: 'A bill' }, { description: 'A bill' }, { description: 'A bill' }, []],
  [
    'another is there',
    { description: 'A bill' },
    { description: 'B' },
    { description: 'B' },
    ['response_format.description'],
  ],
])('the description of a format: %s', (_name, format, own, sent, names) => {
  const dropped = new Set<string>()
  const made = describedSchema({ type: 'json_schema', name: 's', schema: { ...schema, ...own }, ...format }, dropped)
  expect(made).toEqual({ ...schema, ...sent })
  expect([...dropped]).toEqual(names)
})

test('without a schema it is named', () => {
  const dropped = new Set<string>()
  expect(describedSchema({ type: 'json_schema', name: 's', description: 'A bill' }, dropped)).toBeUndefined()
  expect([...dropped]).toEqual(['response_format.description'])
})
