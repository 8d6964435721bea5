/** Content blocks that callers write: text, pictures, documents, search results. `where` is the block's path for errors. */
import {
  boundedArray,
  invalid,
  isObject,
  missing,
  object,
  refuse,
  string,
  word,
  wrongType,
  type Fields,
} from '../check.ts'
import { checkImageDataUrl, checkPublicHttpUrl } from '../public-url.ts'
import type { FilePart, ImagePart, TextPart } from '../request.ts'
import { cacheOf } from './decode-cache.ts'
import type { DecodeNotes } from './decode-notes.ts'

export const MAX_BLOCKS = 200_000
const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

type InputPart = TextPart | ImagePart | FilePart

/** A text block. Its `citations` are what servers return and say nothing to a model. */
export function textPart(block: Fields, where: string, notes: DecodeNotes): TextPart {
  return {
    type: 'text',
    text: notes.metered(string(block['text'], `${where}.text`)),
    ...cacheOf(block, where, notes),
  }
}

/** An image as data or by a public address; it is never fetched by us. */
export function imagePart(block: Fields, where: string, notes: DecodeNotes): ImagePart {
  const at = `${where}.source`
  const source = object(block['source'], at)
  const type = word(source['type'], `${at}.type`, ['base64', 'url', 'file'] as const)
  const cache = cacheOf(block, where, notes)
  switch (type) {
    case 'base64': {
      const mediaType = word(source['media_type'], `${at}.media_type`, IMAGE_TYPES)
      const url = `data:${mediaType};base64,${string(source['data'], `${at}.data`)}`
      const verdict = checkImageDataUrl(url)
      if (!verdict.ok) throw invalid(`${at}.data`, `the image ${verdict.why}.`)
      return { type: 'image', url, ...cache }
    }
    case 'url': {
      const url = string(source['url'], `${at}.url`)
      // The API takes https and http here, no data.
      const verdict = checkPublicHttpUrl(url)
      if (!verdict.ok) throw invalid(`${at}.url`, `the address ${verdict.why}.`)
      return { type: 'image', url, ...cache }
    }
    case 'file':
      throw ofOneProvider(at)
    default:
      return type satisfies never
  }
}

/** A document: a PDF as a file, a text as text, a list of blocks as those. Its title stands before the text. */
export function documentParts(block: Fields, where: string, notes: DecodeNotes): readonly InputPart[] {
  const at = `${where}.source`
  const source = object(block['source'], at)
  const type = word(source['type'], `${at}.type`, ['base64', 'text', 'content', 'url', 'file'] as const)
  const title = optionalText(block, 'title', where, notes)
  const context = optionalText(block, 'context', where, notes)
  if (isObject(block['citations']) && block['citations']['enabled'] === true) notes.drop('citations')
  const cache = cacheOf(block, where, notes)
  const before = [title, context].filter((each) => each !== undefined).map((each) => `${each}\n\n`)
  const introduced = (parts: readonly InputPart[]): readonly InputPart[] => {
    const first: InputPart[] = before.length === 0 ? [] : [{ type: 'text', text: before.join('') }]
    const all = [...first, ...parts]
    const last = all.at(-1)
    return last === undefined ? [] : all.with(all.length - 1, { ...last, ...cache })
  }
  switch (type) {
    case 'base64': {
      word(source['media_type'], `${at}.media_type`, ['application/pdf'] as const)
      const data = string(source['data'], `${at}.data`)
      if (!BASE64.test(data)) throw invalid(`${at}.data`, 'expected base64.')
      const file = { filename: title ?? 'document.pdf', data: `data:application/pdf;base64,${data}` }
      return context === undefined
        ? [{ type: 'file', ...file, ...cache }]
        : [
            { type: 'text', text: context },
            { type: 'file', ...file, ...cache },
          ]
    }
    case 'url': {
      const url = string(source['url'], `${at}.url`)
      const verdict = checkPublicHttpUrl(url)
      if (!verdict.ok) throw invalid(`${at}.url`, `the address ${verdict.why}.`)
      return introduced([{ type: 'file', url }])
    }
    case 'text': {
      word(source['media_type'], `${at}.media_type`, ['text/plain'] as const)
      const text = notes.metered(string(source['data'], `${at}.data`))
      return [{ type: 'text', text: before.join('') + text, ...cache }]
    }
    case 'content': {
      const { content } = source as { content?: unknown }
      if (typeof content === 'string') return introduced([{ type: 'text', text: notes.metered(content) }])
      const inner = blocksOf(content, `${at}.content`, ['text', 'image'] as const)
      return introduced(
        inner.map(({ block: each, type: kind, where: place }) =>
          kind === 'text' ? textPart(each, place, notes) : imagePart(each, place, notes),
        ),
      )
    }
    case 'file':
      throw ofOneProvider(at)
    default:
      return type satisfies never
  }
}

/** A search result as text: its title, its source, what it says. */
export function searchResultPart(block: Fields, where: string, notes: DecodeNotes): TextPart {
  const title = notes.metered(string(block['title'], `${where}.title`))
  const source = notes.metered(string(block['source'], `${where}.source`))
  const texts = blocksOf(block['content'], `${where}.content`, ['text'] as const).map(
    ({ block: each, where: place }) => textPart(each, place, notes).text,
  )
  return { type: 'text', text: [title, source, ...texts].join('\n'), ...cacheOf(block, where, notes) }
}

/** Blocks of the allowed types with their places. */
export function blocksOf<Type extends string>(
  value: unknown,
  at: string,
  types: readonly Type[],
): readonly { readonly block: Fields; readonly type: Type; readonly where: string }[] {
  if (value === undefined) throw missing(at)
  if (!Array.isArray(value)) throw wrongType(at, 'a string or an array of content blocks', value)
  return boundedArray(value, at, 0, MAX_BLOCKS).map((raw, index) => {
    const where = `${at}[${index}]`
    if (!isObject(raw)) throw wrongType(where, 'an object', raw)
    return { block: raw, type: blockType(raw['type'], `${where}.type`, types), where }
  })
}

/** A block of the provider's own tools, or one of a newer API, holds content: leaving it out would change what was said. */
function blockType<Type extends string>(value: unknown, at: string, types: readonly Type[]): Type {
  const type = string(value, at)
  if ((types as readonly string[]).includes(type)) return type as Type
  const shown = JSON.stringify(type.slice(0, 64))
  throw refuse(
    'unsupported_value',
    at,
    `Content blocks of type ${shown} are not supported here. Supported are: ${types.join(', ')}.`,
  )
}

function optionalText(block: Fields, name: string, where: string, notes: DecodeNotes): string | undefined {
  const value = block[name]
  return value === undefined || value === null ? undefined : notes.metered(string(value, `${where}.${name}`))
}

function ofOneProvider(at: string): Error {
  return refuse(
    'unsupported_value',
    `${at}.type`,
    `'${at}' names a file that lies at one provider, and any model may answer here: send its data as base64.`,
  )
}
