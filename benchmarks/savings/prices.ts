/** The pairs, their prices in US dollars per million tokens, and the lengths that no source has. */
import type { CascadePair } from '../support/cascade-score.ts'

export const SETS = ['routerbench_subset', 'routellm_mmlu', 'routellm_gsm8k', 'bfcl_v1', 'cascade_zeroeval'] as const
export type SetName = (typeof SETS)[number]

export interface ListPrice {
  readonly inputPerM: number
  readonly outputPerM: number
}

/** What a small open model of 4 to 16 billion parameters costs at a host (Fireworks' serverless list). */
const SMALL_OPEN: ListPrice = { inputPerM: 0.2, outputPerM: 0.2 }
/** Mixtral 8x7B at Together, as RouterBench counted it. */
const MIXTRAL: ListPrice = { inputPerM: 0.6, outputPerM: 0.6 }
/** Claude 3.5 Sonnet, either date. */
const SONNET: ListPrice = { inputPerM: 3, outputPerM: 15 }

/** List prices of the time at which the outcomes were recorded. */
export const PRICES: Readonly<Record<string, ListPrice>> = {
  'gpt-4-1106-preview': { inputPerM: 10, outputPerM: 30 },
  'mixtral-8x7b-chat': MIXTRAL,
  'mixtral-8x7b-instruct-v0.1': MIXTRAL,
  'claude-3-5-sonnet-20240620': SONNET,
  'claude-3-5-sonnet-20241022': SONNET,
  'llama-3-8b-instruct': SMALL_OPEN,
  'Meta-Llama-3.1-8B-Instruct': SMALL_OPEN,
  'gemma-2-9b-it': SMALL_OPEN,
  'Qwen2-7B-Instruct': SMALL_OPEN,
}

/** Tokens of an answer where neither length nor cost is recorded, the same for both models: a letter with its option, a call of a tool. */
export const UNRECORDED_TOKENS: Readonly<Record<SetName, number>> = {
  routerbench_subset: 100,
  routellm_mmlu: 16,
  routellm_gsm8k: 100,
  bfcl_v1: 60,
  cascade_zeroeval: 200,
}

/** Where a folder has no `pairs.json`. */
export const PAIRS: Readonly<Record<SetName, CascadePair>> = {
  routerbench_subset: { weak: 'mixtral-8x7b-chat', strong: 'gpt-4-1106-preview', second_opinion: [] },
  routellm_mmlu: { weak: 'mixtral-8x7b-instruct-v0.1', strong: 'gpt-4-1106-preview', second_opinion: [] },
  routellm_gsm8k: { weak: 'mixtral-8x7b-instruct-v0.1', strong: 'gpt-4-1106-preview', second_opinion: [] },
  bfcl_v1: { weak: 'llama-3-8b-instruct', strong: 'claude-3-5-sonnet-20240620', second_opinion: [] },
  cascade_zeroeval: {
    weak: 'Meta-Llama-3.1-8B-Instruct',
    strong: 'claude-3-5-sonnet-20241022',
    second_opinion: ['gemma-2-9b-it', 'Qwen2-7B-Instruct'],
  },
}
