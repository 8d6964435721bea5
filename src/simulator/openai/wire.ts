/** OpenAI and engines that speak like it: `POST /v1/chat/completions` and `/v1/completions` (spec 2.3.0; vLLM 0.32 as recorded), and OpenAI's `/v1/responses`. */
import { imageSize } from '../image-size.ts'
import { promptTokens, type SimRequest } from '../compose.ts'
import { uncached, type InputTokens } from '../used-tokens.ts'
import { bearerIs, jsonPage, Refusal, type Asked, type Wire, type WireCall, type World } from '../wire.ts'
import { countTokens } from '../tokens.ts'
import { errorBody, metricsPage, modelList, type ChatContext } from './chat-body.ts'
import { ChatWriter } from './chat-writer.ts'
import { readEmbeddings } from './embeddings.ts'
import type { ResponsesBody } from './responses-body.ts'
import { checkResponses } from './responses-check.ts'
import { effortOf, readResponses } from './responses-read.ts'
import { ResponseWriter } from './responses-writer.ts'
import { TextWriter } from './text-writer.ts'

/** What the API generates for a raw prompt where the caller does not say. */
const DEFAULT_MAX_TOKENS = 16

const base = {
  refuseKey: (headers, _query, key) =>
    bearerIs(headers, key) ? undefined : new Refusal(401, 'Incorrect API key provided.'),
  overloaded: new Refusal(503, 'The engine is overloaded.'),
} satisfies Partial<Wire>

export const openAi: Wire = {
  ...base,
  flavour: 'openai',
  ownFaults: ['refusal'],
  flushesHead: false,
  page: (path, world) => pageOf('openai', path, world),
  call: (path) => callOf('openai', path),
  error: ({ status, message, kind }) => errorBody('openai', status, message, kind),
  notFound: (method, path) => errorBody('openai', 404, `Unknown request URL: ${method} ${path}.`),
  headers: ({ running }) => ({
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': String(10_000 - running),
    'x-ratelimit-reset-requests': '6ms',
    'x-ratelimit-limit-tokens': '2000000',
    'x-ratelimit-remaining-tokens': '1999000',
    'x-ratelimit-reset-tokens': '30ms',
    'openai-processing-ms': '1',
  }),
}

export const vllm: Wire = {
  ...base,
  flavour: 'vllm',
  ownFaults: [],
  flushesHead: true,
  page: (path, world) =>
    path === '/metrics'
      ? { type: 'text/plain', body: metricsPage(world.models, world.running) }
      : pageOf('vllm', path, world),
  call: (path) => callOf('vllm', path),
  error: ({ status, message }) => errorBody('vllm', status, message),
  notFound: () => ({ detail: 'Not Found' }),
  headers: () => ({}),
}

function pageOf(flavour: 'openai' | 'vllm', path: string, world: World): ReturnType<Wire['page']> {
  if (path === '/v1/models') return jsonPage(modelList(flavour, world.models, world.contextTokens))
  if (path === '/health') return { type: 'text/plain', body: '' }
  return path === '/version' ? jsonPage({ version: '0.32.0' }) : undefined
}

function callOf(flavour: 'openai' | 'vllm', path: string): WireCall | undefined {
  switch (path) {
    case '/v1/chat/completions':
      return { isCounted: true, read: (body, _, world) => read(flavour, body, world) }
    case '/v1/completions':
      return { isCounted: true, read: (body, _, world) => readText(flavour, body, world) }
    case '/v1/responses':
      return flavour === 'openai' ? { isCounted: true, read: (body, _, world) => respond(body, world) } : undefined
    case '/v1/embeddings':
      return { isCounted: true, read: (body, _, world) => readEmbeddings(body, world) }
    default:
      return undefined
  }
}

