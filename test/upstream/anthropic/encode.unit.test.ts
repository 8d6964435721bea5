import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FIELD_ROWS } from '../../../src/protocol/openai-chat/fields.ts'
import type { ChatRequest, Message } from '../../../src/protocol/request.ts'
import { SwitchyardError } from '../../../src/shared/errors.ts'
import { encodeRequest } from '../../../src/upstream/anthropic/encode-request.ts'
import { ANTHROPIC_FIELDS } from '../../../src/upstream/anthropic/fields.ts'
import { requests } from '../../support/arbitrary-requests.ts'
import { chatRequest } from '../../support/fake-steps.ts'

const OLD = 'claude-sonnet-4-5'
const NEW = 'claude-sonnet-5'
const FIRST = 'claude-3-5-haiku-20241022'
const tool = { kind: 'function', name: 'get', parameters: { type: 'object', properties: {} } } as const
const user: Message = { role: 'user', content: 'Hi' }

function encode(
  changes: Partial<ChatRequest>,
  {
    model = OLD,
    outputCap,
    extraBody = {},
  }: { model?: string; outputCap?: number; extraBody?: Record<string, unknown> } = {},
): {
  body: Record<string, unknown>
  dropped: readonly string[]
  headers: Readonly<Record<string, string>> | undefined
} {
  const sent = encodeRequest(chatRequest(changes), { kind: 'anthropic', model, extraBody }, { stream: true, outputCap })
  return { body: JSON.parse(sent.body) as Record<string, unknown>, dropped: sent.dropped, headers: sent.headers }
}

/** Code and param of the refusal. */
function refusal(changes: Partial<ChatRequest>, model?: string): unknown {
  try {
    encode(changes, model === undefined ? {} : { model })
  } catch (thrown) {
    return thrown instanceof SwitchyardError ? `${thrown.code} ${thrown.param}` : thrown
  }
  return 'sent'
}

test('the table has a row for every field, in the same order', () => {
  expect(ANTHROPIC_FIELDS.map(({ field }) => field)).toEqual(FIELD_ROWS.map(({ field }) => field))
})

