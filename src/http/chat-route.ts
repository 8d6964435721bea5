import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { complete } from '../gateway/complete.ts'
import { answerOnce } from '../gateway/idempotency.ts'
import type { AnswerSink, Call, Caller, FinishedRequest, Steps } from '../gateway/steps.ts'
import { parseJsonBody } from '../protocol/json.ts'
import { decodeChatRequest } from '../protocol/openai-chat/decode-request.ts'
import type { ChatRequest } from '../protocol/request.ts'
import { SwitchyardError, toSwitchyardError } from '../shared/errors.ts'
import { ZERO_USD } from '../shared/money.ts'
import type { ActiveCalls } from './active-calls.ts'
import { readIdempotencyKey, readTaskHeaders } from './call-headers.ts'
import { credentials } from './credentials.ts'
import { sendError } from './error-reply.ts'
import { JsonAnswer } from './json-answer.ts'
import type { Runtime, ServerOptions } from './runtime.ts'
import { SseAnswer } from './sse-answer.ts'

/** What request ids start with; an answer's own id ends in the same letters. */
export const REQUEST_ID_PREFIX = 'req_'

export interface ChatRouteOptions extends Pick<ServerOptions, 'runtime' | 'idempotency' | 'now' | 'onDefect'> {
  /** Callers of requests whose key was checked before the body was read. */
  readonly callers: { get(request: FastifyRequest): Caller | undefined }
  readonly calls: ActiveCalls
  readonly isDraining: () => boolean
  readonly baseHeaders: (request: FastifyRequest) => Record<string, string>
}

/** Handler of `POST /v1/chat/completions`. */
export function chatHandler(
  options: ChatRouteOptions,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    const startedMs = options.now()
    const runtime = options.runtime()
    const response = reply.raw
    reply.hijack()
    const caller = options.callers.get(request) ?? runtime.keyring.authenticate(...credentials(request))
    const headers = (): Record<string, string> => ({ ...options.baseHeaders(request), ...caller.limiter?.headers() })
    let call: Call
    let sink: AnswerSink
    const abort = new AbortController()
    try {
      if (options.isDraining()) {
        throw new SwitchyardError('draining', 'The service is shutting down. Send the request again.', {
          retryAfterMs: 1000,
        })
      }
      const chat = decode(request, runtime, caller)
      const task = readTaskHeaders(request.headers, chat.openai.metadata?.['task_id'])
      call = { id: request.id, caller, task, request: chat, signal: abort.signal, startedMs }
      const shape = {
        id: `chatcmpl-${request.id.slice(REQUEST_ID_PREFIX.length)}`,
        model: chat.model,
        created: Math.floor(Date.now() / 1000),
        includeUsage: chat.includeUsage,
        legacyFunctions: chat.legacyFunctions,
      }
      sink = chat.stream ? new SseAnswer(response, headers, shape) : new JsonAnswer(response, headers, shape)
    } catch (thrown) {
      const error = toSwitchyardError(thrown)
      if (error.code === 'internal_error') options.onDefect(request.id, error)
      sendError(response, error, headers())
      runtime.steps.reporter.finished(refusedRecord(request.id, caller, error, options.now() - startedMs))
      return
    }
    response.once('close', () => {
      if (!response.writableFinished) abort.abort()
    })
    // The caller may have left while its body was read.
    if (response.destroyed) abort.abort()
    const done = options.calls.add(sink, abort)
    try {
      await answer(call, sink, runtime.steps, request, options)
    } finally {
      done()
    }
  }
}

function decode(request: FastifyRequest, runtime: Runtime, caller: Caller): ChatRequest {
  const bytes = request.body
  if (!Buffer.isBuffer(bytes)) {
    throw new SwitchyardError(
      'unsupported_media_type',
      'The body must be JSON: send it with "content-type: application/json".',
    )
  }
  return decodeChatRequest(parseJsonBody(bytes), {
    bodyBytes: bytes.length,
    unknownFields: caller.unknownFields,
    passFields: runtime.passFields,
    textLimitBytes: runtime.textLimitBytes,
  })
}

async function answer(
  call: Call,
  sink: AnswerSink,
  steps: Steps,
  request: FastifyRequest,
  options: ChatRouteOptions,
): Promise<void> {
  let key: string | undefined
  try {
    key = readIdempotencyKey(request.headers)
    if (key === undefined) {
      await complete(call, sink, steps)
      return
    }
    const id = `${call.caller.tenant}\n${key}`
    const fingerprint = hash('sha256', request.body as Buffer)
    const { replayed } = await answerOnce(options.idempotency, id, fingerprint, sink, (recorder) =>
      complete(call, recorder, steps),
    )
    if (replayed !== undefined) {
      steps.reporter.finished({
        ...refusedRecord(call.id, call.caller, undefined, options.now() - call.startedMs),
        model: call.request.model,
        stream: call.request.stream,
        tier: 'cache',
        reason: 'cache',
        cache: 'join',
        usage: replayed.usage,
      })
    }
  } catch (thrown) {
    const error = toSwitchyardError(thrown)
    if (error.code === 'internal_error') options.onDefect(call.id, error)
    sink.fail(error)
    steps.reporter.finished(refusedRecord(call.id, call.caller, error, options.now() - call.startedMs))
  }
}

/** The record of a request that never reached the first step. */
function refusedRecord(
  id: string,
  caller: Caller,
  error: SwitchyardError | undefined,
  durationMs: number,
): FinishedRequest {
  return {
    id,
    tenant: caller.tenant,
    key: caller.key,
    taskId: undefined,
    taskType: 'default',
    model: '',
    stream: false,
    result: error === undefined ? 'ok' : error.status < 500 ? 'refused' : 'failed',
    errorCode: error?.code,
    errorDetail: error?.detail,
    status: error?.status ?? 200,
    tier: undefined,
    upstream: undefined,
    target: undefined,
    reason: undefined,
    intent: 'other',
    score: undefined,
    cache: 'bypass',
    attempts: 0,
    usage: undefined,
    cost: ZERO_USD,
    savedUsd: ZERO_USD,
    durationMs,
    firstContentMs: undefined,
    upstreamMs: 0,
    routerMs: 0,
    dropped: [],
  }
}