/** A raw prompt: no template, and so no token beside its own. */
function readText(flavour: 'openai' | 'vllm', body: unknown, world: World): Asked {
  const { prompt, ...asked } = body as Omit<SimRequest, 'messages'> & { readonly prompt?: unknown }
  if (typeof prompt !== 'string') throw new Refusal(400, "Missing required parameter: 'prompt'.")
  if (!world.models.includes(asked.model)) throw new Refusal(404, `The model \`${asked.model}\` does not exist.`)
  const request: SimRequest = {
    ...asked,
    messages: [{ role: 'user', content: prompt }],
    max_tokens: asked.max_tokens ?? DEFAULT_MAX_TOKENS,
  }
  return {
    kind: 'generate',
    request,
    isStream: request.stream === true,
    count: () => uncached(countTokens(prompt)),
    writer: () => new TextWriter(contextOf(flavour, request, world), request),
  }
}

function contextOf(flavour: 'openai' | 'vllm', request: SimRequest, world: World): ChatContext {
  return {
    flavour,
    id: `chatcmpl-sim${world.request.toString(36).padStart(8, '0')}`,
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    logprobs: request.logprobs === true ? (request.top_logprobs ?? 0) : undefined,
  }
}

function read(flavour: 'openai' | 'vllm', body: unknown, world: World): Asked {
  const asked = body as SimRequest
  if (!Array.isArray(asked.messages) || asked.messages.length === 0)
    throw new Refusal(400, "Missing required parameter: 'messages'.")
  if (!world.models.includes(asked.model)) throw new Refusal(404, `The model \`${asked.model}\` does not exist.`)
  const thinkingTokens = flavour === 'openai' ? (THINKING[asked.reasoning_effort ?? 'none'] ?? 0) : 0
  const request: SimRequest = { ...asked, thinkingTokens }
  return {
    kind: 'generate',
    request,
    isStream: request.stream === true,
    count: () => (flavour === 'openai' ? hostedInput(request, world) : uncached(promptTokens(request))),
    writer: () => new ChatWriter(contextOf(flavour, request, world), request),
  }
}

function respond(value: unknown, world: World): Asked {
  const body = value as ResponsesBody
  checkResponses(body, world.models)
  const request: SimRequest = { ...readResponses(body), thinkingTokens: THINKING[effortOf(body)] ?? 0 }
  return {
    kind: 'generate',
    request,
    isStream: body.stream === true,
    count: () => hostedInput(request, world),
    writer: () =>
      new ResponseWriter({
        id: world.request.toString(36).padStart(8, '0'),
        created: Math.floor(Date.now() / 1000),
        body,
      }),
  }
}

/** Most tokens of thinking by `reasoning_effort`. */
const THINKING: Readonly<Record<string, number>> = { minimal: 4, low: 12, medium: 24, high: 48, xhigh: 64, max: 96 }

/** Prompts from 1,024 tokens on are cached by themselves, in steps of 128 (OpenAI guide "Prompt caching"). */
function hostedInput(request: SimRequest, { cache }: World): InputTokens {
  const total = promptTokens(request) + pictureTokens(request)
  if (total < 1024) return uncached(total)
  const text = JSON.stringify([request.tools ?? null, request.messages])
  return cache.automatic(request.model, text, total, 1024, 128)
}

interface PicturePart {
  readonly type?: string
  readonly image_url?: { readonly url?: string; readonly detail?: string }
}

function pictureTokens(request: SimRequest): number {
  return request.messages
    .flatMap((message) => (Array.isArray(message.content) ? (message.content as readonly PicturePart[]) : []))
    .reduce(
      (sum, { image_url: image }) => sum + (image?.url === undefined ? 0 : tokensOfPicture(image.url, image.detail)),
      0,
    )
}

/** OpenAI guide "Images and vision", models with tiles: fit into 2048 x 2048, shortest side to 768, then 170 per 512-pixel tile and 85. */
function tokensOfPicture(url: string, detail: string | undefined): number {
  if (detail === 'low') return 85
  const { width, height } = imageSize(url)
  const fit = Math.min(1, 2048 / Math.max(width, height))
  const shrink = Math.min(1, 768 / (Math.min(width, height) * fit))
  const tiles = (side: number): number => Math.ceil((side * fit * shrink) / 512)
  return 85 + 170 * tiles(width) * tiles(height)
}
