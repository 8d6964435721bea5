import type { DecodeOptions } from '../dialect.ts'
import {
  boundedArray,
  invalid,
  missing,
  optionalEnum,
  optionalInteger,
  refuse,
  wrongType,
  type Fields,
} from '../check.ts'
import { decodeChatRequest } from '../openai-chat/decode-request.ts'
import { BODY_FIELDS } from '../openai-chat/known-fields.ts'
import type { ChatRequest } from '../request.ts'

/** Limits of the API (OpenAI API reference, create embeddings). */
const MAX_INPUTS = 2048
const MAX_DIMENSIONS = 65_536
const MAX_TOKEN_ID = 2 ** 31
const ENCODINGS = ['float', 'base64'] as const
const OWN: ReadonlySet<string> = new Set(['input', 'dimensions', 'encoding_format'])
/** What means the same here and in the chat API; `metadata` may carry the task. */
const SHARED: ReadonlySet<string> = new Set(['model', 'metadata', 'user'])

/**
 * Validates a body of `POST /v1/embeddings` and rebuilds it as a request that generates nothing. Each input is also a user message, so
 * that the bounds of a prompt hold for it: tokens, where they are given, as their JSON, which has more bytes than they are tokens.
 */
export function decodeEmbeddingRequest(body: unknown, options: DecodeOptions): ChatRequest {
  const fields = body as Fields
  for (const required of ['model', 'input']) if (fields[required] === undefined) throw missing(required)
  const inputs = inputsOf(fields['input'])
  const dimensions = optionalInteger(fields, 'dimensions', 1, MAX_DIMENSIONS)
  const encoding = optionalEnum(fields, 'encoding_format', ENCODINGS)
  const rest: Record<string, unknown> = {}
  for (const name of Object.keys(fields)) {
    if (OWN.has(name)) continue
    if (BODY_FIELDS.includes(name) && !SHARED.has(name))
      throw refuse('unknown_parameter', name, `Unknown parameter: '${name}'. It has no meaning for embeddings.`)
    // Defined, not assigned: a key "__proto__" must arrive at the check of names like any other.
    Object.defineProperty(rest, name, { value: fields[name], enumerable: true })
  }
  const messages = inputs.map((input) => ({
    role: 'user',
    content: typeof input === 'string' ? input : JSON.stringify(input),
  }))
  const request = decodeChatRequest({ ...rest, messages }, options)
  return {
    ...request,
    embed: { inputs, encoding: encoding ?? 'float', ...(dimensions === undefined ? {} : { dimensions }) },
    maxOutputTokens: 0,
  }
}

function inputsOf(value: unknown): NonNullable<ChatRequest['embed']>['inputs'] {
  if (typeof value === 'string') return [textOf(value, 'input')]
  if (!Array.isArray(value)) throw wrongType('input', 'a string or an array', value)
  if (typeof value[0] === 'number') return [tokensOf(value, 'input')]
  return boundedArray(value, 'input', 1, MAX_INPUTS).map((each, at) =>
    typeof each === 'string' ? textOf(each, `input[${at}]`) : tokensOf(each, `input[${at}]`),
  )
}

function textOf(text: string, param: string): string {
  if (text === '') throw invalid(param, 'it must not be empty.')
  return text
}

function tokensOf(value: unknown, param: string): readonly number[] {
  if (!Array.isArray(value)) throw wrongType(param, 'a string or an array of token ids', value)
  if (value.length === 0) throw invalid(param, 'it must not be empty.')
  for (const token of value as readonly unknown[])
    if (!Number.isInteger(token) || (token as number) < 0 || (token as number) >= MAX_TOKEN_ID)
      throw invalid(param, 'token ids are integers from 0 on.')
  return value as readonly number[]
}
