/**
 * A vector on its way through the gateway is a text, as a server wrote it: base64 of little-endian 32-bit floats, or a JSON list. It is
 * rewritten only where the caller wants the other form.
 */
export type VectorText = string

const FLOAT_BYTES = 4

/** As JSON text: a list of numbers, or a string of base64. Undefined = it is no vector. */
export function vectorAs(encoding: 'float' | 'base64', vector: VectorText): string | undefined {
  const isList = vector.startsWith('[')
  if (encoding === 'float') return isList ? vector : listOf(vector)
  return isList ? `"${base64Of(vector)}"` : JSON.stringify(vector)
}

function base64Of(list: string): string {
  const numbers = JSON.parse(list) as readonly number[]
  const bytes = Buffer.alloc(numbers.length * FLOAT_BYTES)
  for (const [at, number] of numbers.entries()) bytes.writeFloatLE(number, at * FLOAT_BYTES)
  return bytes.toString('base64')
}

function listOf(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length === 0 || bytes.length % FLOAT_BYTES !== 0) return undefined
  const numbers = Array.from({ length: bytes.length / FLOAT_BYTES }, (_, at) => bytes.readFloatLE(at * FLOAT_BYTES))
  return numbers.every(Number.isFinite) ? JSON.stringify(numbers) : undefined
}
