import type { FilePart, ImagePart } from '../../protocol/request.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { unsupported } from './unsupported.ts'

type Block = Record<string, unknown>

const IMAGE_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
/** Base64 of one picture (vision guide: 10 MB; older accounts 5 MB, which the API says itself and at no cost). */
const MAX_IMAGE_CHARS = 10 * 1024 * 1024
const DATA_URL = /^data:([a-z]+\/[a-z0-9.+-]+)(?:;[^,;]*)*;base64,/i

/** A picture as a block: bytes as they are, an address for Anthropic to fetch. */
export function encodeImage(part: ImagePart, param: string): Block {
  if (!part.url.startsWith('data:')) return { type: 'image', source: { type: 'url', url: part.url } }
  const { mediaType, data } = readDataUrl(part.url, param)
  if (!IMAGE_TYPES.includes(mediaType)) {
    throw new SwitchyardError(
      'invalid_image_format',
      `The picture in ${param} is ${mediaType}; Anthropic's models take JPEG, PNG, GIF and WebP.`,
      { param },
    )
  }
  if (data.length > MAX_IMAGE_CHARS)
    throw new SwitchyardError(
      'string_above_max_length',
      `The picture in ${param} has ${data.length} characters of base64; Anthropic takes at most ${MAX_IMAGE_CHARS}. Send a smaller one.`,
      { param },
    )
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data } }
}

/** A document: PDF or plain text as bytes, or a PDF by its address. */
export function encodeFile(part: FilePart, param: string): Block {
  const title = part.filename === undefined ? {} : { title: part.filename }
  if (part.url !== undefined) return { type: 'document', source: { type: 'url', url: part.url }, ...title }
  if (part.data === undefined)
    throw unsupported(param, 'A file id means something to its own provider alone; send the file as file_data.')
  const { mediaType, data } = part.data.startsWith('data:')
    ? readDataUrl(part.data, param)
    : { mediaType: 'application/pdf', data: part.data }
  if (mediaType === 'text/plain') {
    const text = Buffer.from(data, 'base64').toString()
    return { type: 'document', source: { type: 'text', media_type: mediaType, data: text }, ...title }
  }
  if (mediaType !== 'application/pdf')
    throw unsupported(param, `Files of type ${mediaType} are not read; send PDF or plain text.`)
  return { type: 'document', source: { type: 'base64', media_type: mediaType, data }, ...title }
}

function readDataUrl(url: string, param: string): { readonly mediaType: string; readonly data: string } {
  const head = DATA_URL.exec(url)
  if (head === null) throw unsupported(param, 'Data URLs are read as base64 with a media type.')
  const mediaType = (head[1] as string).toLowerCase()
  return { mediaType: mediaType === 'image/jpg' ? 'image/jpeg' : mediaType, data: url.slice(head[0].length) }
}
