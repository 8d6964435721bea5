import { SwitchyardError } from '../../shared/errors.ts'
import { formatUsd, type NanoUsd } from '../../shared/money.ts'
import type { AnswerChunk, Usage } from '../answer.ts'
import type { AnswerShape, Dialect, WholeWriter } from '../dialect.ts'
import { errorBody } from '../openai-chat/error-body.ts'
import { decodeEmbeddingRequest } from './decode-request.ts'
import { vectorAs, type VectorText } from './vector.ts'

/**
 * `POST /v1/embeddings` (OpenAI API reference, create embeddings). It goes the way of every other request, and so through the same
 * books: the vector of each input comes as the text of the choice with its number (`vector.ts`). Whoever makes embeddings in the
 * process itself is a target of kind `embedded` whose sender gives the same events.
 */
export const openAiEmbeddings: Dialect = {
  name: 'openai-embeddings',
  decode: decodeEmbeddingRequest,
  whole: (shape) => new VectorList(shape),
  stream: () => {
    throw new SwitchyardError('internal_error', 'Embeddings are not streamed.')
  },
  errorBody,
}

class VectorList implements WholeWriter {
  readonly #shape: AnswerShape
  readonly #vectors = new Map<number, VectorText>()
  #model: string

  constructor(shape: AnswerShape) {
    this.#shape = shape
    this.#model = shape.request.model
  }

  add(chunk: AnswerChunk): void {
    for (const event of chunk.events) {
      if (event.type === 'start') this.#model = event.model
      else if (event.type === 'text') this.#vectors.set(event.choice, event.text)
    }
  }

  /** Throws `upstream_garbage` where an input has no vector: a list with a gap would be taken for another input's. */
  render(usage: Usage, cost: NanoUsd | undefined): string {
    const { embed } = this.#shape.request
    const data = (embed?.inputs ?? []).map((_, index) => {
      const vector = this.#vectors.get(index)
      const json = vector === undefined ? undefined : vectorAs(embed?.encoding ?? 'float', vector)
      if (json === undefined) throw noVector(index)
      return `{"object":"embedding","index":${index},"embedding":${json}}`
    })
    return `{"object":"list","data":[${data.join(',')}],"model":${JSON.stringify(this.#model)},"usage":${usageOf(usage, cost)}}`
  }
}

function usageOf({ input, estimated }: Usage, cost: NanoUsd | undefined): string {
  return (
    `{"prompt_tokens":${input},"total_tokens":${input}` +
    (estimated ? ',"estimated":true' : '') +
    (cost === undefined ? '' : `,"cost":${formatUsd(cost)},"cost_nano_usd":${cost}`) +
    '}'
  )
}

function noVector(index: number): SwitchyardError {
  return new SwitchyardError('upstream_garbage', 'The model server sent an answer that cannot be understood.', {
    detail: `no vector for input ${index}`,
  })
}
