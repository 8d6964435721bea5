import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DecodeOptions, ResponseMemory } from '../../../src/protocol/dialect.ts'
import { decodeItem } from '../../../src/protocol/openai-responses/decode-items.ts'
import { decodeResponsesRequest } from '../../../src/protocol/openai-responses/decode-request.ts'
import {
  readEncrypted,
  showCallSignature,
  showEncrypted,
} from '../../../src/protocol/openai-responses/encrypted-content.ts'
import type { Item } from '../../../src/protocol/openai-responses/item.ts'
import { itemBody } from '../../../src/protocol/openai-responses/item-body.ts'
import type { ChatRequest, JsonObject } from '../../../src/protocol/request.ts'
import { SwitchyardError } from '../../../src/shared/errors.ts'

const OPTIONS: DecodeOptions = { bodyBytes: 100, unknownFields: 'drop' }
const decode = (body: object, options: DecodeOptions = OPTIONS): ChatRequest =>
  decodeResponsesRequest({ model: 'auto', input: 'Hi', ...body }, options)

function refusal(body: object, options?: DecodeOptions): Pick<SwitchyardError, 'code' | 'param' | 'message'> {
  try {
    decode(body, options)
  } catch (error) {
    if (error instanceof SwitchyardError) return error
    throw error
  }
  throw new Error('It was accepted.')
}