describe('messages', () => {
  const messages = (...given: Message[]): unknown => encode({ messages: given }).body['messages']

  test('leading system texts go to the top, a later one stays where it is as marked text of the user', () => {
    const { body } = encode({
      messages: [
        { role: 'system', content: 'A' },
        { role: 'developer', content: [{ type: 'text', text: 'B', cache: { ttl: '1h' } }] },
        user,
        { role: 'assistant', content: 'Yes' },
        { role: 'system', content: 'C' },
        user,
      ],
    })
    expect(body['system']).toEqual([
      { type: 'text', text: 'A' },
      { type: 'text', text: 'B', cache_control: { type: 'ephemeral', ttl: '1h' } },
    ])
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Yes' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: '<system>\nC\n</system>' },
          { type: 'text', text: 'Hi' },
        ],
      },
    ])
  })

  test('system texts alone become a turn of the user', () => {
    expect(messages({ role: 'system', content: 'A' })).toEqual([
      { role: 'user', content: [{ type: 'text', text: '<system>\nA\n</system>' }] },
    ])
  })

  test('results of tools come first in their turn, with pictures and failures', () => {
    const png = 'data:image/png;base64,iVBORw0KGgo='
    expect(
      messages(
        user,
        {
          role: 'assistant',
          content: null,
          toolCalls: [
            { id: 'a b', kind: 'function', name: 'get', arguments: '{"x":1}' },
            { id: 'c', kind: 'function', name: 'get', arguments: '{"x":' },
          ],
        },
        { role: 'user', content: 'Wait' },
        {
          role: 'tool',
          toolCallId: 'a b',
          content: [
            { type: 'text', text: 'T' },
            { type: 'image', url: png },
          ],
        },
        { role: 'tool', toolCallId: 'c', content: '', isError: true, cache: { ttl: '5m' } },
      ),
    ).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: expect.stringMatching(/^call_[\w-]{43}$/) as string, name: 'get', input: { x: 1 } },
          { type: 'tool_use', id: 'c', name: 'get', input: { arguments: '{"x":' } },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: expect.stringMatching(/^call_[\w-]{43}$/) as string,
            content: [
              { type: 'text', text: 'T' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
            ],
          },
          { type: 'tool_result', tool_use_id: 'c', is_error: true, cache_control: { type: 'ephemeral' } },
          { type: 'text', text: 'Wait' },
        ],
      },
    ])
  })

  test('only thinking that Anthropic signed goes back; the rest is named', () => {
    const { body, dropped } = encode({
      messages: [
        user,
        {
          role: 'assistant',
          content: 'Yes',
          reasoning: [
            { type: 'reasoning', text: 'T', signature: 'sig', signedBy: 'anthropic' },
            { type: 'reasoning', text: '', redacted: 'red', signedBy: 'anthropic' },
            { type: 'reasoning', text: 'plain' },
            { type: 'reasoning', text: 'G', signature: 'g', signedBy: 'google' },
          ],
        },
        user,
      ],
    })
    expect((body['messages'] as { content: unknown }[])[1]?.content).toEqual([
      { type: 'thinking', thinking: 'T', signature: 'sig' },
      { type: 'redacted_thinking', data: 'red' },
      { type: 'text', text: 'Yes' },
    ])
    expect(dropped).toEqual(['messages.reasoning'])
  })

  test('empty texts are left out, and a conversation begins with the user', () => {
    expect(messages({ role: 'assistant', content: 'Hello' }, { role: 'user', content: '' }, user)).toEqual([
      { role: 'user', content: [{ type: 'text', text: '(The conversation begins.)' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    ])
    expect(refusal({ messages: [{ role: 'user', content: '' }] })).toBe('unsupported_parameter messages')
  })

  test('an answer that was begun loses its blanks, and is refused where the model takes none', () => {
    expect(messages(user, { role: 'assistant', content: '{ \n' })).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', content: [{ type: 'text', text: '{' }] },
    ])
    expect(refusal({ messages: [user, { role: 'assistant', content: '{' }] }, NEW)).toBe(
      'unsupported_parameter messages[1]',
    )
  })

  test('pictures by address, files, and what cannot be told', () => {
    const parts = (
      ...content: Extract<Message, { role: 'user' }>['content'] & readonly unknown[]
    ): Partial<ChatRequest> => ({
      messages: [{ role: 'user', content: content as never }],
    })
    const { body, dropped } = encode(
      parts(
        { type: 'image', url: 'https://a.example/x.png', detail: 'low' },
        { type: 'file', filename: 'a.pdf', data: 'data:application/pdf;base64,JVBERi0=' },
        { type: 'file', data: 'data:text/plain;base64,w6Q=' },
        { type: 'file', url: 'https://a.example/x.pdf' },
      ),
    )
    expect((body['messages'] as { content: unknown }[])[0]?.content).toEqual([
      { type: 'image', source: { type: 'url', url: 'https://a.example/x.png' } },
      { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'ä' } },
      { type: 'document', source: { type: 'url', url: 'https://a.example/x.pdf' } },
    ])
    expect(dropped).toEqual(['messages.image_url.detail'])
    const at = 'messages[0].content[0]'
    expect(refusal(parts({ type: 'audio', data: 'AA==', format: 'wav' }))).toBe(`unsupported_parameter ${at}`)
    expect(refusal(parts({ type: 'file', fileId: 'file-1' }))).toBe(`unsupported_parameter ${at}`)
    expect(refusal(parts({ type: 'image', url: 'data:image/bmp;base64,AA==' }))).toBe(`invalid_image_format ${at}`)
    const huge = `data:image/png;base64,${'A'.repeat(10 * 1024 * 1024 + 4)}`
    expect(refusal(parts({ type: 'image', url: huge }))).toBe(`string_above_max_length ${at}`)
  })
})

