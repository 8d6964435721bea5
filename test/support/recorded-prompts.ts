/** Requests of the recordings whose prompt tokens the engine told, as the gateway would decode them. */
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'
import { readFixture } from './vectors.ts'

export interface RecordedPrompt {
  readonly name: string
  readonly request: ChatRequest
  /** As the engine counted, cached tokens included. */
  readonly promptTokens: number
}

interface Row {
  readonly name: string
  readonly request?: { readonly path: string; readonly body?: unknown }
  readonly response?: unknown
}

/** Rows of `fixtures/recorded/ENGINE.jsonl`. A body that is refused before it would be sent has no prompt and is left out. */
export function recordedPrompts(engine: string): readonly RecordedPrompt[] {
  return readFixture<Row>(`recorded/${engine}.jsonl`).flatMap((row) => {
    const promptTokens = promptTokensOf(row)
    const request = promptTokens === undefined ? undefined : requestOf(row.request?.body)
    return promptTokens === undefined || request === undefined ? [] : [{ name: row.name, request, promptTokens }]
  })
}

function promptTokensOf({ request, response }: Row): number | undefined {
  if (request === undefined || response === undefined || request.path === '/slots') return undefined
  const text = JSON.stringify(response)
  const found = [
    ...text.matchAll(/\b(?:n_prompt_tokens|prompt_tokens|input_tokens|cache_read_input_tokens)\\*":\s?(\d+)/g),
  ]
  const counted = request.path === '/tokenize' ? /\{\\*"count\\*":(\d+)/.exec(text) : null
  const all = [...found, ...(counted === null ? [] : [counted])].map((match) => Number(match[1]))
  if (all.length === 0) return undefined
  // llama.cpp's Anthropic dialect counts cached tokens apart from the others.
  return request.path.startsWith('/v1/messages')
    ? Math.max(...all) + Math.min(...all) * Number(all.length > 1)
    : Math.max(...all)
}

function requestOf(body: unknown): ChatRequest | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const fields = body as Readonly<Record<string, unknown>>
  const text = fields['input'] ?? fields['prompt']
  const messages = fields['messages'] ?? (typeof text === 'string' ? [{ role: 'user', content: text }] : undefined)
  const whole = JSON.parse(
    spellOut(JSON.stringify({ ...fields, messages, input: undefined, prompt: undefined })),
  ) as object
  try {
    return decodeChatRequest(whole, {
      bodyBytes: Buffer.byteLength(JSON.stringify(whole)),
      unknownFields: 'drop',
    })
  } catch {
    return undefined
  }
}

/** `<the word 'word' 1500 times, separated by spaces>` stands for that text. */
function spellOut(json: string): string {
  return json.replace(/<the word '(\w+)' (\d+) times, separated by spaces>/g, (_all, word: string, times: string) =>
    Array.from({ length: Number(times) }, () => word).join(' '),
  )
}
