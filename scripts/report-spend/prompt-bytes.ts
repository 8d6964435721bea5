import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'

export interface PromptBytes {
  readonly prompts: number
  /** UTF-8 bytes of the text per token, over all prompts together. */
  readonly textPerToken: number
  /** The same for the text as a JSON body holds it, escapes included. */
  readonly bodyPerToken: number
}

interface Step {
  readonly session: string
  readonly keep: number
  readonly add: string
}

/** Measures `agent-miniswe-text.jsonl.gz`: prompts of coding agents, each rebuilt as it was sent, counted with o200k_base. */
export function measurePromptBytes(folder: URL): PromptBytes {
  const file = gunzipSync(readFileSync(new URL('agent-miniswe-text.jsonl.gz', folder))).toString('utf8')
  const last = new Map<string, readonly string[]>()
  let prompts = 0
  let tokens = 0
  let textBytes = 0
  let bodyBytes = 0
  for (const line of file.trimEnd().split('\n')) {
    const { session, keep, add } = JSON.parse(line) as Step
    // `keep` counts code points.
    const points = [...(last.get(session) ?? []).slice(0, keep), ...Array.from(add)]
    last.set(session, points)
    const text = points.join('')
    prompts += 1
    tokens += countTokens(text, { disallowedSpecial: new Set<string>() })
    textBytes += Buffer.byteLength(text)
    bodyBytes += Buffer.byteLength(JSON.stringify(text))
  }
  return { prompts, textPerToken: textBytes / tokens, bodyPerToken: bodyBytes / tokens }
}
