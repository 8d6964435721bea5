import type { ChatRequest } from '../../protocol/request.ts'
import type { BoundTarget } from './prompt-rules.ts'
import type { TokenCounter } from './token-counter.ts'
import type { TokenRefiner } from './token-refiner.ts'
import type { Encoding } from './tokenizer-worker.ts'
import { walkedTokenBound } from './walked-bound.ts'

/** Longer texts would keep the thread busy for seconds. */
const MAX_CHARS = 4 * 1024 * 1024

/**
 * Exact counts for the models of OpenAI's own API: texts by their vocabulary, as the API's cookbook says. What it does not say, how
 * tools, calls and schemas are written into the prompt, keeps its bound in bytes, so that the sum stays an upper bound.
 */
export class OpenAiTokenizer implements TokenRefiner {
  readonly #counter: Pick<TokenCounter, 'count'>

  constructor(counter: Pick<TokenCounter, 'count'>) {
    this.#counter = counter
  }

  async refine(request: ChatRequest, target: BoundTarget, signal: AbortSignal): Promise<number | undefined> {
    const encoding = target.isHostedOpenAi === true ? encodingOf(target.model) : undefined
    if (encoding === undefined) return undefined
    const { texts, otherTokens } = walkedTokenBound(request, target)
    if (texts.reduce((sum, text) => sum + text.length, 0) > MAX_CHARS) return undefined
    const counted = await this.#counter.count(encoding, texts, signal)
    return counted === undefined ? undefined : counted + otherTokens
  }
}

/** The vocabulary of a model (tiktoken's model table); undefined for one that is not known. */
export function encodingOf(model: string): Encoding | undefined {
  if (/^(?:gpt-4o|gpt-4\.[15]|gpt-5|chatgpt-4o|o[134](?:-|$)|codex-mini)/.test(model)) return 'o200k_base'
  return /^(?:gpt-4|gpt-3\.5-turbo)(?:-|$)/.test(model) ? 'cl100k_base' : undefined
}
