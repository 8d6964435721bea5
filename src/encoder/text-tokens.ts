/** Texts as the model's token numbers. */
import { Tokenizer } from '@huggingface/tokenizers'

export interface TextTokens {
  readonly ids: readonly number[]
  readonly pieces: readonly string[]
  readonly isCut: boolean
}

export type Tokenise = (text: string, maxTokens: number) => TextTokens

/** A tokeniser from the texts of `tokenizer.json` and `tokenizer_config.json`; the cut and the padding that the first asks for are not done. */
export function createTokeniser(tokenizerJson: string, configJson: string): Tokenise {
  const tokenizer = new Tokenizer(JSON.parse(tokenizerJson) as object, JSON.parse(configJson) as object)
  return (text, maxTokens) => {
    const { ids, tokens } = tokenizer.encode(text)
    return ids.length <= maxTokens
      ? { ids, pieces: tokens, isCut: false }
      : { ids: cut(ids, maxTokens), pieces: cut(tokens, maxTokens), isCut: true }
  }
}

/** The last token ends every text that the model has seen, and so a cut one, too. */
function cut<Item>(items: readonly Item[], most: number): readonly Item[] {
  return [...items.slice(0, most - 1), items.at(-1) as Item]
}
