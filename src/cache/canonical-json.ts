/**
 * JSON text that is the same for equal values: names sorted by code unit, no white space, members that are undefined left out
 * (RFC 8785 without its rules for numbers, which `JSON.stringify` follows already).
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members: string[] = []
  const record = value as Readonly<Record<string, unknown>>
  for (const name of Object.keys(record).sort()) {
    const member = record[name]
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${canonicalJson(member)}`)
  }
  return `{${members.join(',')}}`
}
