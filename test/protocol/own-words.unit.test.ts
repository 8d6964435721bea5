/** What a later step refuses is named as its caller wrote it. */
import { expect, test } from 'vitest'
import { anthropicMessages } from '../../src/protocol/anthropic-messages/dialect.ts'
import { MESSAGES_FIELDS } from '../../src/protocol/anthropic-messages/fields.ts'
import { openAiChat } from '../../src/protocol/openai-chat/dialect.ts'
import { openAiResponses } from '../../src/protocol/openai-responses/dialect.ts'
import { RESPONSES_FIELDS } from '../../src/protocol/openai-responses/fields.ts'
import { inOwnWords } from '../../src/protocol/own-words.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'

const error = (param?: string): SwitchyardError =>
  new SwitchyardError('unsupported_parameter', `It does not support '${param}'.`, {
    ...(param === undefined ? {} : { param }),
    detail: 'for the log',
    retryAfterMs: 5,
  })

test.each([
  [anthropicMessages, 'stop', 'stop_sequences'],
  [anthropicMessages, 'max_completion_tokens', 'max_tokens'],
  [openAiResponses, 'response_format', 'text.format'],
  [openAiResponses, 'messages', 'input'],
] as const)("%#: the caller's name stands in the sentence, too, and nothing else changes", (dialect, param, own) => {
  expect(inOwnWords(error(param), dialect)).toMatchObject({
    code: 'unsupported_parameter',
    param: own,
    message: `It does not support '${own}'.`,
    detail: 'for the log',
    retryAfterMs: 5,
  })
})

test.each([
  [openAiChat, 'stop'],
  [openAiResponses, 'tools'],
  [anthropicMessages, 'messages[2].content[0]'],
  [anthropicMessages, undefined],
] as const)('%#: what has the same name, or none, is the same error', (dialect, param) => {
  const given = error(param)
  expect(inOwnWords(given, dialect)).toBe(given)
})

test('every name is one that its API knows', () => {
  const known = [MESSAGES_FIELDS, new Set(RESPONSES_FIELDS.map(({ field }) => field))]
  for (const [at, dialect] of [anthropicMessages, openAiResponses].entries())
    for (const own of dialect.fieldNames?.values() ?? []) expect(known[at]).toContain(own.split('.')[0])
})
