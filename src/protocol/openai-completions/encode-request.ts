import { SwitchyardError } from '../../shared/errors.ts'
import { encodeCommon, type EncodeSend, type EncodeTarget } from '../openai-chat/encode-request.ts'
import type { ChatRequest } from '../request.ts'

/** Writes the body of `POST /completions` for one target; the prompt goes as it is, through no template. */
export function encodeCompletionRequest(
  request: ChatRequest,
  target: EncodeTarget,
  send: EncodeSend,
): { readonly body: string; readonly dropped: readonly string[] } {
  if (send.isHostedOpenAi === true) {
    throw new SwitchyardError(
      'unsupported_parameter',
      'The model that this request went to takes chat messages only. Send them to /v1/chat/completions.',
      { param: 'prompt' },
    )
  }
  return encodeCommon({ model: target.model, prompt: request.prompt }, request, target, send)
}
