/** Content parts of the Responses API. `at` is a part's path for errors. */
import { boundedArray, invalid, isObject, missing, refuse, string, word, wrongType, type Fields } from '../check.ts'
import { audioPart } from '../openai-chat/decode-media.ts'
import type { TextMeter } from '../openai-chat/decode-messages.ts'
import { checkImageDataUrl, checkPublicHttpUrl } from '../public-url.ts'
import type { FilePart, ImagePart, RefusalPart, TextPart, UserPart } from '../request.ts'

const MAX_PARTS = 200_000
const DETAILS = ['auto', 'low', 'high', 'original'] as const
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const DATA_URL = /^data:[\w.+-]+\/[\w.+-]+;base64,/

/** `content` of a user's message. */
export function userContent(value: unknown, at: string, meter: TextMeter): string | readonly UserPart[] {
  return content(value, at, meter, ['input_text', 'input_image', 'input_file', 'input_audio'], (part, type, where) => {
    switch (type) {
      case 'input_text':
        return textPart(part, where, meter)
      case 'input_image':
        return imagePart(part, where)
      case 'input_file':
        return filePart(part, where)
      case 'input_audio':
        return audioPart(part, where)
      default:
        return type satisfies never
    }
  })
}

/** `content` of a system or developer message. */
export function systemContent(value: unknown, at: string, meter: TextMeter): string | readonly TextPart[] {
  return content(value, at, meter, ['input_text'], (part, _type, where) => textPart(part, where, meter))
}

/** `content` of an earlier answer. Some clients write their own answers as `input_text`. */
export function assistantContent(
  value: unknown,
  at: string,
  meter: TextMeter,
): string | readonly (TextPart | RefusalPart)[] {
  return content(value, at, meter, ['output_text', 'refusal', 'input_text'], (part, type, where) =>
    type === 'refusal'
      ? { type: 'refusal', text: metered(string(part['refusal'], `${where}.refusal`), meter) }
      : textPart(part, where, meter),
  )
}

/** `output` of a tool. */
export function outputContent(
  value: unknown,
  at: string,
  meter: TextMeter,
): string | readonly (TextPart | ImagePart)[] {
  if (Array.isArray(value) && value.length === 0) return ''
  return content(value, at, meter, ['input_text', 'input_image'], (part, type, where) =>
    type === 'input_text' ? textPart(part, where, meter) : imagePart(part, where),
  )
}

function content<Type extends string, Part>(
  value: unknown,
  at: string,
  meter: TextMeter,
  types: readonly Type[],
  decode: (part: Fields, type: Type, where: string) => Part,
): string | readonly Part[] {
  if (value === undefined) throw missing(at)
  if (typeof value === 'string') return metered(value, meter)
  if (!Array.isArray(value)) throw wrongType(at, 'a string or an array of content parts', value)
  return boundedArray(value, at, 1, MAX_PARTS).map((raw, index) => {
    const where = `${at}[${index}]`
    if (!isObject(raw)) throw wrongType(where, 'an object', raw)
    return decode(raw, word(raw['type'], `${where}.type`, types), where)
  })
}

function textPart(part: Fields, where: string, meter: TextMeter): TextPart {
  return { type: 'text', text: metered(string(part['text'], `${where}.text`), meter) }
}

/** An image by a public address or as data; it is never fetched by us. `original` is the largest that others have: `high`. */
function imagePart(part: Fields, where: string): ImagePart {
  if ((part['file_id'] ?? null) !== null) {
    throw refuse(
      'unsupported_parameter',
      `${where}.file_id`,
      'Images by the id of a file are not supported. Send an address or a data URL as image_url.',
    )
  }
  const at = `${where}.image_url`
  const url = string(part['image_url'] ?? undefined, at)
  const verdict = /^data:/i.test(url) ? checkImageDataUrl(url) : checkPublicHttpUrl(url)
  if (!verdict.ok) throw invalid(at, `the address ${verdict.why}.`)
  if ((part['detail'] ?? null) === null) return { type: 'image', url }
  const detail = word(part['detail'], `${where}.detail`, DETAILS)
  return { type: 'image', url, detail: detail === 'original' ? 'high' : detail }
}

function filePart(part: Fields, where: string): FilePart {
  if ((part['file_url'] ?? null) !== null) {
    throw refuse(
      'unsupported_parameter',
      `${where}.file_url`,
      'Files by address are not supported: nothing is fetched here. Send the file as file_data.',
    )
  }
  const read = (name: string): string | undefined =>
    (part[name] ?? null) === null ? undefined : string(part[name], `${where}.${name}`)
  const fileId = read('file_id')
  const filename = read('filename')
  const data = read('file_data')
  if (fileId === undefined && data === undefined) throw missing(`${where}.file_data`)
  if (data !== undefined && !BASE64.test(data.replace(DATA_URL, '')))
    throw invalid(`${where}.file_data`, 'expected base64, or a data address with base64.')
  return {
    type: 'file',
    ...(fileId === undefined ? {} : { fileId }),
    ...(filename === undefined ? {} : { filename }),
    ...(data === undefined ? {} : { data }),
  }
}

export function metered(text: string, meter: TextMeter): string {
  meter.chars += text.length
  return text
}