describe('tools', () => {
  test.each([
    [undefined, undefined, undefined],
    [undefined, false, { type: 'auto', disable_parallel_tool_use: true }],
    [{ type: 'auto' }, true, { type: 'auto' }],
    [{ type: 'none' }, undefined, { type: 'none' }],
    [{ type: 'required' }, false, { type: 'any', disable_parallel_tool_use: true }],
    [{ type: 'tool', kind: 'function', name: 'get' }, undefined, { type: 'tool', name: 'get' }],
    [{ type: 'allowed', mode: 'required', names: ['get'] }, undefined, { type: 'any' }],
  ] as const)('choice %j with parallel calls %j', (toolChoice, parallelToolCalls, expected) => {
    const other = { ...tool, name: 'other' }
    const { body } = encode({
      tools: [tool, other],
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
    })
    expect(body['tool_choice']).toEqual(expected)
    expect(body['tools']).toHaveLength(toolChoice?.type === 'allowed' ? 1 : 2)
  })

  test('a schema of its own, strict where the model knows it, and names within the limit', () => {
    const strict = { ...tool, description: 'D', strict: true, cache: { ttl: '5m' } } as const
    expect(encode({ tools: [strict] }).body['tools']).toEqual([
      {
        name: 'get',
        description: 'D',
        input_schema: { type: 'object', properties: {} },
        strict: true,
        cache_control: { type: 'ephemeral' },
      },
    ])
    expect(encode({ tools: [strict] }, { model: FIRST }).dropped).toEqual(['tools.strict'])
    expect(encode({ tools: [{ kind: 'function', name: 'a' }] }).body['tools']).toEqual([
      { name: 'a', input_schema: { type: 'object' } },
    ])
    expect(encode({ tools: [{ ...tool, name: 'x'.repeat(128) }] }).dropped).toEqual([])
    expect(refusal({ tools: [tool, { ...tool, name: 'x'.repeat(129) }] })).toBe(
      'unsupported_parameter tools[1].function.name',
    )
    expect(refusal({ tools: [{ kind: 'custom', name: 'c' }] })).toBe('unsupported_parameter tools[0]')
  })
})

describe('format', () => {
  test('a schema is closed, its unknown bounds become words', () => {
    const schema = {
      type: 'object',
      properties: {
        n: { type: 'integer', minimum: 1, description: 'N' },
        l: { type: 'array', items: { type: 'object', additionalProperties: false }, minItems: 1 },
      },
    }
    const { body, dropped } = encode({ format: { type: 'json_schema', name: 's', schema } })
    expect(body['output_config']).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          additionalProperties: false,
          properties: {
            n: { type: 'integer', description: 'N {minimum: 1}' },
            l: { type: 'array', items: { type: 'object', additionalProperties: false }, minItems: 1 },
          },
        },
      },
    })
    expect(dropped).toEqual(['response_format.minimum'])
    expect(refusal({ format: { type: 'json_schema', name: 's', schema } }, FIRST)).toBe(
      'unsupported_parameter response_format',
    )
  })

  test.each([
    ['any names', { type: 'object' }],
    ['no names, and others', { type: 'object', properties: {} }],
    ['names with values of a schema', { type: 'object', additionalProperties: { type: 'string' } }],
    ['some names and others', { type: 'object', properties: { a: {} }, additionalProperties: true }],
    ['any names or null', { type: ['object', 'null'] }],
    ['within', { type: 'object', properties: { a: { type: 'array', items: { anyOf: [{ type: 'object' }] } } } }],
  ])('an object of free keys, of which closing would leave {} alone, is refused: %s', (_name, schema) => {
    expect(refusal({ format: { type: 'json_schema', name: 's', schema } })).toBe(
      'unsupported_parameter response_format',
    )
  })

  test('the refusal of free keys says where they are', () => {
    const schema = { type: 'object', properties: { tags: { type: 'object', additionalProperties: true } } }
    expect(() => encode({ format: { type: 'json_schema', name: 's', schema } })).toThrow(
      /'schema\.properties\.tags' leaves its names open\. List them in 'properties'/,
    )
  })

  test('any JSON is asked for in words', () => {
    expect(encode({ format: { type: 'json_object' } }).body['system']).toEqual([
      { type: 'text', text: 'Answer with one JSON object, nothing else.' },
    ])
  })
})

