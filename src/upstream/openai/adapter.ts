import { encodeChatRequest } from '../../protocol/openai-chat/encode-request.ts'
import type { Adapter } from '../adapter.ts'
import { StreamDecoder } from './decode-stream.ts'
import { decodeWhole } from './decode-whole.ts'
import { fromStatus } from './errors.ts'

const PATH = '/chat/completions'

/** OpenAI chat completions, and everything that speaks them: vLLM, SGLang, Ollama, llama.cpp, LM Studio, hosted providers. */
export const openAiAdapter: Adapter = {
  headers: keyHeader,
  encode: (request, target, send) => ({
    path: send.apiVersion === undefined ? PATH : azurePath(target.model, send.apiVersion, send.isDeployment === true),
    ...encodeChatRequest(request, target, send),
  }),
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

/** Azure has the version in the address, and below `/openai` the deployment, too (Azure OpenAI REST reference). */
function azurePath(model: string, version: string, isDeployment: boolean): string {
  const below = isDeployment ? `/deployments/${encodeURIComponent(model)}` : ''
  return `${below}${PATH}?api-version=${version}`
}
