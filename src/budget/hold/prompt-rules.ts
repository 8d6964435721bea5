/**
 * What is known of the prompts that an upstream makes of a request: tokeniser, template, pictures. Every figure is an upper bound;
 * where a family has several models, the largest.
 */
import type { Target } from '../../gateway/steps.ts'
import { ANY_JSON, TYPESCRIPT, type JsonStyle } from './rendering.ts'

export type PromptFamily = 'openai' | 'anthropic' | 'google' | 'engine'

/** What a bound needs of a target. */
export interface BoundTarget extends Pick<Target, 'kind' | 'model' | 'contextTokens' | 'extraBody'> {
  /** The upstream is OpenAI's own API or Azure's. Unset = anything that speaks its dialect, with whatever model behind it. */
  readonly isHostedOpenAi?: boolean
  /** Tokens that the model's template adds by itself, without tools; unset = the family's. */
  readonly templateTokens?: number
}

export interface PromptRules {
  readonly family: PromptFamily
  /** Text that the template adds to a request by itself: default system prompt, date lines, "reasoning: high", start of the answer. */
  readonly templateTokens: number
  /** The same, once tools are there: how to call them. */
  readonly toolTemplateTokens: number
  /** Markup of one message that the body's own JSON does not already pay for. */
  readonly messageTokens: number
  /** Markup of one tool beyond its JSON in the body: `<function>`, `type  = (_: {\n}) => any;`, punctuation of a list. */
  readonly toolTokens: number
  /** The tokeniser may normalise text (NFC, NFKC), which can make it longer. */
  readonly normalises: boolean
  /** How tools, schemas and arguments may be printed. */
  readonly json: JsonStyle
  readonly imageTokens: number
  readonly audioBytesPerToken: number
}

/**
 * `engine`: any model behind vLLM, TGI, llama.cpp, SGLang or a compatible provider.
 * - Template: default system prompts are 22 tokens (SmolLM2), 20 (Qwen2.5), 40 with date lines (Llama 3.x), 70 (gpt-oss), 200
 *   (SmolLM3), and 400 to 900 in the Mistral Small and Devstral templates, the longest known; instructions for tools are 90 (Llama
 *   3.1), 100 (Qwen2.5), 230 (Hermes, Qwen3-Coder), 700 (Command R).
 * - Message: markup is at most 10 special tokens, or about 60 bytes where a vocabulary lacks them (Llama 3's header as plain text);
 *   the body's own `{"role":"user","content":""}` is 28 of them.
 * - Normalisation: NFC in Qwen's tokenisers, NFKC in SentencePiece's default, none in Llama's, Mistral's and Gemma's.
 * - Pictures: Qwen2-VL to Qwen3-VL use at most 16,384 tokens (`max_pixels` 12,845,056 at 28 x 28, 16,777,216 at 32 x 32) and two
 *   marks; InternVL, Pixtral, Llama 4, LLaVA and Gemma 3 stay below 11,000.
 */
const ENGINE: PromptRules = {
  family: 'engine',
  templateTokens: 1024,
  toolTemplateTokens: 1024,
  messageTokens: 32,
  toolTokens: 64,
  normalises: true,
  json: ANY_JSON,
  imageTokens: 16_384 + 2,
  audioBytesPerToken: 16,
}

/**
 * OpenAI: 3 tokens a message, 3 for the answer, 1 a name (OpenAI cookbook, "How to count tokens"); reasoning models add a line or
 * two. Tools become TypeScript declarations, which are shorter than their JSON. tiktoken does not normalise.
 */
const OPENAI: PromptRules = {
  family: 'openai',
  templateTokens: 32,
  toolTemplateTokens: 128,
  messageTokens: 8,
  toolTokens: 16,
  normalises: false,
  json: TYPESCRIPT,
  imageTokens: 0,
  // 10 tokens a second at the 8 kbit/s of the thinnest MP3 are 133 bytes of base64 a token.
  audioBytesPerToken: 100,
}

/**
 * Anthropic: the tokeniser is not public, its published predecessor is byte-level BPE after NFKC. Tool use adds at most 530 tokens
 * (tool use guide, Claude 3 Opus with `auto`; 346 in Claude 4), once more the same for models to come. Pictures: 4,784 tokens at 2,576 pixels (vision guide), 1,600 in older models.
 */
const ANTHROPIC: PromptRules = {
  family: 'anthropic',
  templateTokens: 128,
  toolTemplateTokens: 1024,
  messageTokens: 16,
  toolTokens: 64,
  normalises: true,
  json: ANY_JSON,
  imageTokens: 5000,
  audioBytesPerToken: 16,
}

/**
 * Google: SentencePiece with byte fallback. Pictures: 258 tokens a tile, the side of a tile from 256 to 768 pixels and two thirds of
 * the shorter side, pictures up to 3,072 pixels: at most 24 tiles. Audio: 32 tokens a second, 8 kbit/s are 41 bytes of base64 a token.
 */
const GOOGLE: PromptRules = {
  family: 'google',
  templateTokens: 128,
  toolTemplateTokens: 256,
  messageTokens: 16,
  toolTokens: 64,
  normalises: true,
  json: ANY_JSON,
  imageTokens: 24 * 258,
  audioBytesPerToken: 32,
}

/**
 * Most tokens of one picture at OpenAI (images and vision guide). By tiles of 512 pixels within 2048 x 768, so at most 8; or by
 * patches of 32 pixels, at most 1,536, times a factor. What is not listed counts as the dearest, gpt-4o-mini's tiles, which is also
 * above 10,000 patches at the largest factor.
 */
const OPENAI_IMAGES: readonly (readonly [model: RegExp, tokens: number])[] = [
  [/^gpt-4o-mini/, 2833 + 8 * 5667],
  [/^(?:gpt-4\.1-mini|gpt-5-mini)/, Math.ceil(1536 * 1.62)],
  [/^(?:gpt-4\.1-nano|gpt-5-nano)/, Math.ceil(1536 * 2.46)],
  [/^o4-mini/, Math.ceil(1536 * 1.72)],
  [/^(?:gpt-4o|gpt-4\.1|gpt-4\.5|gpt-4-turbo)/, 85 + 8 * 170],
  [/^gpt-5(?:-(?:chat|codex|20)|$)/, 85 + 8 * 170],
  [/^o[13]/, 75 + 8 * 150],
]
const OPENAI_IMAGE_MOST = 2833 + 8 * 5667

/** The rules of a target. An unknown server counts as an engine, whose rules are the widest for text. */
export function promptRules(target: BoundTarget): PromptRules {
  const rules = familyRules(target)
  return target.templateTokens === undefined ? rules : { ...rules, templateTokens: target.templateTokens }
}

function familyRules(target: BoundTarget): PromptRules {
  switch (target.kind) {
    case 'openai':
      if (target.isHostedOpenAi !== true) return ENGINE
      return { ...OPENAI, imageTokens: openAiImageTokens(target.model) }
    case 'anthropic':
      return ANTHROPIC
    case 'google':
      return GOOGLE
    case 'vllm':
    case 'tgi':
    case 'simulated':
    case 'embedded':
      return ENGINE
    default:
      return target.kind satisfies never
  }
}

function openAiImageTokens(model: string): number {
  return OPENAI_IMAGES.find(([name]) => name.test(model))?.[1] ?? OPENAI_IMAGE_MOST
}
