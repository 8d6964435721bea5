import type { ChatRequest, JsonObject } from '../../protocol/request.ts'
import type { ModelFamily } from './model-family.ts'
import { unsupported } from './unsupported.ts'

/** The form of the answer as fields of `generationConfig`: JSON, and its schema where there is one. */
export function encodeFormat(request: ChatRequest, family: ModelFamily): JsonObject {
  const { format } = request
  if (format === undefined || format.type === 'text') return {}
  if (request.tools.length > 0 && !family.takesToolsWithFormat)
    throw unsupported('response_format', 'Before Gemini 3 it cannot stand beside tools; leave one of the two out.')
  return {
    responseMimeType: 'application/json',
    ...(format.type === 'json_schema' && format.schema !== undefined ? { responseJsonSchema: format.schema } : {}),
  }
}
