import type { JsonObject, OutputFormat } from '../protocol/request.ts'

type JsonSchemaFormat = Extract<OutputFormat, { type: 'json_schema' }>

/**
 * The schema of a format for providers that have no place for the format's own `description`, which tells the model what the answer
 * is for: it goes where the schema describes itself. Where that says something already, or there is no schema, it is named in `dropped`.
 */
export function describedSchema(
  { description, schema }: JsonSchemaFormat,
  dropped: Set<string>,
): JsonObject | undefined {
  if (description === undefined || description === '' || description === schema?.['description']) return schema
  if (schema !== undefined && (schema['description'] ?? '') === '') return { ...schema, description }
  dropped.add('response_format.description')
  return schema
}
