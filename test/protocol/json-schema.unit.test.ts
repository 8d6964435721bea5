/** Schemas that would hurt an engine are refused, those that people write are not. */
import { expect, test } from 'vitest'
import { findSchemaFault } from '../../src/protocol/json-schema.ts'

const LIST = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      type: 'object',
      properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
    },
  },
}

test.each<[string, unknown]>([
  ['a linked list', LIST],
  [
    'a tree that refers to its root',
    { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } },
  ],
  ['the draft 2020 way of the same', { type: 'object', properties: { child: { $dynamicRef: '#node' } } }],
  ['a property that is called $ref', { type: 'object', properties: { $ref: { type: 'string' } } }],
  ['dependencies of draft 7', { dependencies: { a: ['b'], c: { required: ['d'] } } }],
  ['a reference in a value', { enum: [{ $ref: 'http://127.0.0.1/' }], default: { $ref: 'file:///etc/passwd' } }],
  ['an anchor', { allOf: [{ $ref: '#base' }], $defs: { base: { $anchor: 'base', type: 'object' } } }],
  ['two ways to one part', { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }], $defs: { a: { type: 'object' } } }],
])('%s is accepted', (_what, schema) => {
  expect(findSchemaFault(schema)).toBeUndefined()
})

test.each<[string, unknown]>([
  ['to itself', { $ref: '#' }],
  ['round two', { $ref: '#/$defs/x', $defs: { x: { $ref: '#/$defs/y' }, y: { $ref: '#/$defs/x' } } }],
  ['through allOf', { allOf: [{ $ref: '#' }] }],
  [
    'through anyOf and not',
    { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ type: 'null' }, { not: { $ref: '#/$defs/a' } }] } } },
  ],
  ['through if', { if: { $ref: '#' } }],
])('a reference that goes %s is refused', (_what, schema) => {
  expect(findSchemaFault(schema)).toMatch(/goes round in a circle/)
})

test.each(['$ref', '$dynamicRef', '$recursiveRef'])('%s never points outside', (key) => {
  for (const target of [
    'http://127.0.0.1/s',
    'https://example.com/s',
    'file:///etc/passwd',
    'other.json#/a',
    '//h/s',
    '',
  ]) {
    for (const schema of [
      { [key]: target },
      { properties: { a: { [key]: target } } },
      { dependencies: { a: { [key]: target } } },
      { additionalItems: { [key]: target } },
      { contentSchema: { [key]: target } },
    ])
      expect(findSchemaFault(schema), JSON.stringify(schema)).toMatch(/may only point inside/)
  }
})

test('many ways through many references are looked at once each', () => {
  const $defs: Record<string, unknown> = { d0: { type: 'string' } }
  for (let i = 1; i <= 30; i++)
    $defs[`d${i}`] = { anyOf: [{ $ref: `#/$defs/d${i - 1}` }, { $ref: `#/$defs/d${i - 1}` }] }
  // 2^30 ways: whoever walks each of them does not come back.
  expect(findSchemaFault({ $ref: '#/$defs/d30', $defs })).toBeUndefined()
})