const id = fc.stringMatching(/^[a-z_]{1,12}$/)
const text = fc.record({ type: fc.constant('text' as const), text: fc.string() })
const image = fc.record({
  type: fc.constant('image' as const),
  url: fc.constant('https://example.com/a.png'),
  detail: fc.constantFrom('auto' as const, 'low' as const, 'high' as const),
})
const file = fc.record({ type: fc.constant('file' as const), filename: fc.string(), data: fc.constant('QUJD') })
const list = <T>(part: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(part, { minLength: 1, maxLength: 3 })
const signed = fc.record({
  signature: fc.base64String({ minLength: 4, maxLength: 20 }),
  signedBy: fc.constantFrom('anthropic' as const, 'google' as const),
})
/** Items as they are after one way through the API's form; a lone text becomes a list of one part. */
const item: fc.Arbitrary<Item> = fc.oneof(
  fc.record({
    type: fc.constant('message' as const),
    role: fc.constant('user' as const),
    content: list(fc.oneof(text, image, file)),
    id,
  }),
  fc.record({
    type: fc.constant('message' as const),
    role: fc.constantFrom('system' as const, 'developer' as const),
    content: list(text),
    id,
  }),
  fc.record({
    type: fc.constant('message' as const),
    role: fc.constant('assistant' as const),
    content: list(fc.oneof(text, fc.record({ type: fc.constant('refusal' as const), text: fc.string() }))),
    id,
  }),
  fc.record({
    type: fc.constant('message' as const),
    role: fc.constant('assistant' as const),
    content: list(text),
    phase: fc.constantFrom('commentary' as const, 'final_answer' as const),
    id,
  }),
  fc.record({
    type: fc.constant('call' as const),
    call: fc.record({
      id,
      kind: fc.constantFrom('function' as const, 'custom' as const),
      name: id,
      arguments: fc.string(),
    }),
    id,
  }),
  fc.record({
    type: fc.constant('output' as const),
    kind: fc.constantFrom('function' as const, 'custom' as const),
    callId: id,
    content: fc.oneof(fc.string(), list(fc.oneof(text, image))),
    id,
  }),
  fc.record({
    type: fc.constant('reasoning' as const),
    part: fc.oneof(
      fc.record({ type: fc.constant('reasoning' as const), text: fc.string() }),
      fc.tuple(fc.string(), signed).map(([words, more]) => ({ type: 'reasoning' as const, text: words, ...more })),
      fc.record({
        type: fc.constant('reasoning' as const),
        text: fc.constant(''),
        redacted: fc.base64String({ minLength: 4 }),
        signedBy: fc.constant('anthropic' as const),
      }),
    ),
    id,
  }),
  fc.tuple(id, signed).map(([callId, more]) => ({ type: 'call-signature' as const, callId, ...more, id: 'rs_1' })),
)

describe('items', () => {
  test('come back from their own form as they were', () => {
    fc.assert(
      fc.property(item, (each) => {
        const found = decodeItem(itemBody(each, 'none'), 'input[0]', { chars: 0 }, () => undefined)
        // The call whose signature it is names the item well enough.
        if (found.type === 'call-signature') expect({ id: 'rs_1', ...found }).toEqual(each)
        else expect(found).toEqual(each)
      }),
    )
  })

  test('of OpenAI keep the id of their thinking, and redacted thinking of others its data', () => {
    const openai: JsonObject = {
      type: 'reasoning',
      id: 'rs_9',
      summary: [{ type: 'summary_text', text: 'Hm.' }],
      encrypted_content: 'AA==',
    }
    const call = { type: 'message', role: 'assistant', content: 'x' }
    expect(decode({ input: [openai, call] }).messages[0]).toMatchObject({
      reasoning: [{ id: 'rs_9', text: 'Hm.', signature: 'AA==', signedBy: 'openai' }],
    })
    expect(readEncrypted(showEncrypted({ redacted: 'Qk==', signedBy: 'anthropic' }) ?? '')).toEqual({
      redacted: 'Qk==',
      signedBy: 'anthropic',
    })
    expect(readEncrypted(showCallSignature('a@b', 'CC==', 'google'))).toEqual({
      callId: 'a@b',
      signature: 'CC==',
      signedBy: 'google',
    })
  })
})

describe('a conversation', () => {
  const call = (callId: string): object => ({ type: 'function_call', call_id: callId, name: 'f', arguments: '{}' })
  const output = (callId: string): object => ({ type: 'function_call_output', call_id: callId, output: callId })
  const shape = (input: readonly object[]): readonly string[] =>
    decode({ input }).messages.map((message) =>
      message.role === 'assistant'
        ? `assistant(${(message.toolCalls ?? []).map((each) => each.id).join(' ')})`
        : message.role === 'tool'
          ? `tool ${message.toolCallId}`
          : message.role,
    )

  test('puts calls of one answer together, and their results right behind them', () => {
    expect(shape([call('a'), call('b'), output('a'), output('b')])).toEqual(['assistant(a b)', 'tool a', 'tool b'])
    expect(shape([call('a'), output('a'), call('b'), output('b')])).toEqual([
      'assistant(a)',
      'tool a',
      'assistant(b)',
      'tool b',
    ])
  })

  test('moves a result that stands after something else to its call', () => {
    const user = { role: 'user', content: 'Wait.' }
    expect(shape([call('a'), user, output('a')])).toEqual(['assistant(a)', 'tool a', 'user'])
  })

  test('needs a call for each result, and a result for each call', () => {
    expect(refusal({ input: [output('a')] })).toMatchObject({
      param: 'input',
      message: expect.stringContaining('No tool call found') as string,
    })
    expect(refusal({ input: [call('a')] })).toMatchObject({
      param: 'input',
      message: expect.stringContaining('No tool output found') as string,
    })
  })
})

describe('the phase of a message', () => {
  const said = (phase: unknown): object => ({ type: 'message', role: 'assistant', content: 'Looking.', phase })

  test('stays with it, and is a hint', () => {
    const { messages, hints } = decode({ input: [said('commentary'), said('final_answer'), said(null)] })
    expect(messages).toEqual([
      { role: 'assistant', content: 'Looking.', phase: 'commentary' },
      { role: 'assistant', content: 'Looking.', phase: 'final_answer' },
      { role: 'assistant', content: 'Looking.' },
    ])
    expect(hints).toEqual(['input.phase'])
    expect(decode({ input: [said(null)] }).hints).toBeUndefined()
  })

  test('is one of two', () => {
    expect(refusal({ input: [said('thinking')] })).toMatchObject({ code: 'invalid_value', param: 'input[0].phase' })
  })
})

describe('fields', () => {
  test('of summaries: the older name counts where the newer is not set', () => {
    expect(decode({ reasoning: { generate_summary: 'auto' } }).hints).toEqual(['reasoning.generate_summary'])
    const both = decode({ reasoning: { generate_summary: 'auto', summary: 'concise' } })
    expect(both.hints).toEqual(['reasoning.summary'])
    expect(both.turn?.settings['reasoning']).toMatchObject({ summary: 'concise' })
  })

  test('of settings go their ways', () => {
    const request = decode({
      instructions: 'Be short.',
      max_output_tokens: 20,
      reasoning: { effort: 'high', summary: 'auto' },
      text: { verbosity: 'low', format: { type: 'json_schema', name: 's', schema: { type: 'object' }, strict: true } },
      include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
      top_logprobs: 3,
      tools: [{ type: 'function', name: 'f', parameters: {} }],
      tool_choice: { type: 'function', name: 'f' },
      truncation: 'auto',
      store: true,
      user: 'u',
      temperature: 0,
    })
    expect(request).toMatchObject({
      messages: [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'Hi' },
      ],
      maxOutputTokens: 20,
      reasoningEffort: 'high',
      topLogprobs: 3,
      format: { type: 'json_schema', name: 's', strict: true },
      toolChoice: { type: 'tool', kind: 'function', name: 'f' },
      openai: { verbosity: 'low', user: 'u' },
      sampling: { temperature: 0 },
      hints: ['reasoning.summary'],
      dropped: ['truncation'],
    })
    // Whether something is stored concerns this service alone.
    expect(request.openai.store).toBeUndefined()
    expect(request.turn?.store).toBe(false)
    expect(request.turn?.settings).toMatchObject({
      instructions: 'Be short.',
      text: { format: { name: 's' }, verbosity: 'low' },
      tool_choice: { type: 'function', name: 'f' },
      truncation: 'auto',
    })
  })

  test.each([
    [{ background: true }, 'background', 'unsupported_parameter'],
    [{ conversation: { id: 'conv_1' } }, 'conversation', 'unsupported_parameter'],
    [{ prompt: { id: 'pmpt_1' } }, 'prompt', 'unsupported_parameter'],
    [{ context_management: [{ type: 'compaction' }] }, 'context_management', 'unsupported_parameter'],
    [{ n: 2 }, 'n', 'unsupported_parameter'],
    [{ max_tokens: 2 }, 'max_tokens', 'unsupported_parameter'],
    [{ max_output_token: 2 }, 'max_output_token', 'unknown_parameter'],
    [{ chat_template: 'x' }, 'chat_template', 'unknown_parameter'],
    [{ tools: [{ type: 'mcp', server_label: 'x' }] }, 'tools[0].type', 'unsupported_value'],
    [
      { tools: [{ type: 'function', name: 'f', parameters: { type: 'array' } }] },
      'tools[0].parameters',
      'invalid_function_parameters',
    ],
    [{ text: { format: { type: 'json_schema', name: 's' } } }, 'text.format.schema', 'missing_required_parameter'],
    [{ text: { verbosity: 'loud' } }, 'text.verbosity', 'invalid_value'],
    [{ reasoning: { effort: 'huge' } }, 'reasoning.effort', 'invalid_value'],
    [{ include: ['everything'] }, 'include[0]', 'invalid_value'],
    [{ stream_options: {} }, 'stream_options', 'invalid_value'],
    [{ input: [] }, 'input', 'empty_array'],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input[0].id', 'not_found'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_file', file_url: 'https://a.example/x' }] }] },
      'input[0].content[0].file_url',
      'unsupported_parameter',
    ],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'http://10.0.0.1/x' }] }] },
      'input[0].content[0].image_url',
      'invalid_value',
    ],
    [{ previous_response_id: 'resp_1' }, 'previous_response_id', 'previous_response_not_found'],
  ])('%j is refused with its place', (body, param, code) => {
    const { message, ...error } = refusal(body)
    expect(error).toMatchObject({ param, code })
    expect(message).toMatch(/^\S.{20,}[.?]$/s)
  })

  test('whose value says nothing are accepted', () => {
    expect(() =>
      decode({
        background: false,
        conversation: null,
        prompt: null,
        context_management: [],
        n: null,
        tools: null,
        text: null,
      }),
    ).not.toThrow()
  })

  test('that nobody knows are named, or refused where the key says so', () => {
    expect(decode({ shiny_new_thing: 1 }).dropped).toEqual(['shiny_new_thing'])
    expect(refusal({ shiny_new_thing: 1 }, { ...OPTIONS, unknownFields: 'refuse' })).toMatchObject({
      param: 'shiny_new_thing',
    })
  })
})

describe('a stored conversation', () => {
  const stored: JsonObject = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Before' }] }
  const memory: ResponseMemory = {
    mayStore: true,
    conversation: (each) => (each === 'resp_1' ? { items: [stored], bytes: 1000 } : undefined),
    item: (each) => (each === 'msg_1' ? { item: stored, bytes: 300 } : undefined),
    keep: () => true,
  }
  const options = { ...OPTIONS, memory }

  test('comes before the input, and counts in the bound of the prompt', () => {
    const request = decode({ previous_response_id: 'resp_1' }, options)
    expect(request.messages.map((message) => message.content)).toEqual([[{ type: 'text', text: 'Before' }], 'Hi'])
    expect(request.bodyBytes).toBe(1100)
    expect(request.turn?.items('x')).toHaveLength(1)
    const referred = decode({ input: [{ type: 'item_reference', id: 'msg_1' }] }, options)
    expect(referred.bodyBytes).toBe(400)
  })

  test('counts in the limit of text', () => {
    expect(refusal({ previous_response_id: 'resp_1' }, { ...options, textLimitBytes: 5 })).toMatchObject({
      code: 'request_too_large',
    })
  })
})
