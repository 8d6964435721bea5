/** What an operator can do with kept answers. */
import { z } from 'zod'
import { operation, type HttpRoute, type Operation } from './operations.ts'

export type CacheOperationName = 'cache.status' | 'cache.remove'

export const CACHE_ROUTES: Readonly<Record<CacheOperationName, HttpRoute>> = {
  'cache.status': { method: 'GET', path: '/cache' },
  'cache.remove': { method: 'POST', path: '/cache/remove' },
}

export interface CacheStatus {
  readonly entries: number
  readonly bytes: number
}
export interface CacheRemoval {
  readonly entries: number
  readonly dry_run: boolean
}
/** The cache, as far as operations need it. */
export interface CacheService {
  readonly entries: { readonly count: number; readonly bytes: number }
  invalidate(
    filter: {
      readonly id?: string | undefined
      readonly tenant?: string | undefined
      readonly tag?: string | undefined
      readonly model?: string | undefined
      readonly route?: string | undefined
    },
    isTrial: boolean,
    isForGood: boolean,
  ): number
}

const text = z.string().min(1).max(256)
const removal = z
  .strictObject({
    id: text.optional(),
    tenant: text.optional(),
    tag: text.optional(),
    model: text.optional(),
    route: text.optional(),
    all: z.boolean().default(false),
    never_again: z.boolean().default(false),
    dry_run: z.boolean().default(false),
  })
  .refine(({ id, tenant, tag, model, route, all }) => all || [id, tenant, tag, model, route].some(Boolean), {
    message: 'say which entries: id, tenant, tag, model, route, or all',
  })

export function cacheOperations(cache: CacheService): readonly Operation[] {
  return [
    operation('cache.status', CACHE_ROUTES['cache.status'], z.strictObject({}), (): CacheStatus => {
      const { count, bytes } = cache.entries
      return { entries: count, bytes }
    }),
    operation('cache.remove', CACHE_ROUTES['cache.remove'], removal, (input): CacheRemoval => {
      const { all: _all, never_again, dry_run, ...filter } = input
      return { entries: cache.invalidate(filter, dry_run, never_again), dry_run }
    }),
  ]
}
