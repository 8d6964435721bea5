/** The law of the budget at Anthropic: what its encoder sends, rendered and counted byte by byte, is never billed above the hold. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { charge } from '../../src/budget/prices/charge.ts'
import { withinHold } from '../../src/budget/hold/hold.ts'
import { planHold } from '../../src/budget/hold/plan-hold.ts'
import { scheduleOf } from '../../src/budget/prices/price-book.ts'
import { priceAt } from '../../src/budget/prices/price-schedule.ts'
import type { CacheMarker, ChatRequest } from '../../src/protocol/request.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { outputLimitOf } from '../../src/shared/output-limit.ts'
import { encodeRequest } from '../../src/upstream/anthropic/encode-request.ts'
import { readUsage } from '../../src/upstream/anthropic/usage.ts'
import { requests } from '../support/arbitrary-requests.ts'

const AT = Date.parse('2026-08-01T00:00:00Z')
const MODELS = ['claude-sonnet-4-5', 'claude-haiku-4-5', 'claude-3-5-haiku-latest'] as const
/** Vision guide: the largest picture. */
const IMAGE_TOKENS = 4784
/** Tool use guide: the longest system prompt. */
const TOOL_TOKENS = 530

interface Block {
  readonly type: string
  readonly text?: string
  readonly content?: readonly Block[]
}
interface Body {
  readonly system?: readonly Block[]
  readonly messages: readonly { readonly role: string; readonly content: readonly Block[] }[]
  readonly tools?: readonly unknown[]
  readonly output_config?: unknown
  readonly max_tokens: number
}

/** Tokens of a body at a byte each, as a plain template would write it; documents are left to the context. */
function promptTokens(body: Body): number {
  let images = 0
  const blocks = (list: readonly Block[]): string =>
    list
      .map((block) => {
        if (block.type === 'text') return String(block.text)
        if (block.type === 'image') {
          images += 1
          return ''
        }
        const { content, ...rest } = block
        return JSON.stringify(rest) + blocks(content ?? [])
      })
      .join('\n')
  const turns = body.messages.map(
    ({ role, content }) => `\n\n${role === 'user' ? 'Human' : 'Assistant'}: ${blocks(content)}`,
  )
  const tools = body.tools === undefined ? '' : body.tools.map((tool) => `\n${JSON.stringify(tool)}`).join('')
  const format = body.output_config === undefined ? '' : JSON.stringify(body.output_config)
  const prompt = `${blocks(body.system ?? [])}${tools}${format}${turns.join('')}\n\nAssistant:`
  return (
    Buffer.byteLength(prompt.normalize('NFKC')) + images * IMAGE_TOKENS + (body.tools === undefined ? 0 : TOOL_TOKENS)
  )
}

/** The request with a marker on its last text of the user. */
function marked(request: ChatRequest, cache: CacheMarker | undefined): ChatRequest {
  if (cache === undefined) return request
  const messages = request.messages.map((message) =>
    message.role === 'user' && typeof message.content === 'string'
      ? { ...message, content: [{ type: 'text' as const, text: message.content, cache }] }
      : message,
  )
  const has = messages.some((message, at) => message !== request.messages[at])
  // A body with a marker is longer by it.
  return has ? { ...request, messages, bodyBytes: request.bodyBytes + 60 * messages.length } : request
}

/** The request without what Anthropic refuses whatever the prompt is. */
function sayable(request: ChatRequest): ChatRequest {
  const fields = Object.entries(request).filter(([name]) => name !== 'topLogprobs' && name !== 'toolChoice')
  const tools = request.tools.filter(({ kind }) => kind === 'function')
  return { ...(Object.fromEntries(fields) as unknown as ChatRequest), tools, n: 1, sampling: {}, openai: {} }
}

const markers = fc.constantFrom<(CacheMarker | undefined)[]>(undefined, { ttl: '5m' }, { ttl: '1h' })

test('no bill of Anthropic is above its hold, whatever it reads from and writes to its cache', () => {
  let held = 0
  fc.assert(
    fc.property(
      requests,
      fc.constantFrom(...MODELS),
      markers,
      fc.record({ read: fc.nat({ max: 100 }), written: fc.nat({ max: 100 }), output: fc.nat({ max: 100 }) }),
      fc.option(fc.integer({ min: 1, max: 10_000_000_000 }), { nil: undefined }),
      (plain, model, marker, report, left) => {
        const request = marked(sayable(plain), marker)
        const hasMarker = request.messages !== plain.messages
        const price = priceAt(scheduleOf('anthropic', model), AT)
        if (price === undefined) throw new Error(`The book has no price for ${model}.`)
        const target = { kind: 'anthropic', model, contextTokens: 200_000, extraBody: {}, upstream: 'u' } as const
        const remaining = left === undefined ? undefined : toNanoUsd(left)
        const input = {
          request,
          target,
          price,
          remaining,
          outputLimit: outputLimitOf(model),
          signal: new AbortController().signal,
        }
        const hold = planHold(input, undefined)
        if (hold instanceof Promise || hold.kind === 'refused') return
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
        expect(body.max_tokens).toBeLessThanOrEqual(hold.outputTokens)
        const written = hasMarker ? Math.floor((prompt * report.written) / 100) : 0
        const read = Math.floor(((prompt - written) * report.read) / 100)
        const usage = readUsage(
          {
            input_tokens: prompt - written - read,
            cache_read_input_tokens: read,
            cache_creation_input_tokens: written,
            cache_creation:
              marker?.ttl === '1h' ? { ephemeral_1h_input_tokens: written } : { ephemeral_5m_input_tokens: written },
            output_tokens: Math.ceil((body.max_tokens * report.output) / 100),
          },
          { requestBytes: 0, contentChunks: 0, contentBytes: 0 },
          true,
        )
        expect(usage.input).toBe(prompt)
        expect(charge(withinHold(usage, hold), price)).toBeLessThanOrEqual(hold.amount)
      },
    ),
    { numRuns: 400 },
  )
  // The law is of no use if everything is refused.
  expect(held).toBeGreaterThan(50)
})
