import type { IncomingMessage } from 'node:http'
import { anthropicMessages } from '../protocol/anthropic-messages/dialect.ts'
import type { Dialect } from '../protocol/dialect.ts'
import { openAiChat } from '../protocol/openai-chat/dialect.ts'
import { openAiCompletions } from '../protocol/openai-completions/dialect.ts'
import { openAiEmbeddings } from '../protocol/openai-embeddings/dialect.ts'
import { openAiResponses } from '../protocol/openai-responses/dialect.ts'

/** Agents' base URLs end with and without `/v1`. */
const DIALECTS: ReadonlyMap<string, Dialect> = new Map(
  [
    ['/chat/completions', openAiChat] as const,
    ['/completions', openAiCompletions] as const,
    ['/embeddings', openAiEmbeddings] as const,
    ['/messages', anthropicMessages] as const,
    ['/responses', openAiResponses] as const,
  ].flatMap(([path, dialect]) => [
    [`/v1${path}`, dialect],
    [path, dialect],
  ]),
)

/** Paths of requests for a model's answer. */
export const CALL_PATHS: readonly string[] = [...DIALECTS.keys()]

/** The dialect of a request for a model's answer: a slash at the end, a query and percent-encoding make no difference. */
export function dialectOf(request: IncomingMessage): Dialect | undefined {
  if (request.method !== 'POST') return undefined
  const { url = '' } = request
  const exact = DIALECTS.get(url)
  if (exact !== undefined) return exact
  const path = (url.split('?', 1)[0] as string).replace(/\/$/, '')
  try {
    return DIALECTS.get(path) ?? (path.includes('%') ? DIALECTS.get(decodeURI(path)) : undefined)
  } catch {
    return undefined
  }
}

/** Also as a whole address (RFC 9112, section 3.2.2) and with parameters behind a semicolon. */
const MESSAGES_PATH = /^(?:https?:\/\/[^/]*)?(?:\/v1)?\/messages(?:[/?;]|$)/i

/** The dialect in which any other request is answered: Anthropic's clients say their API's version with everything they send. */
export function errorDialectOf(request: IncomingMessage): Dialect {
  return request.headers['anthropic-version'] !== undefined || MESSAGES_PATH.test(request.url ?? '')
    ? anthropicMessages
    : openAiChat
}
