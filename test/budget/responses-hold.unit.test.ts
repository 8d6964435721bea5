/** The law of the budget at the Responses API: what its encoder sends, counted byte by byte, is never billed above the hold. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { charge } from '../../src/budget/prices/charge.ts'
import { withinHold } from '../../src/budget/hold/hold.ts'
import { planHold } from '../../src/budget/hold/plan-hold.ts'
import { scheduleOf } from '../../src/budget/prices/price-book.ts'
import { priceAt } from '../../src/budget/prices/price-schedule.ts'
import type { ChatRequest, Message, ReasoningPart } from '../../src/protocol/request.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { encodeRequest } from '../../src/upstream/openai-responses/encode-request.ts'
import { readUsage } from '../../src/upstream/openai-responses/usage.ts'
import { requests } from '../support/arbitrary-requests.ts'

const AT = Date.parse('2026-08-01T00:00:00Z')
const MODELS = ['gpt-5-codex', 'o3-pro', 'gpt-5-pro'] as const
/** Images and vision guide: 75 and 150 a tile at o3, less at GPT-5; the largest picture has 8 tiles. */
const IMAGE_TOKENS = 75 + 8 * 150

type Fields = Readonly<Record<string, unknown>>
interface Body {
  readonly input: readonly Fields[]
  readonly tools?: readonly Fields[]
  readonly text?: Fields
  readonly max_output_tokens?: number
}

/** Tokens of a body at a byte each: 3 a message or item and its role, the texts, names and arguments, the tools as their JSON. */
function promptTokens({ input, tools = [], text }: Body): number {
  let tokens = 3
  for (const item of input) {
    tokens += 3 + bytes(item['role'])
    for (const name of ['name', 'arguments', 'input', 'call_id', 'encrypted_content']) tokens += bytes(item[name])
    for (const name of ['content', 'output', 'summary']) tokens += contentTokens(item[name])
  }
  for (const { name, description, parameters, format } of tools) {
    const schema = parameters ?? format
    // A tool without parameters is sent with an empty schema, which is declared as no argument at all.
    const declared = JSON.stringify(schema) === '{"type":"object","properties":{}}' ? undefined : schema
    tokens += bytes(name) + bytes(description) + (declared === undefined ? 0 : bytes(JSON.stringify(declared)))
  }
  return tokens + (text?.['format'] === undefined ? 0 : bytes(JSON.stringify((text['format'] as Fields)['schema'])))
}

function contentTokens(content: unknown): number {
  if (!Array.isArray(content)) return bytes(content)
  return (content as readonly Fields[]).reduce(
    (sum, part) =>
      sum + bytes(part['text']) + bytes(part['refusal']) + (part['type'] === 'input_image' ? IMAGE_TOKENS : 0),
    0,
  )
}

function bytes(text: unknown): number {
  return typeof text === 'string' ? Buffer.byteLength(text) : 0
}

/** The request without what the API refuses whatever the prompt is. */
function sayable(request: ChatRequest): ChatRequest {
  const { topLogprobs: _, ...rest } = request
  return { ...rest, n: 1, sampling: {}, openai: {} }
}

/** With thinking of OpenAI's before the last message, as long as its size says. */
function thought(request: ChatRequest, sealed: string): ChatRequest {
  const part: ReasoningPart = { type: 'reasoning', text: 'So.', id: 'rs_1', signature: sealed, signedBy: 'openai' }
  const message: Message = { role: 'assistant', content: 'So far', reasoning: [part] }
  const items = [
    { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'So.' }], encrypted_content: sealed },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'So far' }] },
  ]
  return {
    ...request,
    messages: [message, ...request.messages],
    bodyBytes: request.bodyBytes + JSON.stringify(items).length,
  }
}

test('no bill of the Responses API is above its hold, whatever it reads from its cache', async () => {
  let held = 0
  await fc.assert(
    fc.asyncProperty(
      requests,
      fc.constantFrom(...MODELS),
      fc.option(fc.base64String({ maxLength: 400 }), { nil: undefined }),
      fc.record({ read: fc.nat({ max: 100 }), output: fc.nat({ max: 100 }), reasoning: fc.nat({ max: 100 }) }),
      fc.option(fc.integer({ min: 1, max: 10_000_000_000 }), { nil: undefined }),
      async (plain, model, sealed, report, left) => {
        const request = sealed === undefined ? sayable(plain) : thought(sayable(plain), sealed)
        const price = priceAt(scheduleOf('openai', model), AT)
        if (price === undefined) throw new Error(`The book has no price for ${model}.`)
        const target = {
          kind: 'openai',
          model,
          contextTokens: 400_000,
          extraBody: {},
          upstream: 'u',
          isHostedOpenAi: true,
        } as const
        const remaining = left === undefined ? undefined : toNanoUsd(left)
        const signal = new AbortController().signal
        const hold = await planHold({ request, target, price, remaining, signal }, undefined)
        if (hold.kind === 'refused') return
        let body: Body
        try {
          body = JSON.parse(encodeRequest(request, target, { stream: true, outputCap: hold.outputCap }).body) as Body
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SwitchyardError)
          return
        }
        held += 1
        const prompt = promptTokens(body)
        expect(prompt).toBeLessThanOrEqual(hold.inputTokens)
        const cap = body.max_output_tokens ?? hold.outputTokens
        expect(cap).toBeLessThanOrEqual(hold.outputTokens)
        const output = Math.ceil((cap * report.output) / 100)
        const usage = readUsage(
          {
            input_tokens: prompt,
            input_tokens_details: { cached_tokens: Math.floor((prompt * report.read) / 100) },
            output_tokens: output,
            output_tokens_details: { reasoning_tokens: Math.floor((output * report.reasoning) / 100) },
            total_tokens: prompt + output,
          },
          { requestBytes: 0, contentChunks: 0, contentBytes: 0 },
        )
        expect([usage.input, usage.output, usage.estimated]).toEqual([prompt, output, false])
        expect(charge(withinHold(usage, hold), price)).toBeLessThanOrEqual(hold.amount)
      },
    ),
    { numRuns: 400 },
  )
  // The law is of no use if everything is refused.
  expect(held).toBeGreaterThan(100)
})
