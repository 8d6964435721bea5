/** Answers on the wire: OpenAI chat completions (spec 2.3.0) and vLLM 0.32 as recorded. Pure. */
import type { SimChoice } from '../compose.ts'
import { wholeInput, type UsedTokens } from '../used-tokens.ts'

type Flavour = 'openai' | 'vllm'

export interface ChatContext {
  readonly flavour: Flavour
  readonly id: string
  readonly created: number
  readonly model: string
  /** Alternatives per token where log-probabilities are wanted. */
  readonly logprobs: number | undefined
}

/** One stream frame. */
export function frameOf(
  context: ChatContext,
  index: number,
  delta: object,
  finish: string | null,
  token?: string,
): string {
  const logprobs =
    token === undefined || context.logprobs === undefined
      ? null
      : { content: [logprob(token, context.logprobs)], refusal: null }
  const choice =
    context.flavour === 'vllm'
      ? {
          index,
          delta,
          logprobs,
          finish_reason: finish,
          ...(finish === null ? { token_ids: null } : { stop_reason: null, token_ids: null }),
        }
      : { index, delta, logprobs, finish_reason: finish }
  const head = { id: context.id, object: 'chat.completion.chunk', created: context.created, model: context.model }
  const tail = context.flavour === 'vllm' ? {} : { service_tier: 'default', system_fingerprint: 'fp_simulated' }
  return `data: ${JSON.stringify({ ...head, ...tail, choices: [choice] })}\n\n`
}

/** A whole answer. */
export function wholeBody(context: ChatContext, choices: readonly SimChoice[], usage: object | undefined): object {
  const isVllm = context.flavour === 'vllm'
  return {
    id: context.id,
    object: 'chat.completion',
    created: context.created,
    model: context.model,
    choices: choices.map((choice, index) => ({
      index,
      message: {
        role: 'assistant',
        content: choice.toolCalls.length > 0 || choice.finish === 'refusal' ? null : choice.tokens.join(''),
        refusal: choice.finish === 'refusal' ? choice.tokens.join('') : null,
        annotations: isVllm ? null : [],
        ...(isVllm ? { audio: null, function_call: null, reasoning: null } : {}),
        ...(choice.toolCalls.length === 0
          ? {}
          : {
              tool_calls: choice.toolCalls.map((call) => ({
                id: call.id,
                type: 'function',
                function: { name: call.name, arguments: call.arguments },
              })),
            }),
      },
      logprobs:
        context.logprobs === undefined
          ? null
          : { content: choice.tokens.map((token) => logprob(token, context.logprobs as number)), refusal: null },
      finish_reason: finishReason(choice),
      ...(isVllm ? { stop_reason: choice.stopSequence ?? null, token_ids: null, routed_experts: null } : {}),
    })),
    service_tier: isVllm ? null : 'default',
    system_fingerprint: isVllm ? 'vllm-0.32.0-simulated' : 'fp_simulated',
    ...(usage === undefined ? {} : { usage }),
    ...(isVllm
      ? {
          prompt_logprobs: null,
          prompt_token_ids: null,
          prompt_text: null,
          kv_transfer_params: null,
          ec_transfer_params: null,
          metrics: null,
        }
      : {}),
  }
}

export function finishReason(choice: SimChoice): string {
  return choice.finish === 'refusal' ? 'stop' : choice.finish
}

export function usageOf(flavour: Flavour, { input, output }: UsedTokens): object {
  const prompt = wholeInput(input)
  const completion = output.visible + output.thinking
  const base = { prompt_tokens: prompt, total_tokens: prompt + completion, completion_tokens: completion }
  if (flavour === 'vllm')
    return {
      ...base,
      prompt_tokens_details: { cached_tokens: 0, created_cache_tokens: 0, multimodal_tokens: null },
      completion_tokens_details: null,
    }
  return {
    ...base,
    prompt_tokens_details: { cached_tokens: input.cachedRead, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: output.thinking,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

const ERROR_TYPES: Readonly<Record<number, readonly [openai: string, code: string, vllm: string]>> = {
  400: ['invalid_request_error', 'invalid_value', 'BadRequestError'],
  401: ['invalid_request_error', 'invalid_api_key', 'Unauthorized'],
  404: ['invalid_request_error', 'model_not_found', 'NotFoundError'],
  429: ['requests', 'rate_limit_exceeded', 'Too Many Requests'],
  503: ['server_error', 'overloaded', 'Service Unavailable'],
}

/** An error envelope in the flavour's own style: vLLM's `code` is the status as an integer, and its 401 is a bare string. `kind`: OpenAI's own code, where the status does not say it. */
export function errorBody(flavour: Flavour, status: number, message: string, kind?: string): object {
  const [type, code, vllmType] = ERROR_TYPES[status] ?? ['server_error', 'internal_error', 'InternalServerError']
  if (flavour === 'vllm')
    return status === 401
      ? { error: 'Unauthorized' }
      : { error: { message, type: vllmType, param: null, code: status } }
  return { error: { message, type, param: null, code: kind ?? code } }
}

export function modelList(flavour: Flavour, models: readonly string[], contextTokens: number): object {
  return {
    object: 'list',
    data: models.map((id) =>
      flavour === 'vllm'
        ? {
            id,
            object: 'model',
            created: 1_795_000_000,
            owned_by: 'vllm',
            root: id,
            parent: null,
            max_model_len: contextTokens,
            permission: [],
          }
        : { id, object: 'model', created: 1_795_000_000, owned_by: 'simulator' },
    ),
  }
}

/** A small true subset of vLLM's page. */
export function metricsPage(models: readonly string[], running: number): string {
  const label = `{engine="0",model_name="${models[0] ?? ''}"}`
  return [
    '# TYPE vllm:num_requests_running gauge',
    `vllm:num_requests_running${label} ${running}.0`,
    '# TYPE vllm:num_requests_waiting gauge',
    `vllm:num_requests_waiting${label} 0.0`,
    '# TYPE vllm:kv_cache_usage_perc gauge',
    `vllm:kv_cache_usage_perc${label} ${Math.min(1, running / 256)}`,
    '',
  ].join('\n')
}

/** The chunk that carries the usage of a stream. */
export function usageFrame(context: ChatContext, usage: object): string {
  const { id, created, model } = context
  return `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created, model, choices: [], usage })}\n\n`
}

/** A probability that depends on the token alone, so that repeated requests agree. */
export function logprob(token: string, top: number): object {
  const bytes = [...Buffer.from(token)]
  const value = -((bytes.reduce((sum, byte) => sum + byte, 0) % 100) + 1) / 100
  const one = (text: string, at: number): object => ({ token: text, logprob: at, bytes: [...Buffer.from(text)] })
  return {
    ...one(token, value),
    top_logprobs: Array.from({ length: top }, (_, i) => (i === 0 ? one(token, value) : one(`${token}${i}`, value - i))),
  }
}
