import type { Json } from '../request.ts'

/**
 * Bytes that a call's input, written again by us and as a string inside a JSON body, may have more than it had in the caller's body:
 * its numbers in their longest form (`1e20`), and the escapes of a string in a string.
 */
export function inputGrowth(input: Json, text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - Buffer.byteLength(text) + numberGrowth(input)
}

function numberGrowth(value: Json): number {
  if (typeof value === 'number') {
    const written = JSON.stringify(value).length
    return Math.max(0, written - value.toExponential().replace('e+', 'e').replace('.', '').length)
  }
  if (typeof value !== 'object' || value === null) return 0
  let growth = 0
  for (const each of Object.values(value)) growth += numberGrowth(each)
  return growth
}
