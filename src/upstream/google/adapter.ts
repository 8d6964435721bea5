import type { Adapter } from '../adapter.ts'
import { decodeGoogleWhole } from './decode-whole.ts'
import { GoogleStreamDecoder } from './decode-stream.ts'
import { encodeGoogleRequest } from './encode-request.ts'
import { fromGoogleRefusal } from './errors.ts'

/** Google's Gemini API, `generateContent` (v1beta). The key goes into a header: in the address it would stand in logs. */
export const googleAdapter: Adapter = {
  says: new Set(['thinking', 'is_error']),
  headers: (key) => (key === undefined ? {} : { 'x-goog-api-key': key }),
  encode: encodeGoogleRequest,
  stream: (requestBytes) => new GoogleStreamDecoder(requestBytes),
  whole: decodeGoogleWhole,
  refusal: fromGoogleRefusal,
}
