import type { ChatRequest } from '../protocol/request.ts'
import type { Adapter } from './adapter.ts'
import { unsupportedBy } from './field-fates.ts'

/**
 * What only some wires have words for, beside the fields of a chat: hints of Anthropic's and OpenAI's responses, betas, raw prompts, embeddings. One place
 * asks each adapter what it `says`, so that a new one leaves nothing out without a word.
 */
export type Extra =
  | 'thinking'
  | 'cache_control'
  | 'is_error'
  | 'anthropic-beta'
  | 'prompt'
  | 'embed'
  | 'reasoning.summary'
  | 'reasoning.generate_summary'
  | 'input.phase'

const NOTHING: readonly string[] = []
const unsupported = unsupportedBy('The model that this request went to')

/** Names of what a wire has no word for and may lose; throws for what it may not. */
export function unsaidBy({ says }: Pick<Adapter, 'says'>, request: ChatRequest): readonly string[] {
  const { prompt, embed, hints, betas } = request
  if (prompt !== undefined && !says.has('prompt')) throw unsupported('prompt', 'It takes no raw texts; send messages.')
  if (embed !== undefined && !says.has('embed')) throw unsupported('input', 'It makes no embeddings.')
  if (hints === undefined && betas === undefined) return NOTHING
  const unsaid = (hints ?? []).filter((hint) => !says.has(hint as Extra))
  return says.has('anthropic-beta') ? unsaid : [...unsaid, ...(betas ?? []).map(betaName)]
}

/** A value of the header `anthropic-beta` as `x-switchyard-dropped` shows it. */
export function betaName(beta: string): string {
  return `anthropic-beta.${beta.replaceAll(/[^\w.-]/g, '').slice(0, 64)}`
}
