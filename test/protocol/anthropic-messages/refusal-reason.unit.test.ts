/** What Anthropic says of a refusal goes on to Anthropic's callers in its own place, and adds nothing to the content. */
import { expect, test } from 'vitest'
import type { AnswerEvent, Usage } from '../../../src/protocol/answer.ts'
import { anthropicMessages } from '../../../src/protocol/anthropic-messages/dialect.ts'

const request = anthropicMessages.decode(
  { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] },
  { bodyBytes: 60, unknownFields: 'refuse' },
)
const SHAPE = { id: 'x', created: 1, request }
const USAGE: Usage = {
  input: 1,
  output: 1,
  cachedInput: 0,
  cacheWrite: 0,
  reasoning: 0,
  audioInput: 0,
  audioOutput: 0,
  estimated: false,
}
const END: AnswerEvent = { type: 'finish', choice: 0, reason: 'content_filter' }

function whole(...events: readonly AnswerEvent[]): unknown {
  const writer = anthropicMessages.whole(SHAPE)
  writer.add({ events })
  return JSON.parse(writer.render(USAGE, undefined))
}

test('beside the content: its reason and its kind stand in stop_details alone, whole and streamed', () => {
  const aside: AnswerEvent = { type: 'refusal', choice: 0, text: 'No.', aside: { category: 'cyber' } }
  const stop_details = { type: 'refusal', category: 'cyber', explanation: 'No.' }
  expect(whole(aside, END)).toMatchObject({ content: [], stop_reason: 'refusal', stop_details })
  const writer = anthropicMessages.stream(SHAPE)
  const frames = writer.chunk({ events: [aside, END] }) + writer.end(USAGE, undefined)
  expect(frames).toContain(JSON.stringify(stop_details))
  expect(frames).not.toContain('content_block_start')
})

test('as the answer itself (OpenAI): it is text, too', () => {
  expect(whole({ type: 'refusal', choice: 0, text: 'No.' }, END)).toMatchObject({
    content: [{ type: 'text', text: 'No.' }],
    stop_details: { category: null, explanation: 'No.' },
  })
})
