import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { complete } from '../gateway/complete.ts'
import { answerOnce } from '../gateway/idempotency.ts'
import type { AnswerSink, Call, Caller, FinishedRequest } from '../gateway/steps.ts'
import { parseJsonBody } from '../protocol/json.ts'
import type { Dialect, ResponseMemory } from '../protocol/dialect.ts'
import type { ChatRequest } from '../protocol/request.ts'
import { toSwitchyardError, type SwitchyardError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { ZERO_USD } from '../shared/money.ts'
import type { ActiveCalls } from './active-calls.ts'
import { readCacheWish, readIdempotencyKey, readTaskHeaders } from './call-headers.ts'
import { ConnectionCallers } from './connection-callers.ts'
import { baseHeaders } from './base-headers.ts'
import { CallerDeparture } from './departure.ts'
import { draining, notJson, refuseRequest, sendError } from './error-reply.ts'
import { JsonAnswer } from './json-answer.ts'
import { limitHeaders } from './limit-headers.ts'
import { isJson, readBody } from './read-body.ts'
import { checkHead, checkKeylessHead } from './request-guard.ts'
import type { Runtime, ServerOptions } from './runtime.ts'
import { SseAnswer } from './sse-answer.ts'

/** What request ids start with; an answer's own id ends in the same letters. */
export const REQUEST_ID_PREFIX = 'req_'

export interface CallRouteOptions extends Pick<
  ServerOptions,
  'runtime' | 'idempotency' | 'responses' | 'now' | 'onDefect' | 'bodyLimitBytes'
> {
  readonly calls: ActiveCalls
  readonly isDraining: () => boolean
}

type Handler = (request: IncomingMessage, response: ServerResponse, dialect: Dialect) => void

/**
 * Handler of requests for a model's answer, below the framework: routing, hooks and body parsing that serve few known paths cost as
 * much as validating, routing and pricing a request together.
 */
export function callHandler(options: CallRouteOptions): Handler {
  const callers = new ConnectionCallers()
  return (request, response, dialect) => {
    const id = newId(REQUEST_ID_PREFIX)
    const runtime = options.runtime()
    const base = baseHeaders(id, request.headers, runtime.allowedOrigins)
    if (dialect.requestIdHeader !== undefined) base[dialect.requestIdHeader] = id
    const refuse = (error: SwitchyardError, caller: Caller | undefined): void => {
      refuseRequest(request, response, error, { ...base, ...limitHeaders(caller?.limiter, dialect.name) }, dialect)
      runtime.steps.reporter.finished(refusedRecord(id, caller ?? NOBODY, error, 0))
    }
    let caller: Caller | undefined
    try {
      checkHead(request)
      if (runtime.keyring.isOpen) checkKeylessHead(request, runtime.allowedOrigins)
      // Before the body is read: a stranger must not make us buffer 32 MiB.
      caller = callers.authenticate(runtime.keyring, request)
      if (!isJson(request.headers['content-type'])) throw notJson()
    } catch (thrown) {
      refuse(toSwitchyardError(thrown), caller)
      return
    }
    const sender = caller
    readBody(request, options.bodyLimitBytes, (body) => {
      if (Buffer.isBuffer(body)) {
        void handle({ id, request, response, dialect, body, caller: sender, base, runtime }, options)
      } else refuse(body, sender)
    })
  }
}

/** A request that has arrived as a whole and whose sender is known. */
interface Arrived {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly dialect: Dialect
  readonly body: Buffer
  readonly caller: Caller
  /** Headers of every answer to it. */
  readonly base: Readonly<Record<string, string>>
  readonly runtime: Runtime
}

async function handle(arrived: Arrived, options: CallRouteOptions): Promise<void> {
  const startedMs = options.now()
  const { id, request, response, dialect, body, caller, base, runtime } = arrived
  const headers = (): Record<string, string> => ({ ...base, ...limitHeaders(caller.limiter, dialect.name) })
  let call: Call
  let sink: AnswerSink
  const abort = new AbortController()
  const departure = new CallerDeparture(abort)
  try {
    if (options.isDraining()) throw draining()
    const memory = dialect.isStateful === true ? options.responses.memoryOf(caller) : undefined
    const chat = decode(dialect, request, body, runtime, caller, memory)
    const task = readTaskHeaders(request.headers, chat.taskId ?? chat.openai.metadata?.['task_id'])
    const cacheWish = readCacheWish(request.headers)
    call = { id, caller, task, request: chat, signal: abort.signal, startedMs, cacheWish, departure }
    const shape = {
      id: id.slice(REQUEST_ID_PREFIX.length),
      created: Math.floor(Date.now() / 1000),
      request: chat,
      ...(memory === undefined ? undefined : { memory }),
    }
    sink = chat.stream
      ? new SseAnswer(response, headers, dialect, shape)
      : new JsonAnswer(response, headers, dialect, shape)
  } catch (thrown) {
    const error = toSwitchyardError(thrown)
    if (error.code === 'internal_error') options.onDefect(id, error)
    sendError(response, error, headers(), dialect)
    runtime.steps.reporter.finished(refusedRecord(id, caller, error, options.now() - startedMs))
    return
  }
  response.once('close', () => {
    if (!response.writableFinished) departure.left()
  })
  // The caller may have left while its body was read.
  if (response.destroyed) departure.left()
  const done = options.calls.add(sink, abort)
  try {
    await answer(call, sink, arrived, options)
  } finally {
    done()
  }
}

function decode(
  dialect: Dialect,
  { headers }: IncomingMessage,
  bytes: Buffer,
  runtime: Runtime,
  caller: Caller,
  memory: ResponseMemory | undefined,
): ChatRequest {
  const betas = headers['anthropic-beta']
  return dialect.decode(parseJsonBody(bytes), {
    bodyBytes: bytes.length,
    unknownFields: caller.unknownFields,
    passFields: runtime.passFields,
    textLimitBytes: runtime.textLimitBytes,
    betas: typeof betas === 'string' ? betas : undefined,
    ...(memory === undefined ? undefined : { memory }),
  })
}

async function answer(
  call: Call,
  sink: AnswerSink,
  { request, dialect, body, runtime: { steps } }: Arrived,
  options: CallRouteOptions,
): Promise<void> {
  let key: string | undefined
  try {
    key = readIdempotencyKey(request.headers)
    if (key === undefined) {
      await complete(call, sink, steps)
      return
    }
    const id = `${call.caller.tenant}\n${key}`
    const fingerprint = `${dialect.name} ${hash('sha256', body)}`
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

type Sender = Pick<Caller, 'tenant' | 'key'>
/** Who sent a request that was refused before its key was known. */
const NOBODY: Sender = { tenant: '', key: '' }

/** The record of a request that never reached the first step. */
function refusedRecord(
  id: string,
  caller: Sender,
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
    escalation: undefined,
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
