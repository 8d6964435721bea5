/** Specifications that rows cite; threads stand with their rows. */
export const SSE = 'https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation'
export const SSE_AUTHORS = 'https://html.spec.whatwg.org/multipage/server-sent-events.html#authoring-notes'
export const CHAT_STREAM = 'https://platform.openai.com/docs/api-reference/chat-streaming/streaming'
export const CHAT_CREATE = 'https://platform.openai.com/docs/api-reference/chat/create'
export const CLIENT_STREAM = 'https://github.com/openai/openai-node/blob/master/src/core/streaming.ts'
export const RESPONSES_STREAM = 'https://developers.openai.com/api/reference/resources/responses/streaming-events'
export const RESPONSE_TYPE = 'https://github.com/openai/openai-python/blob/main/src/openai/types/responses/response.py'
export const MESSAGES_STREAM = 'https://platform.claude.com/docs/en/build-with-claude/streaming'
export const HTTP_FRAMING = 'https://www.rfc-editor.org/rfc/rfc9112#section-6.2'
export const HTTP_PERSISTENCE = 'https://www.rfc-editor.org/rfc/rfc9112#section-9.3'

/** The address of an issue or pull request: `owner/name#number`. */
export function thread(name: string, kind: 'issues' | 'pull' = 'issues'): string {
  const [repository, number] = name.split('#')
  return `https://github.com/${repository}/${kind}/${number}`
}
