import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../gateway/steps.ts'
import {
  TASK_STATES,
  USAGE_GROUPS,
  type TaskService,
  type TaskState,
  type TaskView,
  type UsageGroup,
} from '../gateway/tasks.ts'
import { parseJsonBody } from '../protocol/json.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { addUsd } from '../shared/money.ts'
import { credentials } from './credentials.ts'
import type { Keyring } from './keyring.ts'
import type { ServerOptions } from './runtime.ts'
import { readCompletion, readNewTask, readTopUp } from './task-bodies.ts'
import { showTask, usdOf } from './task-body.ts'

export interface TaskRouteOptions extends Pick<ServerOptions, 'taskEvents'> {
  readonly base: (request: FastifyRequest) => Record<string, string>
  readonly tasks: TaskService
  readonly keyring: () => Keyring
  readonly json: (request: FastifyRequest, reply: FastifyReply, status: number, body: unknown) => FastifyReply
}

type TaskRequest = FastifyRequest<{ Params: { id: string }; Querystring: Record<string, unknown> }>

const LIST_DEFAULT = 20
const LIST_MOST = 100
const DAY = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/

/** `/v1/tasks` and `/v1/usage`. A task of another tenant is one that does not exist. */
export function addTaskRoutes(app: FastifyInstance, options: TaskRouteOptions): void {
  const { tasks, json } = options
  const caller = (request: FastifyRequest): Caller => options.keyring().authenticate(...credentials(request.headers))
  const checked = {
    // Before the body is read.
    onRequest: (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
      caller(request)
      done()
    },
  }
  const forAdmin = {
    onRequest: (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
      options.keyring().requireAdmin(...credentials(request.headers))
      done()
    },
  }
  app.post('/v1/tasks', { ...checked }, async (request, reply) => {
    const task = await tasks.create(caller(request), readNewTask(bodyOf(request)))
    return json(request, reply, 201, showTask(task))
  })
  app.get<{ Querystring: Record<string, unknown> }>('/v1/tasks', { ...checked }, async (request, reply) => {
    const { state, limit, after } = readList(request.query)
    const found = await tasks.list(caller(request).tenant, state, limit + 1, after)
    const data = found.slice(0, limit)
    return json(request, reply, 200, { object: 'list', data: data.map(showTask), has_more: found.length > limit })
  })
  app.get<{ Params: { id: string } }>('/v1/tasks/:id', { ...checked }, async (request, reply) =>
    json(request, reply, 200, showTask(await tasks.get(caller(request).tenant, request.params.id))),
  )
  app.get<{ Params: { id: string } }>('/v1/tasks/:id/events', { ...checked }, async (request, reply) => {
    const { tenant } = caller(request)
    const { id } = request.params
    // Answers 404 for a task that is not the caller's.
    await tasks.get(tenant, id)
    if (options.taskEvents === undefined)
      throw new SwitchyardError('not_found', 'No event log is kept here (`telemetry.events`).')
    const isSse = request.headers.accept?.includes('text/event-stream') === true
    const type = isSse ? 'text/event-stream; charset=utf-8' : 'application/jsonl; charset=utf-8'
    const lines = options.taskEvents(tenant, id)
    return reply.headers({ ...options.base(request), 'content-type': type }).send(Readable.from(framed(lines, isSse)))
  })
  const action = (name: string, run: (tenant: string, request: TaskRequest) => Promise<TaskView>): void => {
    app.post(`/v1/tasks/:id/${name}`, { ...checked }, async (request, reply) =>
      json(request, reply, 200, showTask(await run(caller(request).tenant, request as TaskRequest))),
    )
  }
  action('pause', (tenant, { params }) => tasks.pause(tenant, params.id))
  action('resume', (tenant, { params }) => tasks.resume(tenant, params.id))
  action('cancel', (tenant, { params }) => tasks.cancel(tenant, params.id))
  action('complete', (tenant, request) => tasks.complete(tenant, request.params.id, readCompletion(bodyOf(request))))
  app.post<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/v1/tasks/:id/top-up',
    {
      onRequest: (request, _reply, done) => {
        topUpTenant(request, options.keyring())
        done()
      },
    },
    async (request, reply) => {
      const tenant = topUpTenant(request, options.keyring())
      const topUp = readTopUp(bodyOf(request), request.headers['idempotency-key'])
      return json(request, reply, 200, showTask(await tasks.topUp(tenant, request.params.id, topUp)))
    },
  )
  app.get<{ Querystring: Record<string, unknown> }>('/v1/usage', { ...forAdmin }, async (request, reply) => {
    const query = readUsage(request.query)
    const rows = await tasks.usage(query)
    const sum = (name: 'settled' | 'held' | 'unresolved'): ReturnType<typeof addUsd> =>
      rows.reduce((total, row) => addUsd(total, row[name]), 0 as ReturnType<typeof addUsd>)
    return json(request, reply, 200, {
      object: 'list',
      data: rows.map(({ group, calls, input, output, settled, held, unresolved }) => ({
        ...group,
        model_calls: calls,
        tokens_in: input,
        tokens_out: output,
        ...usdOf('usd', settled),
        held_nano_usd: held,
        unresolved_nano_usd: unresolved,
      })),
      total: { ...usdOf('usd', sum('settled')), held_nano_usd: sum('held'), unresolved_nano_usd: sum('unresolved') },
    })
  })
}

