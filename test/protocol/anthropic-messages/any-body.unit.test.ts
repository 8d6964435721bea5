/** Whatever stands in whatever place of a body: it is decoded or refused by name, and never a defect of ours. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMessagesRequest } from '../../../src/protocol/anthropic-messages/decode-request.ts'
import { anthropicMessages } from '../../../src/protocol/anthropic-messages/dialect.ts'
import { MESSAGES_FIELD_ROWS } from '../../../src/protocol/anthropic-messages/fields.ts'
import { SwitchyardError } from '../../../src/shared/errors.ts'
import { json } from '../../support/arbitrary-requests.ts'

const { body } = JSON.parse(
  readFileSync(new URL('../../fixtures/claude-code-session.json', import.meta.url), 'utf8'),
) as { body: Record<string, unknown> }
const FULL = {
  ...body,
  messages: [
    { role: 'user', content: 'x' },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'openai#rs_1:eA==' },
        { type: 'redacted_thinking', data: 'google#call:eA==' },
        { type: 'tool_use', id: 'a', name: 'Read', input: { file_path: '/x', limit: 1e20 } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'tool_reference', tool_name: 'Bash' }] },
        { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' }, title: 't' },
        { type: 'search_result', title: 't', source: 's', content: [{ type: 'text', text: 'x' }] },
      ],
    },
  ],
  tool_choice: { type: 'tool', name: 'Read', disable_parallel_tool_use: true },
  cache_control: { type: 'ephemeral', ttl: '1h' },
  output_format: { type: 'json_schema', schema: { type: 'object' } },
}

/** Undefined = decoded. Anything else than an error of the table is thrown on. */
function refusal(value: unknown): SwitchyardError | undefined {
  try {
    decodeMessagesRequest(value, { bodyBytes: 1, unknownFields: 'drop' })
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof SwitchyardError)) throw thrown
    return thrown
  }
}

/** Paths of everything inside a value. */
function pathsOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))]
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by
  const copy = structuredClone(value) as Record<string, unknown>
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

test('the body that the others are made from is accepted', () => {
  expect(refusal(FULL)).toBeUndefined()
})

test('anything in any place of a full body is decoded, or refused with 4xx in a form that can be sent', () => {
  const paths = pathsOf(FULL).filter((path) => path.length > 0)
  fc.assert(
    fc.property(fc.constantFrom(...paths), json, (path, value) => {
      const error = refusal(replaced(FULL, path, value))
      if (error === undefined) return
      expect([400, 413]).toContain(error.status)
      // The fault is named at or around the place that was changed, or where it made something else wrong.
      expect(error.param).toBeTypeOf('string')
      expect(JSON.parse(anthropicMessages.errorBody(error, 'req_1'))).toMatchObject({ type: 'error' })
    }),
    { numRuns: 1000 },
  )
})

test('anything as any field', () => {
  const names = fc.constantFrom(...MESSAGES_FIELD_ROWS.map(({ field }) => field))
  fc.assert(
    fc.property(fc.dictionary(names, json), (fields) => {
      expect(refusal({ ...FULL, ...fields })?.status ?? 400).toBeLessThan(500)
    }),
  )
})
