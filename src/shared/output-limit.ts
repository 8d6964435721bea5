/**
 * Most output tokens that hosted models accept as a cap, reasoning included (OpenAI's and Anthropic's model pages). A cap above it is
 * refused by the provider, so that none may be injected. First match wins.
 */
const LIMITS: readonly (readonly [model: RegExp, tokens: number])[] = [
  [/^gpt-3\.5/, 4096],
  [/^gpt-4(?:-turbo|-\d{4}-preview|-vision|-1106|-0125|o-2024-05-13)/, 4096],
  [/^gpt-4(?:-|$)/, 8192],
  [/^(?:gpt-4o|chatgpt-4o|gpt-4\.5|gpt-5(?:\.\d)?-chat)/, 16_384],
  [/^gpt-4\.1/, 32_768],
  [/^o1-(?:mini|preview)/, 32_768],
  [/^o[134]/, 100_000],
  [/^gpt-5/, 128_000],
  [/^claude-3-(?:opus|sonnet|haiku)/, 4096],
  [/^claude-3-5/, 8192],
  [/^claude-(?:opus-4-[01]|opus-4-20|4-opus)/, 32_000],
  [/^claude-(?:3-7|4|[a-z])/, 64_000],
  [/^gemini-(?:1|2\.0)/, 8192],
  [/^gemini-/, 65_536],
]

/** The limit of a hosted model by its name; undefined for one that is not known, and for engines, which only have a context. */
export function outputLimitOf(model: string): number | undefined {
  return LIMITS.find(([name]) => name.test(model))?.[1]
}
