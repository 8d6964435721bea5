import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../gateway/steps.ts'
import type { JsonObject } from '../protocol/request.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { credentials } from './credentials.ts'
import type { Keyring } from './keyring.ts'
import type { ResponseService } from './runtime.ts'

const PREFIXES = ['/v1', ''] as const
const LIST_DEFAULT = 20
const LIST_MOST = 100

export interface ResponseRoutesOptions {
  readonly responses: ResponseService
  readonly keyring: () => Keyring
  readonly base: (request: FastifyRequest) => Record<string, string>
  readonly json: (request: FastifyRequest, reply: FastifyReply, status: number, body: unknown) => FastifyReply
}

type OfResponse = FastifyRequest<{ Params: { id: string }; Querystring: Record<string, unknown> }>

/** Stored responses: `GET`, `DELETE`, `GET …/input_items`, `POST …/cancel`. Another tenant's are not there. */
export function addResponseRoutes(app: FastifyInstance, options: ResponseRoutesOptions): void {
  const { responses, json } = options
  const caller = (request: FastifyRequest): Caller => options.keyring().authenticate(...credentials(request.headers))
  for (const prefix of PREFIXES) {
    const path = `${prefix}/responses/:id`
    app.get(path, (raw, reply) => {
      const request = raw as OfResponse
      const { tenant } = caller(request)
      const { stream } = request.query
      if (stream !== undefined && stream !== 'false') {
        const sentence = "'stream' is not supported here: a stored response is whole. Ask without it."
        throw new SwitchyardError('unsupported_parameter', sentence, { param: 'stream' })
      }
      const body = responses.body(tenant, request.params.id)
      if (body === undefined) throw notFound(request.params.id)
      return reply.headers({ ...options.base(request), 'content-type': 'application/json; charset=utf-8' }).send(body)
    })
    app.delete(path, (raw, reply) => {
      const request = raw as OfResponse
      const { id } = request.params
      if (!responses.remove(caller(request).tenant, id)) throw notFound(id)
      return json(request, reply, 200, { id, object: 'response', deleted: true })
    })
    app.get(`${path}/input_items`, (raw, reply) => {
      const request = raw as OfResponse
      const items = responses.inputItems(caller(request).tenant, request.params.id)
      if (items === undefined) throw notFound(request.params.id)
      return json(request, reply, 200, page(items, request.query))
    })
    app.post(`${path}/cancel`, (raw, reply) => {
      const request = raw as OfResponse
      if (responses.body(caller(request).tenant, request.params.id) === undefined) throw notFound(request.params.id)
      void reply
      throw new SwitchyardError('invalid_value', 'Cannot cancel a synchronous response.', { param: 'response_id' })
    })
  }
}

function notFound(id: string): SwitchyardError {
  return new SwitchyardError('not_found', `Response with id '${id.slice(0, 64)}' not found.`, { param: 'response_id' })
}

/** A page of a list as OpenAI cuts it: the newest first unless asked otherwise, after the item of an id. */
function page(items: readonly JsonObject[], query: Readonly<Record<string, unknown>>): JsonObject {
  const { limit = String(LIST_DEFAULT), order = 'desc', after } = query
  if (typeof limit !== 'string' || !/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > LIST_MOST)
    throw refuse('limit', `a whole number from 1 to ${LIST_MOST}`)
  if (order !== 'asc' && order !== 'desc') throw refuse('order', "'asc' or 'desc'")
  const ordered = order === 'asc' ? items : items.toReversed()
  const start = after === undefined ? 0 : ordered.findIndex((item) => item['id'] === after) + 1
  if (after !== undefined && start === 0) throw refuse('after', 'the id of one of the items')
  const data = ordered.slice(start, start + Number(limit))
  return {
    object: 'list',
    data,
    first_id: data[0]?.['id'] ?? null,
    last_id: data.at(-1)?.['id'] ?? null,
    has_more: start + data.length < ordered.length,
  }
}

function refuse(param: string, expected: string): SwitchyardError {
  return new SwitchyardError('invalid_value', `"${param}" must be ${expected}.`, { param })
}
