/** A request that a command is to look at: a text, a file or the standard input. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Dialect } from '../protocol/dialect.ts'
import { anthropicMessages } from '../protocol/anthropic-messages/dialect.ts'
import { parseJsonBody } from '../protocol/json.ts'
import { openAiChat } from '../protocol/openai-chat/dialect.ts'
import { openAiResponses } from '../protocol/openai-responses/dialect.ts'
import type { ChatRequest } from '../protocol/request.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { UsageError, type Io } from './command.ts'

const DIALECTS: Readonly<Record<string, Dialect>> = {
  chat: openAiChat,
  messages: anthropicMessages,
  responses: openAiResponses,
}

export interface RequestSource {
  /** Words of the command line; a single `-` = standard input. */
  readonly words: readonly string[]
  readonly file: string | undefined
  /** `chat`, `messages` or `responses`; undefined = by its fields. */
  readonly api: string | undefined
  /** In the place of the body's own. */
  readonly model: string | undefined
  readonly textLimitBytes: number
  readonly passFields: ReadonlySet<string>
}

/** Throws UsageError where there is none, or it is none that the service would take. */
export async function readRequest(source: RequestSource, io: Io): Promise<ChatRequest> {
  const { api, file, words, model } = source
  if (api !== undefined && !Object.hasOwn(DIALECTS, api))
    throw new UsageError(`--api ${api} is none of ${Object.keys(DIALECTS).join(', ')}.`)
  const text = await textOf(file, words, io)
  const { body, isWhole } = bodyOf(text, file !== undefined || api !== undefined)
  if (model !== undefined) body['model'] = model
  else body['model'] ??= 'auto'
  const dialect = DIALECTS[api ?? apiOf(body)] as Dialect
  try {
    return dialect.decode(body, {
      bodyBytes: Buffer.byteLength(isWhole ? text : JSON.stringify(body)),
      unknownFields: 'drop',
      passFields: source.passFields,
      textLimitBytes: source.textLimitBytes,
    })
  } catch (error) {
    if (!(error instanceof SwitchyardError)) throw error
    throw new UsageError(`The service would refuse this request (${dialect.name}): ${error.message}`)
  }
}

async function textOf(file: string | undefined, words: readonly string[], io: Io): Promise<string> {
  if (file !== undefined) {
    if (words.length > 0) throw new UsageError('Give a text or --file, not both.')
    try {
      return readFileSync(resolve(io.cwd, file), 'utf8')
    } catch (error) {
      throw new UsageError(`--file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (words.length === 1 && words[0] === '-') {
    if (io.stdin === undefined) throw new UsageError('There is no standard input to read.')
    return io.stdin()
  }
  if (words.length === 0) throw new UsageError('Give a text, --file REQUEST.json, or - for the standard input.')
  return words.join(' ')
}

/** A text that is a JSON object is a request's body; any other is what somebody asks, unless it must be one. */
function bodyOf(text: string, mustBe: boolean): { readonly body: Record<string, unknown>; readonly isWhole: boolean } {
  if (mustBe || text.trimStart().startsWith('{')) {
    try {
      return { body: { ...parseJsonBody(Buffer.from(text)) }, isWhole: true }
    } catch (error) {
      if (mustBe) throw new UsageError(error instanceof Error ? error.message : String(error))
    }
  }
  return { body: { messages: [{ role: 'user', content: text }] }, isWhole: false }
}

/** By the fields that only one of the APIs has. */
function apiOf(body: Readonly<Record<string, unknown>>): 'chat' | 'messages' | 'responses' {
  if (body['messages'] === undefined && body['input'] !== undefined) return 'responses'
  if (body['system'] !== undefined || body['anthropic_version'] !== undefined || body['stop_sequences'] !== undefined)
    return 'messages'
  const text = JSON.stringify([body['tools'], body['messages']])
  return /"(?:input_schema|tool_use_id)":|"type":"(?:tool_use|thinking|redacted_thinking)"/.test(text)
    ? 'messages'
    : 'chat'
}
