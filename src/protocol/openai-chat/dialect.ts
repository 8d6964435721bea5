import type { AnswerShape, Dialect, StreamWriter } from '../dialect.ts'
import type { NanoUsd } from '../../shared/money.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import type { AnswerChunk, Usage } from '../answer.ts'
import { AnswerCollector, type CollectorOptions } from './collect-answer.ts'
import { decodeChatRequest } from './decode-request.ts'
import { DONE, encodeErrorFrame, encodeSse, encodeUsageFrame, sseState, type SseState } from './encode-chunk.ts'
import { errorBody } from './error-body.ts'

/** `POST /v1/chat/completions` (OpenAI API reference, spec 2.3.0). */
export const openAiChat: Dialect = {
  name: 'openai-chat',
  decode: decodeChatRequest,
  whole: (shape) => new AnswerCollector(optionsOf(shape)),
  stream: (shape) => new ChunkWriter(shape),
  errorBody,
}

function optionsOf({ id, created, request: { model, legacyFunctions } }: AnswerShape): CollectorOptions {
  return { id: `chatcmpl-${id}`, model, created, legacyFunctions }
}

class ChunkWriter implements StreamWriter {
  readonly keepAlive = ': keep-alive\n\n'
  readonly #state: SseState
  readonly #includeUsage: boolean

  constructor(shape: AnswerShape) {
    this.#includeUsage = shape.request.includeUsage
    this.#state = sseState({ ...optionsOf(shape), includeUsage: this.#includeUsage })
  }

  chunk(chunk: AnswerChunk): string {
    return encodeSse(chunk, this.#state)
  }

  end(usage: Usage, cost: NanoUsd | undefined): string {
    return this.#includeUsage ? encodeUsageFrame(usage, cost, this.#state) + DONE : DONE
  }

  fail(error: SwitchyardError): string {
    return encodeErrorFrame(error)
  }
}
