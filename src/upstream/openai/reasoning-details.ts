import type { AnswerEvent } from '../../protocol/answer.ts'
import type { JsonObject } from '../../protocol/request.ts'
import { sealDetails } from '../../protocol/reasoning-details.ts'

/** Texts that come in fragments, by the type of their entry. */
const GROWS: Readonly<Record<string, string>> = { 'reasoning.text': 'text', 'reasoning.summary': 'summary' }

/** `reasoning_details` of one choice as they arrive (OpenRouter): fragments of an entry become the entry. */
export class ReasoningDetails {
  #entries: Record<string, unknown>[] = []

  take(raw: unknown): void {
    if (!Array.isArray(raw)) return
    for (const value of raw as readonly unknown[]) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
      const entry = value as Record<string, unknown>
      const open = this.#entries.at(-1)
      if (open !== undefined && continues(open, entry)) grow(open, entry)
      else this.#entries.push({ ...entry })
    }
  }

  /** Hands over what is there, where something of it can be read by its maker alone; the plain text of the rest is said already. */
  flush(choice: number): AnswerEvent | undefined {
    const entries = this.#entries
    this.#entries = []
    if (!entries.some(({ signature, data }) => typeof signature === 'string' || typeof data === 'string'))
      return undefined
    return {
      type: 'reasoning',
      choice,
      text: '',
      signature: sealDetails(entries as JsonObject[]),
      signedBy: 'openrouter',
    }
  }
}

function continues(open: Record<string, unknown>, next: Record<string, unknown>): boolean {
  return (
    open['type'] === next['type'] && open['index'] === next['index'] && String(open['type']) in GROWS && !isSigned(open)
  )
}

/** A signature ends an entry. */
function isSigned({ signature }: Record<string, unknown>): boolean {
  return typeof signature === 'string' && signature !== ''
}

function grow(open: Record<string, unknown>, next: Record<string, unknown>): void {
  const field = GROWS[String(open['type'])] as string
  const said = [open[field], next[field]].filter((text) => typeof text === 'string')
  // What a fragment does not say stays as it was said before.
  for (const [name, value] of Object.entries(next)) if (value !== null) open[name] = value
  if (said.length > 0) open[field] = said.join('')
}
