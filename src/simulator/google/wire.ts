/** Google: `generateContent` and its neighbours (Gemini API reference, v1beta). */
import { jsonPage, Refusal, type Asked, type Page, type Wire, type World } from '../wire.ts'
import type { GenerateBody } from './body.ts'
import { checkBody } from './check.ts'
import { countPrompt, readGenerate } from './read.ts'
import { CandidateWriter } from './writer.ts'

const CALL = /^\/v1(?:beta)?\/models\/([^:]+):(generateContent|streamGenerateContent|countTokens)$/
/** Shortest prompt of which something is cached by itself, and in what steps (the steps are our own). */
const CACHED_LEAST = 1024
const CACHED_STEP = 128

export const google: Wire = {
  flavour: 'google',
  ownFaults: ['blocked-prompt', 'safety'],
  flushesHead: false,
  page,
  call: (path, query) => {
    const [, model = '', method] = CALL.exec(decodeURIComponent(path)) ?? []
    switch (method) {
      case 'countTokens':
        return { isCounted: false, read: (body, _, world) => count(model, body, world) }
      case 'generateContent':
        return { isCounted: true, read: (body, _, world) => ask(model, body, world, undefined) }
      case 'streamGenerateContent':
        return { isCounted: true, read: (body, _, world) => ask(model, body, world, query.get('alt') === 'sse') }
      default:
        return undefined
    }
  },
  refuseKey: (headers, query, key) => {
    const given = headers['x-goog-api-key'] ?? query.get('key') ?? undefined
    if (given === undefined) return new Refusal(403, NO_KEY)
    return given === key
      ? undefined
      : new Refusal(400, 'API key not valid. Please pass a valid API key.', 'API_KEY_INVALID')
  },
  error: ({ status, message, kind }) => ({
    error: {
      code: status,
      message,
      status: STATUS[status] ?? 'UNKNOWN',
      ...(kind === undefined
        ? {}
        : {
            details: [
              {
                '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
                reason: kind,
                domain: 'googleapis.com',
                metadata: {},
              },
            ],
          }),
    },
  }),
  notFound: (method, path) => ({
    error: { code: 404, message: `${method} ${path} is not served.`, status: 'NOT_FOUND' },
  }),
  overloaded: new Refusal(503, 'The model is overloaded. Please try again later.'),
  headers: () => ({ 'x-gemini-service-tier': 'standard' }),
}

const NO_KEY =
  "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."

const STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

function page(path: string, { models, contextTokens }: World): Page | undefined {
  const describe = (id: string): object => ({
    name: `models/${id}`,
    version: '001',
    displayName: id,
    inputTokenLimit: contextTokens,
    outputTokenLimit: 65_536,
    supportedGenerationMethods: ['generateContent', 'countTokens'],
  })
  if (path === '/v1beta/models') return jsonPage({ models: models.map(describe) })
  const one = /^\/v1beta\/models\/([^:]+)$/.exec(path)?.[1]
  return one !== undefined && models.includes(one) ? jsonPage(describe(one)) : undefined
}

function ask(model: string, value: unknown, world: World, isSse: boolean | undefined): Asked {
  const body = value as GenerateBody
  checkModel(model, world, 'generateContent')
  checkBody(model, body)
  const prompt = countPrompt(body)
  const total = prompt.text + prompt.image
  const { generationConfig: config } = body
  return {
    kind: 'generate',
    request: readGenerate(model, body),
    isStream: isSse !== undefined,
    count: () => {
      const text = JSON.stringify([body.systemInstruction ?? null, body.tools ?? null, body.contents])
      return world.cache.automatic(model, text, total, CACHED_LEAST, CACHED_STEP)
    },
    writer: (input, tellsUsage) =>
      new CandidateWriter({
        id: `sim${world.request.toString(36).padStart(8, '0')}`,
        model,
        input,
        prompt,
        tellsUsage,
        includeThoughts: config?.thinkingConfig?.includeThoughts === true,
        logprobs: config?.responseLogprobs === true ? (config.logprobs ?? 0) : undefined,
        isSse: isSse !== false,
      }),
  }
}

function count(model: string, value: unknown, world: World): Asked {
  checkModel(model, world, 'countTokens')
  const body = value as GenerateBody & { readonly generateContentRequest?: GenerateBody }
  const { text, image } = countPrompt(body.generateContentRequest ?? body)
  return {
    kind: 'reply',
    body: { totalTokens: text + image, promptTokensDetails: [{ modality: 'TEXT', tokenCount: text }] },
  }
}

function checkModel(model: string, { models }: World, method: string): void {
  if (models.includes(model)) return
  throw new Refusal(
    404,
    `models/${model} is not found for API version v1beta, or is not supported for ${method}. Call ListModels to see the list of available models and their supported methods.`,
  )
}
