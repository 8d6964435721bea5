import type { Adapter } from '../adapter.ts'
import { openAiAdapter } from '../openai/adapter.ts'
import { fromStatus } from '../openai/errors.ts'
import { StreamDecoder } from './decode-stream.ts'
import { decodeWhole } from './decode-whole.ts'
import { encodeRequest } from './encode-request.ts'

/** OpenAI's Responses API, for models that chat completions do not serve (`models.X.api: responses`). Nothing is stored there. */
export const openAiResponsesAdapter: Adapter = {
  says: new Set(['reasoning.summary', 'reasoning.generate_summary', 'input.phase']),
  headers: (key, header) => openAiAdapter.headers(key, header),
  encode: encodeRequest,
  stream: (requestBytes) => new StreamDecoder(requestBytes),
  whole: decodeWhole,
  refusal: fromStatus,
}
