/** Which requests may be answered from memory and which answers may be kept: pure, with a reason for each no. */
import type { AnswerChunk } from '../protocol/answer.ts'
import type { ChatRequest, UserPart } from '../protocol/request.ts'

export const BYPASS_REASONS = [
  'off',
  'no-store',
  'embeddings',
  'sampled',
  'several-answers',
  'tools',
  'tool-results',
  'stored-response',
  'remote-content',
  'sensitive',
  'suspicious',
  'time-dependent',
  'personal',
  'never-again',
] as const
/** Why a request goes past the cache: log field and metric label alike. */
export type BypassReason = (typeof BYPASS_REASONS)[number]

export interface EligibilityOptions {
  /** Answers of a random choice may be used again (`sampled: true`). */
  readonly sampled: boolean
}
/** What the guard saw in the request, as far as it matters here. */
export interface Seen {
  readonly findings: ReadonlyMap<string, number>
  readonly suspicion: number | undefined
}

/**
 * Undefined = the request may be looked up, joined and its answer kept. The cheap reasons that most requests have come first; what its
 * words ask for (`volatility`) is read where nothing was found, since such an answer is never kept.
 */
export function whyBypassed(
  request: ChatRequest,
  seen: Seen | undefined,
  { sampled }: EligibilityOptions,
): BypassReason | undefined {
  const { sampling, openai, tools, toolChoice, turn } = request
  if (request.embed !== undefined) return 'embeddings'
  // Unset is the server's default, which is no 0: parallel requests for the best of n must stay n answers.
  if (!sampled && sampling.temperature !== 0) return 'sampled'
  if (request.n !== 1) return 'several-answers'
  if (tools.length > 0 && toolChoice?.type !== 'none') return 'tools'
  if (turn?.store === true || openai.store === true) return 'stored-response'
  if (openai.web_search_options !== undefined) return 'time-dependent'
  for (const message of request.messages) {
    if (message.role === 'tool') return 'tool-results'
    if (message.role === 'assistant') {
      if (message.toolCalls !== undefined && message.toolCalls.length > 0) return 'tool-results'
      if (message.audioId !== undefined) return 'remote-content'
    } else if (typeof message.content !== 'string' && message.content.some(isRemote)) return 'remote-content'
  }
  if (seen !== undefined) {
    if (seen.findings.size > 0) return 'sensitive'
    if (seen.suspicion !== undefined) return 'suspicious'
  }
  return undefined
}

/** What stands behind an address or a provider's id may be something else tomorrow. */
function isRemote(part: UserPart): boolean {
  if (part.type === 'image') return !part.url.startsWith('data:')
  return part.type === 'file' && (part.fileId !== undefined || part.url !== undefined)
}

export const UNKEPT_REASONS = [
  'unfinished',
  'tool-calls',
  'refused',
  'empty',
  'annotated',
  'audio',
  'too-large',
  'stand-in',
  'never-again',
] as const
/** Why an answer is not kept: metric label. */
export type UnkeptReason = (typeof UNKEPT_REASONS)[number]

/** Characters of an answer that is kept at most. */
const LARGEST_ANSWER = 256 * 1024

/** Undefined = a whole answer may be kept: it ended by itself, with words. */
export function whyNotKept(chunks: readonly AnswerChunk[]): UnkeptReason | undefined {
  let letters = 0
  let hasText = false
  let isFinished = false
  for (const { events } of chunks) {
    for (const event of events) {
      switch (event.type) {
        case 'text':
          letters += event.text.length
          hasText ||= event.text.trim() !== ''
          break
        case 'reasoning':
          letters += event.text.length
          break
        case 'finish':
          // Cut by a limit or a filter, or calls of tools.
          if (event.reason === 'tool_calls' || event.reason === 'function_call') return 'tool-calls'
          if (event.reason !== 'stop') return 'unfinished'
          isFinished = true
          break
        case 'tool-call':
          return 'tool-calls'
        case 'refusal':
          if (event.text !== '') return 'refused'
          break
        case 'annotations':
          // Sources of a search are of their day.
          return 'annotated'
        case 'audio':
          return 'audio'
        case 'start':
        case 'logprobs':
        case 'usage':
          break
        default:
          event satisfies never
      }
    }
  }
  if (!isFinished) return 'unfinished'
  if (!hasText) return 'empty'
  return letters > LARGEST_ANSWER ? 'too-large' : undefined
}
