/**
 * `reasoning_details`, in which OpenRouter gives what a model thought in the form of whoever made it, signatures and encrypted parts
 * included, and wants it back unchanged (its guide "Reasoning tokens"). Nothing here reads them: they pass through the other dialects
 * as one signature, JSON in base64url and a full stop, so that several of them one after another are still a list of them.
 */
import { isObject } from './check.ts'
import type { JsonObject } from './request.ts'

export function sealDetails(details: readonly JsonObject[]): string {
  return `${Buffer.from(JSON.stringify(details)).toString('base64url')}.`
}

/** What `sealDetails` has sealed; nothing where it was changed on its way. */
export function openDetails(sealed: string): readonly JsonObject[] {
  return sealed.split('.').flatMap((part): readonly JsonObject[] => {
    if (part === '') return []
    try {
      const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
      return Array.isArray(value) ? (value.filter(isObject) as JsonObject[]) : []
    } catch {
      return []
    }
  })
}
