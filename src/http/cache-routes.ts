import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { credentials } from './credentials.ts'
import type { Keyring } from './keyring.ts'

/** Kept answers, as far as their own callers may do something about them. */
export interface EntryService {
  /** False = there is none that this caller could be answered with. */
  removeOwn(caller: Caller, id: string, isForGood: boolean): boolean
}
export interface CacheRoutesOptions {
  readonly cache: () => EntryService
  readonly keyring: () => Keyring
  readonly json: (request: FastifyRequest, reply: FastifyReply, status: number, body: unknown) => FastifyReply
}

/** `DELETE /v1/cache/{id}`: a bad answer is removed by whom it was given to, with `?again=never` for good. */
export function addCacheRoutes(app: FastifyInstance, options: CacheRoutesOptions): void {
  for (const prefix of ['/v1', '']) {
    app.delete<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
      `${prefix}/cache/:id`,
      (request, reply) => {
        const caller = options.keyring().authenticate(...credentials(request.headers))
        const { id } = request.params
        const { again } = request.query
        if (again !== undefined && again !== 'never')
          throw new SwitchyardError('invalid_value', '"again" must be never, or be left out.', { param: 'again' })
        if (!options.cache().removeOwn(caller, id, again === 'never')) {
          const sentence = `There is no cache entry "${id.slice(0, 64)}". Its id comes in x-cache-entry with each answer from it.`
          throw new SwitchyardError('not_found', sentence, { param: 'id' })
        }
        return options.json(request, reply, 200, { id, object: 'cache.entry', deleted: true })
      },
    )
  }
}
