/** Ways into JSON that nobody has typed. */
export type Fields = Readonly<Record<string, unknown>>

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

export function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as readonly unknown[]).map(fields) : []
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Base64 of a `data:` address. */
export function pictureIn(url: unknown): readonly string[] {
  const [, data] = text(url).split(';base64,')
  return data === undefined ? [] : [data]
}

/** `quay` of arguments that are JSON text. */
export function quayIn(args: unknown): unknown {
  return fields(JSON.parse(text(args)))['quay']
}
