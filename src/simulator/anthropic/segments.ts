import { imageSize } from '../image-size.ts'
import type { Segment } from '../prompt-cache.ts'
import { countTokens } from '../tokens.ts'
import { blocksOf, type Block, type CacheControl, type MessagesBody } from './body.ts'

/** Long edge of a picture that is not scaled down, and most tokens of one (docs "Vision"). */
const LONG_EDGE = 1568
const PICTURE_MOST = 1600
const PAGE_TOKENS = 2000
const MESSAGE_TOKENS = 4

/** The prompt in the order in which it is cached: tools, system, messages. */
export function segmentsOf(body: MessagesBody): readonly Segment[] {
  const segments: Segment[] = [{ text: '', tokens: 3 }]
  for (const { cache_control: mark, ...tool } of body.tools ?? []) {
    const text = JSON.stringify(tool)
    segments.push(segment(text, countTokens(text), mark))
  }
  for (const block of blocksOf(body.system)) segments.push(segmentOf('system', block, 0))
  for (const { role, content } of body.messages) {
    for (const [at, block] of blocksOf(content).entries())
      segments.push(segmentOf(role, block, at === 0 ? MESSAGE_TOKENS : 0))
  }
  const last = segments.at(-1)
  if (body.cache_control != null && last !== undefined)
    segments[segments.length - 1] = segment(last.text, last.tokens, body.cache_control)
  return segments
}

function segmentOf(role: string, { cache_control: mark, ...block }: Block, extra: number): Segment {
  return segment(`${role} ${JSON.stringify(block)}`, extra + tokensOf(block), mark)
}

function segment(text: string, tokens: number, mark: CacheControl | null | undefined): Segment {
  return mark == null ? { text, tokens } : { text, tokens, ttl: mark.ttl ?? '5m' }
}

function tokensOf(block: Block): number {
  switch (block.type) {
    case 'image':
      return pictureTokens(block.source?.data ?? block.source?.url ?? '')
    case 'document':
      return documentTokens(block)
    case 'tool_use':
      return countTokens(block.name ?? '') + countTokens(JSON.stringify(block.input))
    case 'tool_result':
      return blocksOf(block.content).reduce((sum, each) => sum + tokensOf(each), 0)
    case 'thinking':
      return countTokens(block.thinking ?? '')
    default:
      return countTokens(block.text ?? '')
  }
}

/** Width times height by 750, of the picture as it is after scaling (docs "Vision"). */
function pictureTokens(source: string): number {
  const { width, height } = imageSize(source)
  const scale = Math.min(1, LONG_EDGE / Math.max(width, height))
  return Math.min(PICTURE_MOST, Math.ceil((width * scale * (height * scale)) / 750))
}

function documentTokens({ source }: Block): number {
  if (source?.type === 'text') return countTokens(source.data ?? '')
  if (source?.type === 'content') return countTokens(JSON.stringify(source.content))
  const pages = Buffer.from(source?.data ?? '', 'base64')
    .toString('latin1')
    .match(/\/Type\s*\/Page\b/g)
  return PAGE_TOKENS * Math.max(1, pages?.length ?? 0)
}
