/** Hugging Face TGI 3.3: its chat route and its native ones (router/src/server.rs; the project is in maintenance). */
import { promptTokens, type SimRequest } from '../compose.ts'
import { countTokens } from '../tokens.ts'
import { uncached } from '../used-tokens.ts'
import { bearerIs, jsonPage, Refusal, type Asked, type Page, type Wire, type World } from '../wire.ts'
import { FINGERPRINT, TgiChatWriter } from './chat-writer.ts'
import { errorBody } from './errors.ts'
import { GenerateWriter } from './generate-writer.ts'

/** `--max-concurrent-requests`, TGI's own default. */
const CONCURRENT_MOST = 128

export const tgi: Wire = {
  flavour: 'tgi',
  ownFaults: ['validation'],
  flushesHead: true,
  page,
  call: (path) => {
    switch (path) {
      case '/v1/chat/completions':
        return { isCounted: true, read: (body, _, world) => chat(body as SimRequest, world) }
      case '/generate':
        return { isCounted: true, read: (body, _, world) => generate(body as GenerateBody, world, false) }
      case '/generate_stream':
        return { isCounted: true, read: (body, _, world) => generate(body as GenerateBody, world, true) }
      default:
        return undefined
    }
  },
  refuseKey: (headers, _query, key) =>
    bearerIs(headers, key) ? undefined : new Refusal(401, 'Unauthorized', 'validation'),
  error: ({ status, message, kind }) => errorBody(status, message, kind),
  notFound: () => ({}),
  overloaded: new Refusal(429, 'Model is overloaded'),
  headers: () => ({ 'x-compute-type': '1-simulated', 'x-compute-time': '0.001' }),
}

function page(path: string, world: World): Page | undefined {
  const model = world.models[0] ?? ''
  switch (path) {
    case '/':
    case '/health':
    case '/ping':
      return { type: 'text/plain', body: '' }
    case '/info':
      return jsonPage({
        model_id: model,
        model_sha: null,
        model_pipeline_tag: 'text-generation',
        max_concurrent_requests: CONCURRENT_MOST,
        max_best_of: 2,
        max_stop_sequences: 4,
        max_input_tokens: world.contextTokens - 1,
        max_total_tokens: world.contextTokens,
        validation_workers: 2,
        max_client_batch_size: 4,
        router: 'text-generation-router',
        version: FINGERPRINT,
        sha: null,
        docker_label: null,
      })
    case '/v1/models':
      return jsonPage({ object: 'list', data: [{ id: model, object: 'model', created: 0, owned_by: model }] })
    case '/metrics':
      return { type: 'text/plain', body: metricsPage(world.running) }
    default:
      return undefined
  }
}

/** A small true subset of its page. */
function metricsPage(running: number): string {
  return [
    '# TYPE tgi_queue_size gauge',
    'tgi_queue_size 0',
    '# TYPE tgi_batch_current_size gauge',
    `tgi_batch_current_size ${running}`,
    '# TYPE tgi_batch_current_max_tokens gauge',
    `tgi_batch_current_max_tokens ${running * 512}`,
    '',
  ].join('\n')
}

/** Whatever model is asked for: TGI has one, and answers with it. */
function chat({ response_format: format, ...asked }: SimRequest, world: World): Asked {
  const model = world.models[0] ?? ''
  if (!Array.isArray(asked.messages))
    throw new Refusal(422, 'Failed to deserialize the JSON body into the target type: missing field `messages`')
  if (asked.messages.length === 0) throw new Refusal(422, 'Template error: no messages were given', 'template_error')
  // One answer with at most one call; fields that it does not know are not read.
  const request: SimRequest = {
    ...asked,
    model,
    n: 1,
    parallel_tool_calls: false,
    max_tokens: capOf(asked.max_tokens, promptTokens(asked), world),
    ...formatOf(format),
  }
  return {
    kind: 'generate',
    request,
    isStream: asked.stream === true,
    count: () => uncached(promptTokens(request)),
    writer: () => new TgiChatWriter({ created: Math.floor(Date.now() / 1000), model }, request),
  }
}

/** How TGI is told the form of an answer, in its native routes and as `response_format` alike: tagged, with its content as `value`. */
interface Grammar {
  readonly type: string
  readonly value?: unknown
}

function formatOf(grammar: Grammar | null | undefined): Pick<SimRequest, 'response_format'> {
  if (grammar == null) return {}
  const { type, value } = grammar
  if (!['json', 'json_object', 'json_schema', 'regex'].includes(type))
    throw new Refusal(422, `Failed to deserialize the JSON body into the target type: unknown variant \`${type}\``)
  if (value === undefined)
    throw new Refusal(422, 'Failed to deserialize the JSON body into the target type: missing field `value`')
  if (type === 'regex') return {}
  const schema = type === 'json_schema' ? (value as { readonly schema?: unknown }).schema : value
  return { response_format: { type: 'json_schema', json_schema: { schema } } }
}

interface GenerateBody {
  readonly inputs?: unknown
  readonly parameters?: {
    readonly max_new_tokens?: number | null
    readonly stop?: readonly string[]
    readonly seed?: number | null
    readonly temperature?: number | null
    readonly details?: boolean
    readonly return_full_text?: boolean | null
    readonly grammar?: Grammar | null
  } | null
}

function generate({ inputs, parameters }: GenerateBody, world: World, isStream: boolean): Asked {
  if (typeof inputs !== 'string')
    throw new Refusal(422, 'Failed to deserialize the JSON body into the target type: missing field `inputs`')
  if (inputs === '') throw new Refusal(422, 'Input validation error: `inputs` cannot be empty')
  if (parameters?.temperature != null && parameters.temperature <= 0)
    throw new Refusal(422, 'Input validation error: `temperature` must be strictly positive')
  if ((parameters?.stop?.length ?? 0) > 4)
    throw new Refusal(422, 'Input validation error: `stop` supports up to 4 stop sequences')
  const input = countTokens(inputs) + 1
  const { grammar } = parameters ?? {}
  const request: SimRequest = {
    model: world.models[0] ?? '',
    messages: [{ role: 'user', content: inputs }],
    max_tokens: capOf(parameters?.max_new_tokens, input, world),
    ...(parameters?.stop === undefined ? {} : { stop: parameters.stop }),
    ...(parameters?.seed == null ? {} : { seed: parameters.seed }),
    ...formatOf(grammar),
  }
  const context = {
    wantsDetails: parameters?.details === true,
    before: parameters?.return_full_text === true ? inputs : '',
    seed: parameters?.seed ?? null,
  }
  return {
    kind: 'generate',
    request,
    isStream,
    count: () => uncached(input),
    writer: () => new GenerateWriter(context),
  }
}

/** What is asked for must fit; without a wish it is what fits. */
function capOf(asked: number | null | undefined, input: number, { contextTokens }: World): number {
  if (asked == null) return contextTokens - input
  if (asked < 1) throw new Refusal(422, 'Input validation error: `max_new_tokens` must be strictly positive')
  if (input + asked > contextTokens) {
    throw new Refusal(
      422,
      `Input validation error: \`inputs\` tokens + \`max_new_tokens\` must be <= ${contextTokens}. Given: ${input} \`inputs\` tokens and ${asked} \`max_new_tokens\``,
    )
  }
  return asked
}
