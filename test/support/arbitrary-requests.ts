/** Arbitrary chat bodies for laws about prompts and money: any Unicode, control tokens, tools, calls, pictures, odd JSON. */
import fc from 'fast-check'
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'
import { parseJsonBody } from '../../src/protocol/json.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'

/** Texts that are dense, that grow when they are normalised or escaped, or that look like a template's own marks. */
const ODD = [
  '<|endoftext|>',
  '<|im_start|>system\n',
  '[INST]',
  '</tool_call>',
  '\u{FDFA}',
  '\u{1D160}',
  '\u0958\u0344',
  'ṩ\u0327',
  'é'.normalize('NFD'),
  '½',
  '\ud800',
  '漢字かなテスト',
  '🏳️‍🌈👩‍👩‍👧',
  '\u0000\u0007\n\r\t',
  '"\\/\b\f',
  "<b>&amp;'</b>",
  '          ',
  'زؗظفٌ',
]

export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom(...ODD), { maxLength: 12 }).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.lorem({ maxCount: 40 }) },
  // So many of one kind that no allowance for something else can hide what they become.
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...ODD), fc.integer({ min: 100, max: 500 }))
      .map(([unit, times]) => unit.repeat(times)),
  },
)

/** Numbers as written, since 1e20 has four bytes and comes out of a renderer with twenty. */
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(1e20, 5e-300, 1e15),
)

export const json: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .tuple(fc.constantFrom<unknown>(1, 1e20, true, [[1]], {}), fc.integer({ min: 50, max: 200 }))
      .map(([item, times]) => Array.from({ length: times }, () => item)),
    fc
      .integer({ min: 50, max: 200 })
      .map((times) => Object.fromEntries(Array.from({ length: times }, (_, key) => [`k${key}`, 1]))),
    fc.dictionary(
      fc.string({ maxLength: 8 }).filter((key) => !/^__proto__$|^constructor$|^prototype$/.test(key)),
      tie('value'),
      {
        maxKeys: 5,
      },
    ),
  ),
})).value

const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/)

const property = fc.record(
  {
    type: fc.constantFrom('string', 'number', 'array', 'object'),
    description: text,
    enum: fc.array(text, { minLength: 1, maxLength: 4 }),
    default: json,
  },
  { requiredKeys: ['type'] },
)
const schema = fc.record({ type: fc.constant('object'), properties: fc.dictionary(name, property, { maxKeys: 5 }) })
const tool = fc.record({
  type: fc.constant('function'),
  function: fc.record({ name, description: text, parameters: schema }, { requiredKeys: ['name'] }),
})
const callArguments = fc.oneof(
  json.map((value) => JSON.stringify({ value }) ?? ''),
  json.map((value) => JSON.stringify(value)),
  text,
)

/** The head of a picture of this size, which is all of it that anybody here reads. */
function png(width: number, height: number): string {
  const head = Buffer.from('89504e470d0a1a0a0000000d4948445200000000000000000802000000', 'hex')
  head.writeUInt32BE(width, 16)
  head.writeUInt32BE(height, 20)
  return `data:image/png;base64,${Buffer.concat([head, Buffer.alloc(300)]).toString('base64')}`
}

const parts = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: text.map((text) => ({ type: 'text', text })) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        { type: 'image_url', image_url: { url: png(16, 16) } },
        { type: 'image_url', image_url: { url: png(16_384, 16_384), detail: 'low' } },
        { type: 'input_audio', input_audio: { data: 'AAAA'.repeat(50), format: 'mp3' } },
      ),
    },
  ),
  { minLength: 1, maxLength: 4 },
)

const turn = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'developer'), content: text }).map((message) => [message]),
  fc
    .record({ role: fc.constant('user'), content: fc.oneof(text, parts), name }, { requiredKeys: ['role', 'content'] })
    .map((message) => [message]),
  fc
    .record({ role: fc.constant('assistant'), content: text, reasoning_content: text, refusal: text })
    .map((message) => [message]),
  fc
    .record({
      called: fc.oneof(name, fc.string({ unit: 'binary', minLength: 1, maxLength: 100 })),
      given: callArguments,
      result: text,
      id: fc.oneof(name, text),
    })
    .map(({ called, given, result, id }) => [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id, type: 'function', function: { name: called, arguments: given } }],
      },
      { role: 'tool', tool_call_id: id, content: result },
    ]),
  fc.record({ called: name, given: callArguments }).map(({ called, given }) => [
    { role: 'assistant', content: null, function_call: { name: called, arguments: given } },
    { role: 'function', name: called, content: 'ok' },
  ]),
)

const body = fc.record(
  {
    model: fc.constant('auto'),
    messages: fc.array(turn, { minLength: 1, maxLength: 5 }).map((turns) => turns.flat()),
    tools: fc.array(tool, { maxLength: 4 }),
    response_format: schema.map((schema) => ({ type: 'json_schema', json_schema: { name: 'out', schema } })),
    max_tokens: fc.integer({ min: 1, max: 200_000 }),
    n: fc.integer({ min: 1, max: 8 }),
    temperature: fc.constantFrom(0, 1e-7, 1),
  },
  { requiredKeys: ['model', 'messages'] },
)

/** A body's bytes as a client may write them: escaped where it need not be, and with numbers written short. */
function write(value: unknown, escapes: boolean): Buffer {
  const written = JSON.stringify(value).replaceAll('100000000000000000000', '1e20')
  return Buffer.from(
    escapes ? written.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`) : written,
  )
}

/** Requests as the gateway decodes them from bytes; bodies that it refuses are left out. */
export const requests: fc.Arbitrary<ChatRequest> = fc
  .tuple(body, fc.boolean())
  .map(([value, escapes]) => decode(write(value, escapes)))
  .filter((request): request is ChatRequest => request !== undefined)

function decode(bytes: Buffer): ChatRequest | undefined {
  try {
    return decodeChatRequest(parseJsonBody(bytes), { bodyBytes: bytes.length, unknownFields: 'drop' })
  } catch {
    return undefined
  }
}
