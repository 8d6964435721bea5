/** Most tokens that pictures, audio and files can be billed with. */
import type { AudioPart, FilePart, Message } from '../../protocol/request.ts'
import type { PromptRules } from './prompt-rules.ts'

type Part = Exclude<NonNullable<Message['content']>, string>[number]

export interface MediaBound {
  readonly tokens: number
  /** Bytes of the body that are this payload and never reach the tokeniser as text. */
  readonly payloadBytes: number
  /** Nothing bounds it but the model's context: a file known by its id, or one whose text may be packed. */
  readonly isUnbounded: boolean
}

const NONE: MediaBound = { tokens: 0, payloadBytes: 0, isUnbounded: false }
const OF_CONTEXT: MediaBound = { tokens: 0, payloadBytes: 0, isUnbounded: true }
/** Base64 of a WAV head up to its byte rate, at offset 28. */
const WAV_HEAD_CHARS = 44
/** Fewest bytes a second of any speech codec (G.723.1 has 662); below that a file's length says nothing about its duration. */
const LEAST_BYTES_PER_SECOND = 600

/** A JSON string has at least one byte per UTF-16 unit, so that a payload's length may be taken off the body's bytes. */
export function mediaBound(part: Part, rules: PromptRules): MediaBound {
  switch (part.type) {
    case 'image':
      // The size in pixels is not read: the largest picture is assumed, as for an address that only the provider fetches.
      return {
        tokens: rules.imageTokens,
        payloadBytes: part.url.startsWith('data:') ? part.url.length : 0,
        isUnbounded: false,
      }
    case 'audio':
      return audioBound(part, rules)
    case 'file':
      return fileBound(part)
    case 'text':
    case 'refusal':
      return NONE
    default:
      return part satisfies never
  }
}

function audioBound(part: AudioPart, rules: PromptRules): MediaBound {
  if (part.format === 'wav' && !hasPlausibleRate(part.data)) return { ...OF_CONTEXT, payloadBytes: part.data.length }
  return {
    tokens: Math.ceil(part.data.length / rules.audioBytesPerToken),
    payloadBytes: part.data.length,
    isUnbounded: false,
  }
}

/** A WAV head may claim any byte rate, one byte an hour too; then its few bytes would be many tokens. */
function hasPlausibleRate(data: string): boolean {
  const head = Buffer.from(data.slice(0, WAV_HEAD_CHARS), 'base64')
  if (head.length < 32 || head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 12, 16) !== 'fmt ')
    return false
  return head.readUInt32LE(28) >= LEAST_BYTES_PER_SECOND
}

/** A PDF's text is packed and its pages are pictures besides, so that its bytes bound nothing. */
function fileBound(part: FilePart): MediaBound {
  return { ...OF_CONTEXT, payloadBytes: part.data?.length ?? 0 }
}
