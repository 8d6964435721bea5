import type { ChatRequest } from '../request.ts'

/** What a request needs from a model; names as in `models.X.capabilities`. */
export type Requirement =
  | 'tools'
  | 'images'
  | 'json_schema'
  | 'audio'
  | 'web_search'
  | 'logprobs'
  | 'custom_tools'
  | 'completions'
  | 'embeddings'

/** Capabilities without which a model cannot answer this request as it was meant. */
export function requires(request: ChatRequest): readonly Requirement[] {
  const needs: Requirement[] = []
  if (request.prompt !== undefined) needs.push('completions')
  if (request.embed !== undefined) needs.push('embeddings')
  if (request.tools.length > 0) needs.push('tools')
  if (request.tools.some((tool) => tool.kind === 'custom')) needs.push('custom_tools')
  if (request.format?.type === 'json_schema') needs.push('json_schema')
  if (request.topLogprobs !== undefined) needs.push('logprobs')
  if (request.openai.web_search_options !== undefined) needs.push('web_search')
  let hasAudio = request.openai.audio !== undefined || request.openai.modalities?.includes('audio') === true
  let hasImages = false
  for (const message of request.messages) {
    if (typeof message.content === 'string' || message.content === null) continue
    for (const part of message.content) {
      if (part.type === 'image') hasImages = true
      else if (part.type === 'audio') hasAudio = true
    }
  }
  if (hasImages) needs.push('images')
  if (hasAudio) needs.push('audio')
  return needs
}
