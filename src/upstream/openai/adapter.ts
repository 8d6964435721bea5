import { encodeChatRequest } from '../../protocol/openai-chat/encode-request.ts'
import { encodeEmbeddingRequest } from '../../protocol/openai-embeddings/encode-request.ts'
import { encodeCompletionRequest } from '../../protocol/openai-completions/encode-request.ts'
import type { Adapter } from '../adapter.ts'
import { StreamDecoder } from './decode-stream.ts'
import { decodeWhole } from './decode-whole.ts'
import { fromStatus } from './errors.ts'

/** OpenAI chat completions, and everything that speaks them: vLLM, SGLang, Ollama, llama.cpp, LM Studio, hosted providers. */
export const openAiAdapter: Adapter = {
  headers: (key) => (key === undefined ? {} : { authorization: `Bearer ${key}` }),
  encode: (request, target, send) => {
    if (request.prompt !== undefined) return { path: '/completions', ...encodeCompletionRequest(request, target, send) }
    if (request.embed !== undefined) return { path: '/embeddings', ...encodeEmbeddingRequest(request, target, send) }
    return { path: '/chat/completions', ...encodeChatRequest(request, target, send) }
  },
  stream: (requestBytes, choices) => new StreamDecoder(requestBytes, choices),
  whole: decodeWhole,
  refusal: fromStatus,
}
