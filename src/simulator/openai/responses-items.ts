/** Items of a response as they are in the end, and the response around them (Responses API reference, 2026). Pure. */
import type { SimChoice } from '../compose.ts'
import { sign } from '../signature.ts'
import { wholeInput, type UsedTokens } from '../used-tokens.ts'
import { wantsEncrypted, type ResponsesBody } from './responses-body.ts'

export interface ResponseContext {
  /** Letters that its ids end with. */
  readonly id: string
  /** Unix seconds. */
  readonly created: number
  readonly body: ResponsesBody
}

export type Status = 'in_progress' | 'completed' | 'incomplete' | 'failed'
type Call = SimChoice['toolCalls'][number]

export function isCustom({ body }: ResponseContext, { name }: Call): boolean {
  return body.tools?.some((tool) => tool.type === 'custom' && tool.name === name) === true
}

/** What was thought, as a summary where one was asked for; encrypted, that it can come back. */
export function reasoningItem({ id, body }: ResponseContext, thought: string): object {
  return {
    id: `rs_${id}`,
    type: 'reasoning',
    summary: hasSummary(body) && thought !== '' ? [{ type: 'summary_text', text: thought }] : [],
    ...(wantsEncrypted(body) ? { encrypted_content: sign('openai', thought) } : {}),
  }
}

export function hasSummary({ reasoning }: ResponsesBody): boolean {
  return reasoning?.summary != null
}

export function textPart(text: string, logprobs: readonly object[] = []): object {
  return { type: 'output_text', annotations: [], logprobs, text }
}

export function refusalPart(refusal: string): object {
  return { type: 'refusal', refusal }
}

export function messageItem({ id }: ResponseContext, status: Status, content: readonly object[]): object {
  return { id: `msg_${id}`, type: 'message', status, content, role: 'assistant' }
}

/** `text` is a function's arguments or a custom tool's input, as far as it is said. */
export function callItem(context: ResponseContext, call: Call, status: Status, text: string): object {
  const { name, id } = call
  return isCustom(context, call)
    ? { id: `ctc_${id}`, type: 'custom_tool_call', status, call_id: id, input: text, name }
    : { id: `fc_${id}`, type: 'function_call', status, arguments: text, call_id: id, name }
}

/** What a call says: its arguments, or the free text of a custom tool. */
export function saidBy(context: ResponseContext, call: Call): string {
  if (!isCustom(context, call)) return call.arguments
  try {
    return String(JSON.parse(call.arguments))
  } catch {
    return call.arguments
  }
}

export function usageOf({ input, output }: UsedTokens): object {
  const prompt = wholeInput(input)
  const generated = output.visible + output.thinking
  return {
    input_tokens: prompt,
    input_tokens_details: { cached_tokens: input.cachedRead },
    output_tokens: generated,
    output_tokens_details: { reasoning_tokens: output.thinking },
    total_tokens: prompt + generated,
  }
}

export function statusOf({ finish }: SimChoice): Extract<Status, 'completed' | 'incomplete'> {
  return finish === 'length' || finish === 'safety' ? 'incomplete' : 'completed'
}

export function responseOf(
  { id, created, body }: ResponseContext,
  status: Status,
  output: readonly object[],
  more: { readonly usage?: object; readonly error?: object; readonly reason?: string } = {},
): object {
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: created,
    status,
    background: false,
    error: more.error ?? null,
    incomplete_details: more.reason === undefined ? null : { reason: more.reason },
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: null,
    model: body.model,
    output,
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: null,
    prompt_cache_key: null,
    reasoning: { effort: body.reasoning?.effort ?? null, summary: body.reasoning?.summary ?? null },
    safety_identifier: null,
    service_tier: status === 'in_progress' ? 'auto' : 'default',
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: { format: body.text?.format ?? { type: 'text' }, verbosity: body.text?.verbosity ?? 'medium' },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_logprobs: body.top_logprobs ?? 0,
    top_p: body.top_p ?? 1,
    truncation: 'disabled',
    usage: more.usage ?? null,
    user: null,
    metadata: {},
  }
}

/** Why an answer is not whole; undefined = it is. */
export function reasonOf({ finish }: SimChoice): string | undefined {
  if (finish === 'length') return 'max_output_tokens'
  return finish === 'safety' ? 'content_filter' : undefined
}
