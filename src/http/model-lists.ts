/** What `GET /v1/models` answers, in the list's shape that the asking client knows. */
import type { Dialect } from '../protocol/dialect.ts'
import { SwitchyardError } from '../shared/errors.ts'
import type { ModelEntry } from './runtime.ts'

/** Nobody knows when a model was made, and clients only need a date. */
const CREATED_AT = '1970-01-01T00:00:00Z'
const LIST_DEFAULT = 20
const LIST_MOST = 1000

/** The whole list, or Anthropic's page of it (API reference, "List models": `limit` and one of `after_id`, `before_id`). */
export function modelList(
  models: readonly ModelEntry[],
  dialect: Dialect['name'],
  query: Readonly<Record<string, unknown>>,
): unknown {
  if (dialect !== 'anthropic-messages')
    return { object: 'list', data: models.map((model) => modelObject(model, dialect)) }
  const { shown, hasMore } = page(models, query)
  const data = shown.map((model) => modelObject(model, dialect))
  return { data, has_more: hasMore, first_id: shown[0]?.id ?? null, last_id: shown.at(-1)?.id ?? null }
}

export function modelObject(model: ModelEntry, dialect: Dialect['name']): unknown {
  return dialect === 'anthropic-messages'
    ? { type: 'model', id: model.id, display_name: model.id, created_at: CREATED_AT }
    : { id: model.id, object: 'model', created: 0, owned_by: model.ownedBy }
}

/** The models right after or right before one, and whether there are more in that direction. */
function page(
  models: readonly ModelEntry[],
  query: Readonly<Record<string, unknown>>,
): { readonly shown: readonly ModelEntry[]; readonly hasMore: boolean } {
  const { limit = String(LIST_DEFAULT), after_id: after, before_id: before } = query
  if (typeof limit !== 'string' || !/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > LIST_MOST)
    throw refuse('limit', `a whole number from 1 to ${LIST_MOST}`)
  if (before !== undefined) {
    if (after !== undefined) throw refuse('before_id', 'left out where "after_id" is given')
    const end = placeOf(models, 'before_id', before)
    const start = Math.max(0, end - Number(limit))
    return { shown: models.slice(start, end), hasMore: start > 0 }
  }
  const start = after === undefined ? 0 : placeOf(models, 'after_id', after) + 1
  const end = start + Number(limit)
  return { shown: models.slice(start, end), hasMore: end < models.length }
}

function placeOf(models: readonly ModelEntry[], param: string, id: unknown): number {
  const place = models.findIndex((model) => model.id === id)
  if (place < 0) throw refuse(param, 'the id of one of the models')
  return place
}

function refuse(param: string, expected: string): SwitchyardError {
  return new SwitchyardError('invalid_value', `"${param}" must be ${expected}.`, { param })
}
