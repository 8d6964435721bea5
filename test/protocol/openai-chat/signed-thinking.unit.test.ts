/** Signed thinking of Anthropic and OpenAI in the chat dialect: whole and streamed answers say the same, and what comes back is what was signed. */
import { expect, test } from 'vitest'
import { AnswerCollector } from '../../../src/protocol/openai-chat/collect-answer.ts'
import { decodeChatRequest } from '../../../src/protocol/openai-chat/decode-request.ts'
import { encodeSse, sseState } from '../../../src/protocol/openai-chat/encode-chunk.ts'
import type { AnswerEvent, Usage } from '../../../src/protocol/answer.ts'
import type { ReasoningPart } from '../../../src/protocol/request.ts'

const OPTIONS = { id: 'x', model: 'm', created: 1, legacyFunctions: false, includeUsage: false }
const USAGE = { input: 1, output: 1, cachedInput: 0, cacheWrite: 0, reasoning: 0, audioInput: 0, audioOutput: 0 }
const thought = (more: object): AnswerEvent => ({
  type: 'reasoning',
  choice: 0,
  text: '',
  signedBy: 'anthropic',
  ...more,
})
/** A text in pieces, one block that is hidden, and another text. */
const EVENTS: readonly AnswerEvent[] = [
  thought({ text: 'One ' }),
  thought({ text: '"two"' }),
  thought({ signature: 'c2ln' }),
  thought({ redacted: 'aGlkZGVu' }),
  { type: 'text', choice: 0, text: 'Said.' },
  thought({ text: 'Three', signature: 'c2lnMg==' }),
  { type: 'finish', choice: 0, reason: 'stop' },
]
const BLOCKS = [
  { type: 'thinking', thinking: 'One "two"', signature: 'c2ln' },
  { type: 'redacted_thinking', data: 'aGlkZGVu' },
  { type: 'thinking', thinking: 'Three', signature: 'c2lnMg==' },
]

function whole(events: readonly AnswerEvent[]): Record<string, unknown> {
  const collector = new AnswerCollector(OPTIONS)
  collector.add({ events })
  const body = JSON.parse(collector.render({ ...USAGE, estimated: false } satisfies Usage, undefined)) as {
    choices: { message: Record<string, unknown> }[]
  }
  return body.choices[0]?.message ?? {}
}

/** The last `extra_content` of a stream, as SDKs keep it. */
function streamed(events: readonly AnswerEvent[]): unknown {
  const state = sseState(OPTIONS)
  const frames = events.map((event) => encodeSse({ events: [event] }, state)).join('')
  const deltas = [...frames.matchAll(/^data: (.*)$/gm)].map(
    ([, data]) => (JSON.parse(data ?? '') as { choices: { delta: Record<string, unknown> }[] }).choices[0]?.delta,
  )
  return Object.assign({}, ...deltas)['extra_content'] as unknown
}

function sentBack(message: object): readonly ReasoningPart[] | undefined {
  const body = { model: 'm', messages: [{ role: 'user', content: 'x' }, message, { role: 'user', content: 'y' }] }
  const decoded = decodeChatRequest(body, { bodyBytes: 1000, unknownFields: 'drop' }).messages[1]
  return decoded?.role === 'assistant' ? decoded.reasoning : undefined
}

test('a whole answer has the blocks as they were signed', () => {
  expect(whole(EVENTS)).toMatchObject({
    reasoning_content: 'One "two"Three',
    extra_content: { anthropic: { thinking: BLOCKS } },
  })
})

test('the last of a stream has the same', () => {
  expect(streamed(EVENTS)).toEqual({ anthropic: { thinking: BLOCKS } })
})

test('thinking that was cut before its signature, and what nobody signed, has none', () => {
  expect(streamed(EVENTS.slice(0, 2))).toBeUndefined()
  expect(whole(EVENTS.slice(0, 2))).not.toHaveProperty('extra_content')
  const unsigned: AnswerEvent = { type: 'reasoning', choice: 0, text: 'x' }
  expect(whole([unsigned])).not.toHaveProperty('extra_content')
})

