/** `POST /v1/embeddings`: vectors of length one that depend on their text alone; texts that share words are near each other. */
import { hashText, seededRandom } from '../random.ts'
import { countTokens } from '../tokens.ts'
import { Refusal, type Asked, type World } from '../wire.ts'

const DIMENSIONS = 64

interface EmbeddingsBody {
  readonly model: string
  readonly input?: unknown
  readonly dimensions?: number
  readonly encoding_format?: string
}

export function readEmbeddings(body: unknown, world: World): Asked {
  const { model, input, dimensions = DIMENSIONS, encoding_format: format } = body as EmbeddingsBody
  if (!world.models.includes(model)) throw new Refusal(404, `The model \`${model}\` does not exist.`)
  const inputs = inputsOf(input)
  const tokens = inputs.reduce(
    (sum: number, each) => sum + (typeof each === 'string' ? countTokens(each) : each.length),
    0,
  )
  const data = inputs.map((each, index) => {
    const vector = vectorOf(typeof each === 'string' ? each : each.join(' '), dimensions)
    const embedding = format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
    return { object: 'embedding', index, embedding }
  })
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  return { kind: 'reply', body: { object: 'list', data, model, usage }, model, billed: tokens }
}

type Input = string | readonly number[]

function inputsOf(input: unknown): readonly Input[] {
  if (typeof input === 'string') return [input]
  if (!Array.isArray(input) || input.length === 0) throw new Refusal(400, "'$.input' is invalid.")
  return typeof input[0] === 'number' ? [input as readonly number[]] : (input as readonly Input[])
}

function vectorOf(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const sum = new Float32Array(dimensions)
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]) {
    const random = seededRandom(hashText(word))
    for (let at = 0; at < dimensions; at++) sum[at] = (sum[at] as number) + random() - 0.5
  }
  const length = Math.hypot(...sum)
  return sum.map((each) => each / length)
}
