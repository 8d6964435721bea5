import type { ChatRequest, ReasoningEffort, Thinking } from '../../protocol/request.ts'
import type { Block } from './encode-messages.ts'
import { forcesTool } from './encode-tools.ts'
import type { ModelTraits } from './model-traits.ts'
import { unsupported } from './unsupported.ts'

/** Least budget that the API takes (extended thinking guide). */
const LEAST_BUDGET = 1024
/** Budgets that an effort stands for at models that know budgets alone. */
const BUDGETS: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_000,
  max: 32_000,
}
/** With it thinking may take more than one answer's cap, between tool calls. */
export const INTERLEAVED = 'interleaved-thinking-2025-05-14'

export interface EncodedThinking {
  readonly thinking?: Block
  readonly effort?: string
}

/**
 * Thinking and effort. A caller's own `thinking` is obeyed or refused; `reasoning_effort`, which is a wish, gives way to a forced
 * tool and to a short answer. Both give way to an open tool call of another model, whose thinking Anthropic did not sign. What gave
 * way is named in `dropped`.
 */
export function encodeThinking(
  request: ChatRequest,
  traits: ModelTraits,
  maxTokens: number,
  dropped: Set<string>,
): EncodedThinking {
  const { thinking, reasoningEffort: effort } = request
  const wished = effortOf(effort, traits)
  if (thinking !== undefined) return { ...own(request, thinking, traits, maxTokens, dropped), ...wished }
  if (effort === undefined) return {}
  if (effort === 'none') return traits.thinking === 'none' ? {} : { thinking: { type: 'disabled' } }
  const isForced = forcesTool(request.toolChoice)
  if (traits.thinking === 'adaptive') return isForced ? wished : { thinking: { type: 'adaptive' }, ...wished }
  const budget = Math.min(BUDGETS[effort], Math.floor(maxTokens / 2))
  if (traits.thinking === 'budget' && !isForced && budget >= LEAST_BUDGET && !hasUnsignedCall(request))
    return { thinking: { type: 'enabled', budget_tokens: budget }, ...wished }
  if (!traits.hasEffort) dropped.add('reasoning_effort')
  return wished
}

function own(
  request: ChatRequest,
  thinking: Thinking,
  traits: ModelTraits,
  maxTokens: number,
  dropped: Set<string>,
): EncodedThinking {
  if (thinking.type === 'disabled') return traits.thinking === 'none' ? {} : { thinking: { type: 'disabled' } }
  if (traits.thinking === 'none') throw unsupported('thinking', 'Thinking begins with Claude 3.7.')
  if (forcesTool(request.toolChoice))
    throw unsupported('tool_choice', 'With thinking it cannot be made to call a tool; use "auto".')
  if (traits.thinking === 'adaptive') {
    const effort = thinking.budgetTokens === undefined ? undefined : effortFor(thinking.budgetTokens)
    return { thinking: { type: 'adaptive', ...shown(thinking, traits) }, ...(effort === undefined ? {} : { effort }) }
  }
  const isInterleaved = request.betas?.includes(INTERLEAVED) === true
  const most = isInterleaved ? Number.MAX_SAFE_INTEGER : maxTokens - 1
  const budget = thinking.budgetTokens ?? Math.min(BUDGETS.medium, most)
  if (budget < LEAST_BUDGET || budget > most)
    throw unsupported('thinking', `Its budget is at least ${LEAST_BUDGET} and below max_tokens (${maxTokens}).`)
  if (!hasUnsignedCall(request))
    return { thinking: { type: 'enabled', budget_tokens: budget, ...shown(thinking, traits) } }
  dropped.add('thinking')
  return {}
}

/** Whether the text of the thinking is wanted. Unsaid stays unsaid: the models' own defaults differ. Older ones show it always, and the answer's writer leaves it out. */
function shown({ display }: Thinking, { hasDisplay }: ModelTraits): Block {
  return display === undefined || !hasDisplay ? {} : { display }
}

/** The effort that comes nearest to a budget, for models that know no budgets. */
function effortFor(budget: number): string {
  return budget <= BUDGETS.low ? 'low' : budget <= BUDGETS.medium ? 'medium' : 'high'
}

function effortOf(effort: ReasoningEffort | undefined, traits: ModelTraits): EncodedThinking {
  if (effort === undefined || effort === 'none' || !traits.hasEffort) return {}
  if (effort === 'minimal') return { effort: 'low' }
  if (effort === 'xhigh' || effort === 'max') return { effort: traits.hasXhigh ? effort : 'high' }
  return { effort }
}

/** A tool call is open whose thinking is not here: with a thinking budget the API refuses the conversation. */
function hasUnsignedCall({ messages }: ChatRequest): boolean {
  const last = messages.findLast(({ role }) => role !== 'tool')
  if (last?.role !== 'assistant' || (last.toolCalls?.length ?? 0) === 0) return false
  return last.reasoning?.some(({ signedBy }) => signedBy === 'anthropic') !== true
}
