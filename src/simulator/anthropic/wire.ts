/** Anthropic: `POST /v1/messages` and what stands beside it (API reference, `anthropic-version: 2023-06-01`). */
import type { IncomingHttpHeaders } from 'node:http'
import { lastUserText } from '../compose.ts'
import { jsonPage, Refusal, type Asked, type Wire, type World } from '../wire.ts'
import type { MessagesBody } from './body.ts'
import { checkBody } from './check.ts'
import { readMessages, REDACTION_TRIGGER } from './read.ts'
import { segmentsOf } from './segments.ts'
import { MessageWriter } from './writer.ts'

/** Shortest prefix that is cached (docs "Prompt caching"; that of the Sonnet models). */
const CACHED_LEAST = 1024

export const anthropic: Wire = {
  flavour: 'anthropic',
  ownFaults: ['ping', 'unknown-event', 'refusal'],
  flushesHead: false,
  // Docs "Prompt caching": reads cost a tenth of the input price, writes 1.25 times (5 minutes) and twice (an hour) of it.
  cacheRates: { read: [1n, 10n], write5m: [5n, 4n], write1h: [2n, 1n] },
  page: (path, world) => {
    if (path === '/v1/models') return jsonPage(listOf(world.models))
    const one = /^\/v1\/models\/(.+)$/.exec(path)?.[1]
    if (one !== undefined && world.models.includes(one)) return jsonPage(modelOf(one))
    return undefined
  },
  call: (path) => {
    if (path === '/v1/messages') return { isCounted: true, read: ask }
    return path === '/v1/messages/count_tokens' ? { isCounted: false, read: count } : undefined
  },
  refuseKey: (headers, _query, key) => {
    if (headers['x-api-key'] === undefined && headers.authorization === undefined)
      return new Refusal(401, 'x-api-key header is required')
    return headers['x-api-key'] === key || headers.authorization === `Bearer ${key}`
      ? undefined
      : new Refusal(401, 'invalid x-api-key')
  },
  error: ({ status, message }) => ({
    type: 'error',
    error: { type: TYPES[status] ?? 'api_error', message },
    request_id: 'req_simulated',
  }),
  notFound: () => ({ type: 'error', error: { type: 'not_found_error', message: 'Not Found' } }),
  overloaded: new Refusal(529, 'Overloaded'),
  headers: ({ request, running }) => ({
    'request-id': `req_sim${request.toString(36).padStart(8, '0')}`,
    'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
    'anthropic-ratelimit-requests-limit': '4000',
    'anthropic-ratelimit-requests-remaining': String(4000 - running),
    'anthropic-ratelimit-requests-reset': '2030-01-01T00:00:00Z',
  }),
}

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

function ask(value: unknown, headers: IncomingHttpHeaders, world: World): Asked {
  const body = checked(value, headers, world, false)
  const request = readMessages(body)
  const thinking = lastUserText(request).includes(REDACTION_TRIGGER)
    ? 'redacted'
    : body.thinking?.display === 'omitted'
      ? 'omitted'
      : 'shown'
  const id = `msg_01sim${world.request.toString(36).padStart(8, '0')}`
  return {
    kind: 'generate',
    request,
    isStream: body.stream === true,
    count: () => world.cache.marked(body.model, segmentsOf(body), CACHED_LEAST),
    writer: (input) => new MessageWriter({ id, model: body.model, input, thinking }),
  }
}

function count(value: unknown, headers: IncomingHttpHeaders, world: World): Asked {
  const body = checked(value, headers, world, true)
  const tokens = segmentsOf(body).reduce((sum, segment) => sum + segment.tokens, 0)
  return { kind: 'reply', body: { input_tokens: tokens } }
}

function checked(value: unknown, headers: IncomingHttpHeaders, { models }: World, isCounting: boolean): MessagesBody {
  if (headers['anthropic-version'] === undefined) throw new Refusal(400, 'anthropic-version: header is required')
  const body = value as MessagesBody
  checkBody(body, isCounting)
  if (!models.includes(body.model)) throw new Refusal(404, `model: ${body.model}`)
  return body
}

function modelOf(id: string): object {
  return { type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' }
}

function listOf(models: readonly string[]): object {
  return { data: models.map(modelOf), has_more: false, first_id: models[0] ?? null, last_id: models.at(-1) ?? null }
}
