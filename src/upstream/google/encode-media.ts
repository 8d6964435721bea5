/** Pictures, sound and files as parts of a Gemini content: bytes in the request, or a file that lies at Google already. */
import type { AudioPart, FilePart, ImagePart, JsonObject } from '../../protocol/request.ts'
import { unsupported } from './unsupported.ts'

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+);base64,/
/** Where the Files API keeps what was uploaded there. */
const FILE_URI = /^https:\/\/generativelanguage\.googleapis\.com\/v1(?:beta)?\/files\/[\w-]+$/
const FILE_ID = /^files\/[\w-]+$/
/** Base64 of `%PDF-`. */
const PDF_START = 'JVBERi'

/** `where` is the part's path, for errors. */
export function encodeImage(part: ImagePart, where: string): JsonObject {
  const type = DATA_URL.exec(part.url)?.[1]
  if (type === undefined) {
    if (FILE_URI.test(part.url)) return { fileData: { fileUri: part.url } }
    throw unsupported(
      where,
      'Google takes pictures as bytes: send the picture as a data: address, or let the operator allow its host (`upstreams.X.fetchImages`).',
    )
  }
  if (type === 'image/gif') throw unsupported(where, 'Send the picture as PNG, JPEG or WebP instead of GIF.')
  return inline(type, part.url)
}

export function encodeAudio(part: AudioPart): JsonObject {
  return { inlineData: { mimeType: `audio/${part.format}`, data: part.data } }
}

export function encodeFile(part: FilePart, where: string): JsonObject {
  const { data, fileId, url } = part
  if (data !== undefined) {
    const type = DATA_URL.exec(data)?.[1]
    if (type !== undefined) return inline(type, data)
    if (data.startsWith(PDF_START) || part.filename?.toLowerCase().endsWith('.pdf') === true)
      return { inlineData: { mimeType: 'application/pdf', data } }
    throw unsupported(where, 'Its type is not known: send it as a data: address, as in data:application/pdf;base64,….')
  }
  const uri =
    fileId !== undefined && FILE_ID.test(fileId) ? `https://generativelanguage.googleapis.com/v1beta/${fileId}` : url
  if (uri !== undefined && FILE_URI.test(uri)) return { fileData: { fileUri: uri } }
  throw unsupported(where, 'Send the file as data, or the name of one at the Gemini Files API (`files/…`).')
}

function inline(mimeType: string, dataUrl: string): JsonObject {
  return { inlineData: { mimeType, data: dataUrl.slice(dataUrl.indexOf(',') + 1) } }
}
