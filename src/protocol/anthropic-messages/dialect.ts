import type { Dialect } from '../dialect.ts'
import { decodeMessagesRequest } from './decode-request.ts'
import { errorBody } from './error-body.ts'
import { FIELD_NAMES } from './fields.ts'
import { MessageStreamWriter } from './write-stream.ts'
import { MessageWriter } from './write-whole.ts'

/** `POST /v1/messages` (Anthropic API reference, version 2023-06-01). */
export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  decode: decodeMessagesRequest,
  whole: (shape) => new MessageWriter(shape),
  stream: (shape) => new MessageStreamWriter(shape),
  requestIdHeader: 'request-id',
  fieldNames: FIELD_NAMES,
  errorBody,
}
