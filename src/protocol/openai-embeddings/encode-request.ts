import { encodeCommon, type EncodeSend, type EncodeTarget } from '../openai-chat/encode-request.ts'
import type { ChatRequest } from '../request.ts'

/** Writes the body of `POST /embeddings` for one target. Never a stream, and without a cap: nothing is generated. */
export function encodeEmbeddingRequest(
  request: ChatRequest,
  target: EncodeTarget,
  { passFields }: EncodeSend,
): { readonly body: string; readonly dropped: readonly string[] } {
  const { inputs = [], dimensions, encoding } = request.embed ?? {}
  const body: Record<string, unknown> = { model: target.model, input: inputs.length === 1 ? inputs[0] : inputs }
  if (dimensions !== undefined) body['dimensions'] = dimensions
  // Said even where it is the default, since servers differ in what theirs is.
  body['encoding_format'] = encoding
  return encodeCommon(body, request, target, { stream: false, outputCap: undefined, passFields: passFields ?? [] })
}
