/** Ids and signatures of any provider survive the way through a client of the Messages API. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readOpaque, showOpaque } from '../../../src/protocol/anthropic-messages/opaque.ts'
import { readToolId, showToolId } from '../../../src/protocol/anthropic-messages/tool-ids.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('toolu_sy_', 'toolu_sy_QQA', 'call_1', '\ud800', 'functions.f:0', ''),
)

test('any id of a tool call comes back as it was, in letters that clients accept', () => {
  fc.assert(
    fc.property(anyText, (id) => {
      const shown = showToolId(id)
      expect(shown).toMatch(/^[a-zA-Z0-9_-]+$/)
      expect(readToolId(shown)).toBe(id)
    }),
  )
})

test('a plain id stays what it is, and so does one that only looks like ours', () => {
  expect(showToolId('toolu_01ABC')).toBe('toolu_01ABC')
  expect(readToolId('toolu_sy_!')).toBe('toolu_sy_!')
})

test('a signature comes back with its signer and id', () => {
  const base64 = fc.base64String({ minLength: 1 })
  fc.assert(
    fc.property(
      base64,
      fc.constantFrom('anthropic', 'google', 'openai'),
      fc.option(fc.stringMatching(/^rs_[a-f0-9]{1,48}$/), { nil: undefined }),
      (value, signedBy, id) => {
        const opaque = { value, signedBy, ...(id === undefined ? {} : { id }) } as const
        expect(readOpaque(showOpaque(opaque))).toEqual(opaque)
      },
    ),
  )
})

test("Anthropic's own signature is shown bare", () => {
  expect(showOpaque({ value: 'ErUB+/=', signedBy: 'anthropic' })).toBe('ErUB+/=')
})