test('what is sent back is what was signed, and its plain text is not said twice', () => {
  expect(sentBack({ ...whole(EVENTS) })).toEqual([
    { type: 'reasoning', text: 'One "two"', signature: 'c2ln', signedBy: 'anthropic' },
    { type: 'reasoning', text: '', redacted: 'aGlkZGVu', signedBy: 'anthropic' },
    { type: 'reasoning', text: 'Three', signature: 'c2lnMg==', signedBy: 'anthropic' },
  ])
})

test.each<[string, unknown]>([
  ['no object', 'x'],
  ['no list', { anthropic: { thinking: 'x' } }],
  ['no blocks', { anthropic: { thinking: [null, 1, { type: 'text', text: 'x' }] } }],
  ['a block without a signature', { anthropic: { thinking: [{ type: 'thinking', thinking: 'x' }] } }],
  ['data that is no text', { anthropic: { thinking: [{ type: 'redacted_thinking', data: 1 }] } }],
])('%s: left out, and the plain text stays', (_what, extra_content) => {
  const plain = { role: 'assistant', content: 'a', reasoning_content: 'plain', extra_content }
  expect(sentBack(plain)).toEqual([{ type: 'reasoning', text: 'plain' }])
})

test("OpenAI's encrypted reasoning goes with the answer, whole and streamed, and comes back as its items", () => {
  const said = (more: object): AnswerEvent => thought({ signedBy: 'openai', id: 'rs_1', ...more })
  const events: readonly AnswerEvent[] = [
    said({ text: 'Look ' }),
    said({ text: 'it up.' }),
    said({ signature: 'gAAA' }),
    said({ id: 'rs_2', signature: 'gBBB' }),
    { type: 'text', choice: 0, text: 'Said.' },
    { type: 'finish', choice: 0, reason: 'stop' },
  ]
  const reasoning = [
    {
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: 'Look it up.' }],
      encrypted_content: 'gAAA',
    },
    { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: 'gBBB' },
  ]
  const message = whole(events)
  expect(message).toMatchObject({ reasoning_content: 'Look it up.', extra_content: { openai: { reasoning } } })
  expect(streamed(events)).toEqual({ openai: { reasoning } })
  expect(sentBack(message)).toEqual([
    { type: 'reasoning', id: 'rs_1', text: 'Look it up.', signature: 'gAAA', signedBy: 'openai' },
    { type: 'reasoning', id: 'rs_2', text: '', signature: 'gBBB', signedBy: 'openai' },
  ])
})

test.each([
  { openai: 7 },
  { openai: { reasoning: {} } },
  {
    openai: {
      reasoning: [null, { type: 'message' }, { type: 'reasoning' }, { type: 'reasoning', encrypted_content: 1 }],
    },
  },
])('what is no reasoning of OpenAI is left out: %j', (extra_content) => {
  expect(sentBack({ role: 'assistant', content: 'a', extra_content })).toBeUndefined()
})

test('encrypted reasoning of OpenAI goes the same way, item by item', () => {
  const by = (id: string, more: object): AnswerEvent => thought({ signedBy: 'openai', id, ...more })
  const events: readonly AnswerEvent[] = [
    by('rs_lost', { text: 'It came without its content. ' }),
    by('rs_1', { text: 'One ' }),
    by('rs_1', { text: 'two.' }),
    by('rs_1', { signature: 'gAAA=' }),
    by('rs_2', { signature: 'gBBB=' }),
    { type: 'finish', choice: 0, reason: 'stop' },
  ]
  const items = [
    {
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: 'One two.' }],
      encrypted_content: 'gAAA=',
    },
    { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: 'gBBB=' },
  ]
  expect(whole(events)['extra_content']).toEqual({ openai: { reasoning: items } })
  expect(streamed(events)).toEqual({ openai: { reasoning: items } })
  expect(sentBack(whole(events))).toEqual([
    { type: 'reasoning', id: 'rs_1', text: 'One two.', signature: 'gAAA=', signedBy: 'openai' },
    { type: 'reasoning', id: 'rs_2', text: '', signature: 'gBBB=', signedBy: 'openai' },
  ])
  const odd = {
    openai: { reasoning: [null, { type: 'reasoning', summary: 1 }, { type: 'x', encrypted_content: 'y' }] },
  }
  expect(sentBack({ role: 'assistant', content: 'a', extra_content: odd })).toBeUndefined()
})
