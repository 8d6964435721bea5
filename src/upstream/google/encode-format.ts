import type { ChatRequest, JsonObject } from '../../protocol/request.ts'
import { describedSchema } from '../described-schema.ts'
import type { ModelFamily } from './model-family.ts'
import { unsupported } from './unsupported.ts'

/** The form of the answer as fields of `generationConfig`: JSON, and its schema where there is one. */
export function encodeFormat(request: ChatRequest, family: ModelFamily, dropped: Set<string>): JsonObject {
  const { format } = request
  if (format === undefined || format.type === 'text') return {}
  if (request.tools.length > 0 && !family.takesToolsWithFormat)
    throw unsupported('response_format', 'Before Gemini 3 it cannot stand beside tools; leave one of the two out.')
  const schema = format.type === 'json_schema' ? describedSchema(format, dropped) : undefined
  return {
    responseMimeType: 'application/json',
    ...(schema === undefined ? {} : { responseJsonSchema: schema }),
  }
}
