import { betaName } from '../unsaid.ts'
import { INTERLEAVED } from './encode-thinking.ts'

/**
 * Values of `anthropic-beta` that callers may send on: none of them changes a price, opens a tool of the provider's or lets it edit
 * the prompt, so that what is held stays what can be billed (a cache of an hour is held by its marker).
 */
const ALLOWED: readonly string[] = [
  INTERLEAVED,
  'fine-grained-tool-streaming-2025-05-14',
  'extended-cache-ttl-2025-04-11',
  'prompt-caching-2024-07-31',
  'token-efficient-tools-2025-02-19',
]

/** The header for one request; what is not on the list is named in `dropped`. */
export function encodeBetas(
  betas: readonly string[] | undefined,
  dropped: Set<string>,
): Readonly<Record<string, string>> {
  const kept: string[] = []
  for (const beta of betas ?? []) {
    if (ALLOWED.includes(beta)) kept.push(beta)
    else dropped.add(betaName(beta))
  }
  return kept.length === 0 ? {} : { 'anthropic-beta': kept.join(',') }
}
