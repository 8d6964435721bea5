import { encodeChatRequest, type EncodeSend } from '../../protocol/openai-chat/encode-request.ts'
import { encodeEmbeddingRequest } from '../../protocol/openai-embeddings/encode-request.ts'
import { encodeCompletionRequest } from '../../protocol/openai-completions/encode-request.ts'
import type { Target } from '../../gateway/steps.ts'
import type { Adapter, EncodedRequest } from '../adapter.ts'
import { StreamDecoder } from './decode-stream.ts'
import { decodeWhole } from './decode-whole.ts'
import { fromStatus } from './errors.ts'

/** OpenAI chat completions, and everything that speaks them: vLLM, SGLang, Ollama, llama.cpp, LM Studio, hosted providers. */
export const openAiAdapter: Adapter = {
  says: new Set(['prompt', 'embed']),
  headers: keyHeader,
  encode: (request, target, send) => {
    if (request.prompt !== undefined)
      return at('/completions', target, send, encodeCompletionRequest(request, target, send))
    if (request.embed !== undefined)
      return at('/embeddings', target, send, encodeEmbeddingRequest(request, target, send))
    return at('/chat/completions', target, send, encodeChatRequest(request, target, send))
  },
  stream: (requestBytes, choices) => new StreamDecoder(requestBytes, choices),
  whole: decodeWhole,
  refusal: fromStatus,
}

/** Azure's own header carries the bare key; its `authorization` is for tokens of Entra ID. */
function keyHeader(
  key: string | undefined,
  header: 'authorization' | 'api-key' = 'authorization',
): Record<string, string> {
  if (key === undefined) return {}
  return header === 'api-key' ? { 'api-key': key } : { authorization: `Bearer ${key}` }
}

type Encoded = Pick<EncodedRequest, 'body' | 'dropped'>

/** Azure has the version in the address, and below `/openai` the deployment, too (Azure OpenAI REST reference). */
function at(
  path: string,
  { model }: Target,
  { apiVersion, isDeployment }: EncodeSend,
  encoded: Encoded,
): EncodedRequest {
  if (apiVersion === undefined) return { path, ...encoded }
  const below = isDeployment === true ? `/deployments/${encodeURIComponent(model)}` : ''
  return { path: `${below}${path}?api-version=${apiVersion}`, ...encoded }
}