describe('thinking', () => {
  const think = (changes: Partial<ChatRequest>, model: string, outputCap = 20_000): unknown => {
    const { body, dropped } = encode(changes, { model, outputCap })
    return {
      thinking: body['thinking'],
      effort: (body['output_config'] as { effort?: string } | undefined)?.effort,
      dropped,
    }
  }
  test.each([
    ['high', NEW, { type: 'adaptive' }, 'high', []],
    ['minimal', NEW, { type: 'adaptive' }, 'low', []],
    ['xhigh', 'claude-opus-4-6', { type: 'adaptive' }, 'high', []],
    ['none', NEW, { type: 'disabled' }, undefined, []],
    ['medium', OLD, { type: 'enabled', budget_tokens: 8192 }, undefined, []],
    ['max', OLD, { type: 'enabled', budget_tokens: 10_000 }, undefined, []],
    ['high', FIRST, undefined, undefined, ['reasoning_effort']],
  ] as const)('effort %s at %s', (reasoningEffort, model, thinking, effort, dropped) => {
    expect(think({ reasoningEffort }, model)).toEqual({ thinking, effort, dropped })
  })

  test('a wish gives way to a short answer, a forced tool and a call whose thinking is elsewhere', () => {
    const gone = { thinking: undefined, effort: undefined, dropped: ['reasoning_effort'] }
    expect(think({ reasoningEffort: 'low' }, OLD, 2000)).toEqual(gone)
    expect(think({ reasoningEffort: 'low', tools: [tool], toolChoice: { type: 'required' } }, OLD)).toEqual(gone)
    const open: Message[] = [
      user,
      { role: 'assistant', content: null, toolCalls: [{ id: 'a', kind: 'function', name: 'get', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'a', content: '1' },
    ]
    expect(think({ reasoningEffort: 'low', messages: open }, OLD)).toEqual(gone)
    const thinking = { type: 'enabled', budgetTokens: 2000 } as const
    expect(think({ thinking, messages: open }, OLD)).toEqual({ ...gone, dropped: ['thinking'] })
    const reasoning = [{ type: 'reasoning', text: 'T', signature: 's', signedBy: 'anthropic' }] as const
    const own = open.map((message) => (message.role === 'assistant' ? { ...message, reasoning } : message))
    expect(think({ thinking, messages: own }, OLD)).toMatchObject({ thinking: { budget_tokens: 2000 }, dropped: [] })
    expect(think({ reasoningEffort: 'low', tools: [tool], toolChoice: { type: 'required' } }, NEW)).toEqual({
      thinking: undefined,
      effort: 'low',
      dropped: [],
    })
  })

  test("a caller's own thinking is obeyed, translated for models without budgets, or refused", () => {
    const own = { thinking: { type: 'enabled', budgetTokens: 4000 } } as const
    expect(think(own, OLD)).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 4000 } })
    expect(think(own, NEW)).toMatchObject({ thinking: { type: 'adaptive' }, effort: 'medium' })
    expect(() => think(own, OLD, 4000)).toThrow(/below max_tokens/)
    const silent = { thinking: { ...own.thinking, display: 'omitted' } } as const
    expect(think(silent, OLD)).toMatchObject({ thinking: { budget_tokens: 4000, display: 'omitted' } })
    expect(think({ thinking: { type: 'adaptive', display: 'summarized' } }, NEW)).toMatchObject({
      thinking: { type: 'adaptive', display: 'summarized' },
    })
    expect(think(silent, 'claude-3-7-sonnet-20250219')).not.toHaveProperty('thinking.display')
    expect(think({ ...own, betas: ['interleaved-thinking-2025-05-14'] }, OLD, 4000)).toMatchObject({ dropped: [] })
    expect(refusal({ ...own, tools: [tool], toolChoice: { type: 'required' } })).toBe(
      'unsupported_parameter tool_choice',
    )
    expect(refusal(own, FIRST)).toBe('unsupported_parameter thinking')
  })

  test('sampling is left out beside it, by name', () => {
    const { body, dropped } = encode(
      { reasoningEffort: 'low', sampling: { temperature: 0, topK: 4 } },
      { outputCap: 9000 },
    )
    expect(body).not.toHaveProperty('temperature')
    expect(dropped).toEqual(['temperature', 'top_k'])
  })
})

