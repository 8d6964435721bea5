import type { Row } from './row.ts'
import { CONTENT_ROWS } from './rows/content.ts'
import { ENDING_ROWS } from './rows/endings.ts'
import { REQUEST_ROWS } from './rows/requests.ts'
import { SHAPE_ROWS } from './rows/shape.ts'
import { SSE_ROWS } from './rows/sse.ts'
import { TOOL_ROWS } from './rows/tools.ts'
import { TRANSPORT_ROWS } from './rows/transport.ts'
import { USAGE_ROWS } from './rows/usage.ts'

/** The conformance list. Rows of another dialect join here: their checks take the same probe. */
export const LIST: readonly Row[] = [
  ...SSE_ROWS,
  ...SHAPE_ROWS,
  ...USAGE_ROWS,
  ...CONTENT_ROWS,
  ...TOOL_ROWS,
  ...ENDING_ROWS,
  ...TRANSPORT_ROWS,
  ...REQUEST_ROWS,
]
