import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCompletionRequest } from '../../src/protocol/openai-completions/decode-request.ts'
import { openAiCompletions } from '../../src/protocol/openai-completions/dialect.ts'
import { encodeCompletionRequest } from '../../src/protocol/openai-completions/encode-request.ts'
import type { NanoUsd } from '../../src/shared/money.ts'

const decode = (body: object): ReturnType<typeof decodeCompletionRequest> =>
  decodeCompletionRequest({ model: 'm', prompt: 'Once', ...body }, { bodyBytes: 100, unknownFields: 'drop' })
const encode = (body: object): Record<string, unknown> => {
  const target = { kind: 'vllm', model: 'qwen', extraBody: {} }
  const request = decode(body)
  const { body: text } = encodeCompletionRequest(request, target, {
    stream: request.stream,
    outputCap: request.maxOutputTokens,
  })
  return JSON.parse(text) as Record<string, unknown>
}

describe('a request', () => {
  test('any prompt arrives at the engine as it was, and in no message', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (prompt) => {
        const sent = encode({ prompt })
        expect(sent['prompt']).toBe(prompt)
        expect(sent).not.toHaveProperty('messages')
      }),
    )
  })

  test('settings that both APIs have keep their meaning; the cap of the API is 16 tokens', () => {
    const settings = {
      temperature: 0.5,
      top_p: 0.9,
      stop: ['.'],
      seed: 7,
      n: 2,
      max_tokens: 5,
      top_k: 20,
      presence_penalty: 1,
    }
    expect(encode(settings)).toMatchObject({ model: 'qwen', ...settings })
    expect(encode({})).toEqual({ model: 'qwen', prompt: 'Once', max_tokens: 16 })
    expect(encode({ prompt: ['Once'], best_of: 1, echo: false, logprobs: null, suffix: '' })).toEqual(encode({}))
  })

  test.each<[object, string, string, RegExp]>([
    [{ prompt: undefined }, 'missing_required_parameter', 'prompt', /Missing/],
    [{ prompt: '' }, 'invalid_value', 'prompt', /empty/],
    [{ prompt: 7 }, 'invalid_value', 'prompt', /token ids/],
    [{ prompt: [1, 2, 3] }, 'invalid_value', 'prompt', /token ids/],
    [{ prompt: [[1, 2]] }, 'invalid_value', 'prompt', /token ids/],
    [{ prompt: ['a', 'b'] }, 'invalid_value', 'prompt', /one request for each/],
    [{ prompt: { a: 1 } }, 'invalid_type', 'prompt', /expected a string/],
    [{ echo: true }, 'unsupported_parameter', 'echo', /yourself/],
    [{ echo: 'yes' }, 'invalid_type', 'echo', /boolean/],
    [{ best_of: 3 }, 'unsupported_parameter', 'best_of', /equals 'n'/],
    [{ suffix: 'end' }, 'unsupported_parameter', 'suffix', /template/],
    [{ logprobs: 2 }, 'unsupported_parameter', 'logprobs', /chat\/completions/],
    [{ messages: [] }, 'unknown_parameter', 'messages', /chat\/completions/],
    [{ tools: [] }, 'unknown_parameter', 'tools', /raw prompt/],
    [{ max_completion_tokens: 3 }, 'unknown_parameter', 'max_completion_tokens', /raw prompt/],
    [{ temprature: 1 }, 'unknown_parameter', 'temprature', /Did you mean 'temperature'/],
    [{ chat_template: 'x' }, 'unknown_parameter', 'chat_template', /not accepted/],
    [JSON.parse('{"__proto__":{"a":1}}') as object, 'unknown_parameter', '__proto__', /Unknown parameter/],
  ])('%j is refused as %s of %s', (body, code, param, sentence) => {
    const whole = Object.defineProperties({ model: 'm', prompt: 'Once' }, Object.getOwnPropertyDescriptors(body))
    const options = { bodyBytes: 100, unknownFields: 'drop' } as const
    expect(() => decodeCompletionRequest(whole, options)).toThrow(
      expect.objectContaining({ code, param, message: expect.stringMatching(sentence) as string }) as Error,
    )
  })

  test('a hosted chat-only model refuses it in a sentence', () => {
    const send = { stream: false, outputCap: 1, isHostedOpenAi: true }
    expect(() => encodeCompletionRequest(decode({}), { kind: 'openai', model: 'x', extraBody: {} }, send)).toThrow(
      /chat messages only/,
    )
  })
})

describe('an answer', () => {
  const usage = {
    input: 1,
    cachedInput: 0,
    cacheWrite: 0,
    output: 2,
    reasoning: 0,
    audioInput: 0,
    audioOutput: 0,
    estimated: false,
  }
  const shape = (body: object): Parameters<typeof openAiCompletions.whole>[0] => ({
    id: 'x',
    created: 7,
    request: decode(body),
  })

  test('streamed pieces are the whole text, choice by choice', () => {
    const events = [
      { type: 'start', id: 'cmpl-1', model: 'q', created: 3 },
      { type: 'text', choice: 1, text: 'B' },
      { type: 'text', choice: 0, text: 'a' },
      { type: 'text', choice: 0, text: '"é' },
      { type: 'finish', choice: 0, reason: 'length' },
      { type: 'finish', choice: 1, reason: 'stop' },
    ] as const
    const whole = openAiCompletions.whole(shape({}))
    const stream = openAiCompletions.stream(shape({ stream: true, stream_options: { include_usage: true } }))
    whole.add({ events, wire: 'data: {"chat":true}\n\n' })
    const text = stream.chunk({ events, wire: 'data: {"chat":true}\n\n' }) + stream.end(usage, 5 as NanoUsd)
    expect(JSON.parse(whole.render(usage, 5 as NanoUsd))).toMatchObject({
      id: 'cmpl-1',
      object: 'text_completion',
      model: 'q',
      choices: [
        { index: 0, text: 'a"é', finish_reason: 'length', logprobs: null },
        { index: 1, text: 'B', finish_reason: 'stop', logprobs: null },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2, cost_nano_usd: 5 },
    })
    const frames = text
      .split('\n\n')
      .filter((frame) => frame.startsWith('data: {'))
      .map((frame) => JSON.parse(frame.slice(6)) as { choices: { index: number; text: string }[]; usage: unknown })
    const of = (index: number): string =>
      frames
        .flatMap((frame) => frame.choices)
        .map((choice) => (choice.index === index ? choice.text : ''))
        .join('')
    expect([of(0), of(1)]).toEqual(['a"é', 'B'])
    expect(frames.at(-1)).toMatchObject({ choices: [], usage: { cost_nano_usd: 5 } })
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(text).not.toContain('chat')
  })
})
