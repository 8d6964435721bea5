import type { Adapter } from '../adapter.ts'
import { StreamDecoder } from './decode-stream.ts'
import { decodeWhole } from './decode-whole.ts'
import { encodeRequest } from './encode-request.ts'
import { fromRefusal } from './errors.ts'

/** The version of the API that this folder is written for. */
const VERSION = '2023-06-01'

/** Anthropic's Messages API. */
export const anthropicAdapter: Adapter = {
  says: new Set(['thinking', 'cache_control', 'is_error', 'anthropic-beta']),
  headers: (key) => ({ 'anthropic-version': VERSION, ...(key === undefined ? {} : { 'x-api-key': key }) }),
  encode: encodeRequest,
  stream: (requestBytes) => new StreamDecoder(requestBytes, nowSeconds()),
  whole: (body, requestBytes) => decodeWhole(body, requestBytes, nowSeconds()),
  refusal: fromRefusal,
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
