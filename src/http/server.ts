import { createServer } from 'node:http'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { SwitchyardError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { ActiveCalls } from './active-calls.ts'
import { addAdminRoutes } from './admin-routes.ts'
import { addCacheRoutes } from './cache-routes.ts'
import { baseHeaders } from './base-headers.ts'
import { callHandler, REQUEST_ID_PREFIX } from './call-route.ts'
import { addCountRoute } from './count-route.ts'
import { credentials } from './credentials.ts'
import { dialectOf, errorDialectOf } from './dialects.ts'
import { fromFrameworkError, refuseRequest, sendError } from './error-reply.ts'
import { addFeedbackRoute } from './feedback-route.ts'
import { limitHeaders } from './limit-headers.ts'
import { modelList, modelObject } from './model-lists.ts'
import { answerRejectedConnection } from './rejected-connection.ts'
import { checkHead, checkKeylessHead } from './request-guard.ts'
import { addResponseRoutes } from './response-routes.ts'
import type { ModelEntry, ServerOptions } from './runtime.ts'
import { SUPPORTED } from './supported.ts'
import { addTaskRoutes } from './task-routes.ts'

export interface GatewayServer {
  readonly app: FastifyInstance
  readonly calls: ActiveCalls
  /** From now on `/readyz` says no and new calls are refused; running ones go on. */
  startDraining(): void
}

/** Longest time for a request's head to arrive. */
const HEADERS_TIMEOUT_MS = 20_000
/** Header fields that Node reads; more than our own limit, so that a flood is refused instead of cut short in silence. */
const MAX_HEADER_FIELDS = 4000
/** The one method of each path, without `/v1`. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ['/chat/completions', 'POST'],
  ['/messages', 'POST'],
  ['/messages/count_tokens', 'POST'],
  ['/completions', 'POST'],
  ['/embeddings', 'POST'],
  ['/responses', 'POST'],
  ['/feedback', 'POST'],
  ['/models', 'GET'],
  ['/healthz', 'GET'],
  ['/readyz', 'GET'],
  ['/metrics', 'GET'],
])
/** Prefixes that agents' base URLs end in: with and without `/v1`. */
const PREFIXES = ['/v1', ''] as const

/** Builds the HTTP server without listening. */
export function buildServer(options: ServerOptions): GatewayServer {
  const calls = new ActiveCalls()
  let isDraining = false
  const handleCall = callHandler({ ...options, calls, isDraining: () => isDraining })
  const app = fastify({
    serverFactory: (handleOther) => {
      const server = createServer({
        keepAliveTimeout: options.keepAliveMs,
        requestTimeout: options.requestTimeoutMs,
        headersTimeout: Math.min(options.requestTimeoutMs, HEADERS_TIMEOUT_MS),
        connectionsCheckingInterval: Math.min(5000, Math.ceil(options.requestTimeoutMs / 4)),
        noDelay: true,
      })
      server.maxHeadersCount = MAX_HEADER_FIELDS
      return server.on('request', (request, response) => {
        const dialect = dialectOf(request)
        if (dialect === undefined) handleOther(request, response)
        else handleCall(request, response, dialect)
      })
    },
    bodyLimit: options.bodyLimitBytes,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    genReqId: () => newId(REQUEST_ID_PREFIX),
    requestIdHeader: false,
    clientErrorHandler: (error, socket) => answerRejectedConnection(error, socket),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512 },
    frameworkErrors: (error, request, reply) => {
      reply.hijack()
      sendError(reply.raw, fromFrameworkError(error), { 'x-request-id': request.id }, errorDialectOf(request.raw))
    },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  const base = (request: FastifyRequest): Record<string, string> => {
    const headers = baseHeaders(request.id, request.headers, options.runtime().allowedOrigins)
    const { requestIdHeader, name } = errorDialectOf(request.raw)
    if (requestIdHeader !== undefined) headers[requestIdHeader] = request.id
    // Here and in no handler, so that refusals and unknown paths have them as well.
    const caller = options.runtime().keyring.callerOf(...credentials(request.headers))
    return { ...headers, ...limitHeaders(caller?.limiter, name) }
  }
  const refuse = (request: FastifyRequest, reply: FastifyReply, thrown: unknown, more = {}): void => {
    const error = fromFrameworkError(thrown)
    if (error.code === 'internal_error') options.onDefect(request.id, error)
    reply.hijack()
    refuseRequest(request.raw, reply.raw, error, { ...base(request), ...more }, errorDialectOf(request.raw))
  }
  app.setErrorHandler((error, request, reply) => refuse(request, reply, error))
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]?.slice(0, 128) ?? ''
    const printable = path.replace(/[^\x21-\x7e]/g, '?')
    const allow = METHODS.get(path.replace(/^\/v1(?=\/)/, '').replace(/\/$/, ''))
    if (allow !== undefined) {
      const sentence = `${request.method} is not supported for ${printable}: use ${allow}.`
      refuse(request, reply, new SwitchyardError('method_not_allowed', sentence), { allow })
      return
    }
    refuse(
      request,
      reply,
      new SwitchyardError(
        'not_found',
        `${request.method} ${printable} is not supported. Supported are: ${SUPPORTED.join(', ')}.`,
      ),
    )
  })
  app.addHook('onRequest', (request, reply, done) => {
    const { keyring, allowedOrigins } = options.runtime()
    try {
      checkHead(request.raw)
      if (keyring.isOpen) checkKeylessHead(request.raw, allowedOrigins)
    } catch (thrown) {
      refuse(request, reply, thrown)
      return
    }
    done()
  })
  app.options('*', (request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { ...base(request), allow: 'GET, POST, DELETE, OPTIONS', 'content-length': '0' })
    reply.raw.end()
  })

  const json = (request: FastifyRequest, reply: FastifyReply, status: number, body: unknown): FastifyReply =>
    reply
      .code(status)
      .headers({ ...base(request), 'content-type': 'application/json; charset=utf-8' })
      .send(JSON.stringify(body))
  /** What the caller of a request may use: a key's other models are none of its business. */
  const visible = (request: FastifyRequest): readonly ModelEntry[] => {
    const { keyring, models } = options.runtime()
    const caller = keyring.authenticate(...credentials(request.headers))
    const mayUse = ({ id }: ModelEntry): boolean =>
      // Who may use a route may use its modes (`auto:cheap`).
      caller.models === undefined || caller.models.has(id) || caller.models.has(id.split(':', 1)[0] ?? '')
    return models.filter(mayUse)
  }
  for (const prefix of PREFIXES) {
    app.get<{ Querystring: Record<string, unknown> }>(`${prefix}/models`, (request, reply) => {
      const models = visible(request)
      const list = modelList(models, errorDialectOf(request.raw).name, request.query)
      return json(request, reply, 200, list)
    })
    app.get<{ Params: { '*': string } }>(`${prefix}/models/*`, (request, reply) => {
      const models = visible(request)
      const found = models.find((model) => model.id === request.params['*'])
      if (found === undefined)
        throw new SwitchyardError('model_not_found', 'There is no model of this name. GET /v1/models lists them.', {
          param: 'model',
        })
      const one = modelObject(found, errorDialectOf(request.raw).name)
      return json(request, reply, 200, one)
    })
    addCountRoute(app, `${prefix}/messages/count_tokens`, {
      runtime: options.runtime,
      isDraining: () => isDraining,
      caller: (request) => options.runtime().keyring.authenticate(...credentials(request.headers)),
      json,
    })
  }
  addResponseRoutes(app, { responses: options.responses, base, keyring: () => options.runtime().keyring, json })
  addCacheRoutes(app, { cache: () => options.runtime().cache, keyring: () => options.runtime().keyring, json })
  addFeedbackRoute(app, { feedback: options.feedback, keyring: () => options.runtime().keyring, json })
  addTaskRoutes(app, {
    tasks: options.tasks,
    taskEvents: options.taskEvents,
    base,
    keyring: () => options.runtime().keyring,
    json,
  })
  addAdminRoutes(app, { operations: options.operations, keyring: () => options.runtime().keyring, json })
  app.get('/healthz', (request, reply) => json(request, reply, 200, { status: 'ok' }))
  app.get('/readyz', (request, reply) =>
    json(request, reply, isDraining ? 503 : 200, { status: isDraining ? 'draining' : 'ready' }),
  )
  app.get('/metrics', async (request, reply) => {
    if (!options.isLoopback && !options.runtime().keyring.mayReadMetrics(...credentials(request.headers))) {
      throw new SwitchyardError('invalid_api_key', 'Metrics need the admin key or a key with `metrics: true`.')
    }
    const page = await options.metrics()
    return reply.headers({ ...base(request), 'content-type': page.contentType }).send(page.text)
  })
  return {
    app,
    calls,
    startDraining: (): void => {
      isDraining = true
    },
  }
}
