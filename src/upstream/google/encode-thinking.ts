/** How much a model shall think, as `thinkingConfig` (Gemini API docs, thinking). Thoughts are shown where thinking was asked for. */
import type { ChatRequest, JsonObject, ReasoningEffort } from '../../protocol/request.ts'
import type { ModelFamily } from './model-family.ts'
import { unsupported } from './unsupported.ts'

/** Tokens for each effort, as Google's own OpenAI-compatible endpoint takes them; `most` is the family's largest budget. */
const BUDGETS: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number | 'most'>> = {
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 'most',
  max: 'most',
}
/** The largest and smallest budgets of 2.5 Pro; Flash ends at 24,576 and may be told not to think. */
const PRO_MOST = 32_768
const PRO_LEAST = 128
const FLASH_MOST = 24_576
const FLASH_LITE_LEAST = 512

export function encodeThinking(
  { reasoningEffort, thinking }: ChatRequest,
  model: string,
  family: ModelFamily,
  dropped: Set<string>,
): JsonObject | undefined {
  if (thinking !== undefined) {
    switch (thinking.type) {
      case 'disabled':
        return least('thinking', model, family, dropped)
      case 'adaptive':
        if (family.thinking === 'none') return none('thinking', dropped)
        // -1 leaves it to the model, which is what the newer ones do anyway.
        return { includeThoughts: true, ...(family.thinking === 'budget' ? { thinkingBudget: -1 } : {}) }
      case 'enabled':
        if (family.thinking === 'none') throw unsupported('thinking', 'Ask a model that thinks.')
        return {
          includeThoughts: true,
          ...(thinking.budgetTokens === undefined ? {} : { thinkingBudget: within(thinking.budgetTokens, family) }),
        }
      default:
        return thinking.type satisfies never
    }
  }
  if (reasoningEffort === undefined) return undefined
  if (reasoningEffort === 'none') return least('reasoning_effort', model, family, dropped)
  switch (family.thinking) {
    case 'none':
      throw unsupported('reasoning_effort', 'Ask a model that thinks.')
    case 'budget': {
      const budget = BUDGETS[reasoningEffort]
      return { includeThoughts: true, thinkingBudget: within(budget === 'most' ? PRO_MOST : budget, family) }
    }
    case 'level':
      return { includeThoughts: true, thinkingLevel: levelOf(reasoningEffort, model, family) }
    default:
      return family.thinking satisfies never
  }
}

function within(budget: number, { isPro, thinking }: ModelFamily): number {
  if (thinking !== 'budget') return budget
  return Math.min(Math.max(budget, isPro ? PRO_LEAST : FLASH_LITE_LEAST), isPro ? PRO_MOST : FLASH_MOST)
}

/** Not to think: the least that the model can do, and said so where that is not nothing. */
function least(name: string, model: string, family: ModelFamily, dropped: Set<string>): JsonObject | undefined {
  if (family.thinking === 'none') return undefined
  if (family.alwaysThinks) dropped.add(name)
  if (family.thinking === 'budget') return { thinkingBudget: family.isPro ? PRO_LEAST : 0 }
  return { thinkingLevel: levelOf('minimal', model, family) }
}

function none(name: string, dropped: Set<string>): undefined {
  dropped.add(name)
  return undefined
}

/** The large models know no `minimal`, and the first of them (3 Pro) no `medium`: the next higher level counts. */
function levelOf(effort: Exclude<ReasoningEffort, 'none'>, model: string, { isPro }: ModelFamily): string {
  switch (effort) {
    case 'minimal':
      return isPro ? 'low' : 'minimal'
    case 'low':
      return 'low'
    case 'medium':
      return /gemini-3-pro/.test(model) ? 'high' : 'medium'
    case 'high':
    case 'xhigh':
    case 'max':
      return 'high'
    default:
      return effort satisfies never
  }
}