async function* framed(lines: AsyncIterable<string>, isSse: boolean): AsyncGenerator<string> {
  for await (const line of lines) yield isSse ? `data: ${line}\n\n` : `${line}\n`
}

/** The admin names the tenant in the query; a key that may top up does so for its own. */
function topUpTenant(request: FastifyRequest<{ Querystring: Record<string, unknown> }>, keyring: Keyring): string {
  const given = credentials(request.headers)
  if (keyring.isAdmin(...given)) {
    const { tenant } = request.query
    return typeof tenant === 'string' && tenant !== '' ? tenant : 'default'
  }
  const caller = keyring.authenticate(...given)
  if (!caller.canTopUp)
    throw new SwitchyardError(
      'admin_only',
      'This key may not raise budgets: use the admin key, or a key with `canTopUp`.',
    )
  return caller.tenant
}

function bodyOf(request: FastifyRequest): unknown {
  if (Buffer.isBuffer(request.body) && request.body.length > 0) return parseJsonBody(request.body)
  return {}
}

function readList(query: Readonly<Record<string, unknown>>): {
  readonly state: TaskState | undefined
  readonly limit: number
  readonly after: string | undefined
} {
  const { state, limit = String(LIST_DEFAULT), after } = query
  if (state !== undefined && !(TASK_STATES as readonly unknown[]).includes(state))
    throw refuse('state', `one of ${TASK_STATES.join(', ')}`)
  if (typeof limit !== 'string' || !/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > LIST_MOST)
    throw refuse('limit', `a whole number from 1 to ${LIST_MOST}`)
  if (after !== undefined && typeof after !== 'string') throw refuse('after', 'the id of a task')
  return { state: state as TaskState | undefined, limit: Number(limit), after }
}

function readUsage(query: Readonly<Record<string, unknown>>): {
  readonly from: string | undefined
  readonly to: string | undefined
  readonly by: readonly UsageGroup[]
} {
  const { from, to, by = '' } = query
  for (const [name, day] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (day !== undefined && (typeof day !== 'string' || !DAY.test(day)))
      throw refuse(name, 'a UTC day, as in 2026-11-25')
  }
  const groups = typeof by === 'string' ? by.split(',').filter((each) => each !== '') : ['?']
  if (
    groups.some((each) => !(USAGE_GROUPS as readonly string[]).includes(each)) ||
    new Set(groups).size < groups.length
  )
    throw refuse('by', `some of ${USAGE_GROUPS.join(', ')}, separated by commas`)
  return { from: from as string | undefined, to: to as string | undefined, by: groups as UsageGroup[] }
}

function refuse(param: string, expected: string): SwitchyardError {
  return new SwitchyardError('invalid_value', `"${param}" must be ${expected}.`, { param })
}
