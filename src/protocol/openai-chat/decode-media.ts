/** Content parts that are not text. `where` is the part's path for errors. */
import { checkImageDataUrl, checkPublicHttpUrl } from '../public-url.ts'
import type { AudioPart, FilePart, ImagePart } from '../request.ts'
import { invalid, missing, object, string, word, type Fields } from '../check.ts'

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const DATA_URL = /^data:[\w.+-]+\/[\w.+-]+;base64,/

/** An image by a public address or as data; it is never fetched by us. */
export function imagePart(part: Fields, where: string): ImagePart {
  const image = object(part['image_url'], `${where}.image_url`)
  const url = string(image['url'], `${where}.image_url.url`)
  const verdict = /^data:/i.test(url) ? checkImageDataUrl(url) : checkPublicHttpUrl(url)
  if (!verdict.ok) throw invalid(`${where}.image_url.url`, `the address ${verdict.why}.`)
  const { detail } = image as { detail?: unknown }
  if (detail === undefined || detail === null) return { type: 'image', url }
  return { type: 'image', url, detail: word(detail, `${where}.image_url.detail`, ['auto', 'low', 'high'] as const) }
}

/** Sound as base64. */
export function audioPart(part: Fields, where: string): AudioPart {
  const audio = object(part['input_audio'], `${where}.input_audio`)
  const data = string(audio['data'], `${where}.input_audio.data`)
  const format = word(audio['format'], `${where}.input_audio.format`, ['wav', 'mp3'] as const)
  if (!isBase64(data)) throw invalid(`${where}.input_audio.data`, 'expected base64.')
  return { type: 'audio', data, format }
}

/** A file by its id at the provider, or as data. */
export function filePart(part: Fields, where: string): FilePart {
  const file = object(part['file'], `${where}.file`)
  const read = (name: string): string | undefined =>
    file[name] === undefined || file[name] === null ? undefined : string(file[name], `${where}.file.${name}`)
  const fileId = read('file_id')
  const filename = read('filename')
  const data = read('file_data')
  if (fileId === undefined && data === undefined) throw missing(`${where}.file.file_id`)
  // An address here would be fetched from inside the model server's network.
  if (data !== undefined && !isBase64(data.replace(DATA_URL, '')))
    throw invalid(`${where}.file.file_data`, 'expected base64, or a data address with base64.')
  return {
    type: 'file',
    ...(fileId === undefined ? {} : { fileId }),
    ...(filename === undefined ? {} : { filename }),
    ...(data === undefined ? {} : { data }),
  }
}

function isBase64(text: string): boolean {
  return text !== '' && BASE64.test(text)
}
