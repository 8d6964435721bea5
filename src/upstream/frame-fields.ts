export type Fields = Readonly<Record<string, unknown>>

/** An object as it is; anything else as one without fields. */
export function record(value: unknown): Fields {
  return isFields(value) ? value : {}
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
