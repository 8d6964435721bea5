import type { Row } from './row.ts'
import { CONTENT_ROWS } from './rows/content.ts'
import { ENDING_ROWS } from './rows/endings.ts'
import { MESSAGES_ROWS } from './rows/messages.ts'
import { MESSAGES_ENDING_ROWS } from './rows/messages-endings.ts'
import { REQUEST_ROWS } from './rows/requests.ts'
import { RESPONSES_ROWS } from './rows/responses.ts'
import { RESPONSES_ENDING_ROWS } from './rows/responses-endings.ts'
import { SHAPE_ROWS } from './rows/shape.ts'
import { SSE_ROWS } from './rows/sse.ts'
import { TOOL_ROWS } from './rows/tools.ts'
import { TRANSPORT_ROWS } from './rows/transport.ts'
import { USAGE_ROWS } from './rows/usage.ts'

/** The conformance list: the rows of chat, then those of Responses, then those of Messages. */
export const LIST: readonly Row[] = [
  ...SSE_ROWS,
  ...SHAPE_ROWS,
  ...USAGE_ROWS,
  ...CONTENT_ROWS,
  ...TOOL_ROWS,
  ...ENDING_ROWS,
  ...TRANSPORT_ROWS,
  ...REQUEST_ROWS,
  ...RESPONSES_ROWS,
  ...RESPONSES_ENDING_ROWS,
  ...MESSAGES_ROWS,
  ...MESSAGES_ENDING_ROWS,
]
