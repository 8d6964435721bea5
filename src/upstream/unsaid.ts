import type { ChatRequest } from '../protocol/request.ts'
import type { Adapter } from './adapter.ts'
import { unsupportedBy } from './field-fates.ts'

/**
 * What only some wires have words for, beside the fields of a chat: Anthropic's hints and betas, raw prompts, embeddings. One place
 * asks each adapter what it `says`, so that a new one leaves nothing out without a word.
 */
export type Extra = 'thinking' | 'cache_control' | 'is_error' | 'anthropic-beta' | 'prompt' | 'embed'

const NOTHING: readonly string[] = []
const unsupported = unsupportedBy('The model that this request went to')

/** Names of what a wire has no word for and may lose; throws for what it may not. */
export function unsaidBy({ says }: Pick<Adapter, 'says'>, request: ChatRequest): readonly string[] {
  const { prompt, embed, anthropicHints, betas } = request
  if (prompt !== undefined && !says.has('prompt')) throw unsupported('prompt', 'It takes no raw texts; send messages.')
  if (embed !== undefined && !says.has('embed')) throw unsupported('input', 'It makes no embeddings.')
  if (anthropicHints === undefined && betas === undefined) return NOTHING
  const hints = (anthropicHints ?? []).filter((hint) => !says.has(hint as Extra))
  return says.has('anthropic-beta') ? hints : [...hints, ...(betas ?? []).map(betaName)]
}

/** A value of the header `anthropic-beta` as `x-switchyard-dropped` shows it. */
export function betaName(beta: string): string {
  return `anthropic-beta.${beta.replaceAll(/[^\w.-]/g, '').slice(0, 64)}`
}