describe('fields', () => {
  test('what has a counterpart', () => {
    const { body, dropped } = encode({
      maxOutputTokens: 77,
      sampling: { temperature: 0.5, topP: 1, topK: 4, stop: ['', 'END'], frequencyPenalty: 0 },
      openai: { user: 'u', modalities: ['text'] },
    })
    expect(body).toMatchObject({
      model: OLD,
      max_tokens: 77,
      temperature: 0.5,
      top_k: 4,
      stop_sequences: ['END'],
      metadata: { user_id: 'u' },
      stream: true,
    })
    expect(body).not.toHaveProperty('top_p')
    expect(dropped).toEqual([])
  })

  test('a cap is always sent: what is held, else what the caller said, else the model can', () => {
    expect(encode({ maxOutputTokens: 77 }, { outputCap: 50 }).body['max_tokens']).toBe(50)
    expect(encode({}).body['max_tokens']).toBe(64_000)
    expect(encode({}, { model: 'someone-else' }).body['max_tokens']).toBe(16_384)
  })

  test('a name of the user that is too long is not cut into that of another', () => {
    const { body, dropped } = encode({ openai: { user: 'u'.repeat(257) } })
    expect(body).not.toHaveProperty('metadata')
    expect(dropped).toEqual(['user'])
  })

  test('what is dropped is named', () => {
    const { dropped } = encode({
      sampling: { seed: 1, minP: 0.1, repetitionPenalty: 1, temperature: 0.1, topP: 0.5 },
      openai: { store: true, prediction: {}, service_tier: 'flex', metadata: { a: 'b' } },
      passed: { foo: 1 },
      betas: ['context-1m-2025-08-07', 'extended-cache-ttl-2025-04-11'],
    })
    expect(dropped.toSorted()).toEqual([
      'anthropic-beta.context-1m-2025-08-07',
      'foo',
      'metadata',
      'min_p',
      'prediction',
      'repetition_penalty',
      'seed',
      'service_tier',
      'store',
      'top_p',
    ])
    expect(encode({ sampling: { temperature: 0 } }, { model: NEW }).dropped).toEqual(['temperature'])
  })

  test.each<[string, Partial<ChatRequest>]>([
    ['n', { n: 2 }],
    ['logprobs', { topLogprobs: 0 }],
    ['frequency_penalty', { sampling: { frequencyPenalty: 1 } }],
    ['presence_penalty', { sampling: { presencePenalty: 1 } }],
    ['logit_bias', { sampling: { logitBias: { '1': 1 } } }],
    ['temperature', { sampling: { temperature: 1.5 } }],
    ['stop', { sampling: { stop: ['\n'] } }],
    ['audio', { openai: { audio: {} } }],
    ['modalities', { openai: { modalities: ['text', 'audio'] } }],
    ['web_search_options', { openai: { web_search_options: {} } }],
  ])('%s is refused', (param, changes) => {
    expect(refusal(changes)).toBe(`unsupported_parameter ${param}`)
  })

  test('betas on the list go on; fixed fields of the operator too, but not what is priced', () => {
    const { body, headers } = encode(
      { betas: ['interleaved-thinking-2025-05-14', 'extended-cache-ttl-2025-04-11', 'mcp-client-2025-04-04'] },
      { extraBody: { max_tokens: 9, mcp_servers: [], cache_control: {}, top_k: 3 } },
    )
    expect(headers).toEqual({ 'anthropic-beta': 'interleaved-thinking-2025-05-14,extended-cache-ttl-2025-04-11' })
    expect(body).toMatchObject({ max_tokens: 64_000, top_k: 3 })
    expect(body).not.toHaveProperty('mcp_servers')
    expect(body).not.toHaveProperty('cache_control')
  })
})

test('whatever is asked, the body keeps the rules of the API or is refused by name', () => {
  let sent = 0
  fc.assert(
    fc.property(requests, fc.constantFrom(OLD, NEW, FIRST), (request, model) => {
      let body: { messages: { role: string; content: { type: string; text?: string }[] }[]; max_tokens: number }
      try {
        body = JSON.parse(
          encodeRequest(request, { kind: 'anthropic', model, extraBody: {} }, { stream: false, outputCap: undefined })
            .body,
        ) as typeof body
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(SwitchyardError)
        expect((thrown as SwitchyardError).status).toBeLessThan(500)
        return
      }
      sent += 1
      expect(body.max_tokens).toBeGreaterThan(0)
      expect(body.messages[0]?.role).toBe('user')
      body.messages.forEach((turn, at) => {
        expect(turn.role).toBe(at % 2 === 0 ? 'user' : 'assistant')
        expect(turn.content.length).toBeGreaterThan(0)
        const types = turn.content.map(({ type }) => type)
        expect(types.lastIndexOf('tool_result')).toBeLessThan(types.filter((type) => type === 'tool_result').length)
        for (const { type, text } of turn.content) if (type === 'text') expect(text).not.toBe('')
      })
    }),
    { numRuns: 200 },
  )
  expect(sent).toBeGreaterThan(5)
})
