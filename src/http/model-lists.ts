/** What `GET /v1/models` answers, in the list's shape that the asking client knows. */
import type { Dialect } from '../protocol/dialect.ts'
import type { ModelEntry } from './runtime.ts'

/** Nobody knows when a model was made, and clients only need a date. */
const CREATED_AT = '1970-01-01T00:00:00Z'

export function modelList(models: readonly ModelEntry[], dialect: Dialect['name']): unknown {
  const data = models.map((model) => modelObject(model, dialect))
  if (dialect !== 'anthropic-messages') return { object: 'list', data }
  return { data, has_more: false, first_id: models[0]?.id ?? null, last_id: models.at(-1)?.id ?? null }
}

export function modelObject(model: ModelEntry, dialect: Dialect['name']): unknown {
  return dialect === 'anthropic-messages'
    ? { type: 'model', id: model.id, display_name: model.id, created_at: CREATED_AT }
    : { id: model.id, object: 'model', created: 0, owned_by: model.ownedBy }
}
