import type { Target } from '../../gateway/steps.ts'
import type { EncodeSend } from '../../protocol/openai-chat/encode-request.ts'
import { PRICED_FIELDS } from '../../protocol/openai-chat/known-fields.ts'
import type { ChatRequest, Message } from '../../protocol/request.ts'
import type { EncodedRequest } from '../adapter.ts'
import { capFor, checkRequest, grammarOf, samplingInRange } from './checked-request.ts'
import { unsupported } from './unsupported.ts'

/**
 * The body of TGI's native route, for models without a chat template. The prompt is the texts of the messages in their order, joined
 * by line breaks and without a word of ours; a single message is the prompt byte for byte.
 */
export function encodeTgiGenerate(request: ChatRequest, target: Target, send: EncodeSend): EncodedRequest {
  const dropped = new Set([
    ...checkRequest(request, 'generate'),
    ...Object.keys(request.passed),
    ...unreadOf(request.messages),
  ])
  const { sampling, topLogprobs } = request
  const { temperature, topK, repetitionPenalty, frequencyPenalty, stop } = sampling
  const grammar = grammarOf(request.format, dropped)
  const parameters: Record<string, unknown> = {
    max_new_tokens: capFor(send.outputCap, target.contextTokens),
    details: true,
    return_full_text: false,
    // Without a word about sampling the route decodes greedily; a temperature of 0 means the same.
    ...(temperature === undefined || temperature === 0 ? {} : { temperature, do_sample: true }),
    ...samplingInRange(sampling),
    ...(topK === undefined || topK < 1 ? {} : { top_k: topK }),
    ...(repetitionPenalty === undefined ? {} : { repetition_penalty: repetitionPenalty }),
    ...(frequencyPenalty === undefined ? {} : { frequency_penalty: frequencyPenalty }),
    ...(stop === undefined ? {} : { stop }),
    ...(grammar === undefined ? {} : { grammar }),
    ...(topLogprobs === undefined || topLogprobs === 0 ? {} : { top_n_tokens: topLogprobs }),
  }
  for (const name of Object.keys(target.extraBody))
    if (!PRICED_FIELDS.has(name)) parameters[name] = target.extraBody[name]
  return {
    path: send.stream ? '/generate_stream' : '/generate',
    body: JSON.stringify({ inputs: promptOf(request.messages), parameters }),
    dropped: [...dropped],
  }
}

/** What stands beside the texts, of which the prompt is made. */
function unreadOf(messages: readonly Message[]): readonly string[] {
  return messages.flatMap((message) => [
    ...('name' in message && message.name !== undefined ? ['messages.name'] : []),
    ...(message.role === 'assistant' && message.reasoning !== undefined ? ['messages.reasoning'] : []),
  ])
}

function promptOf(messages: readonly Message[]): string {
  return messages
    .map((message, index) => {
      if (message.role === 'tool' || (message.role === 'assistant' && message.toolCalls !== undefined))
        throw unsupported('tools', 'Its model has no chat template (`models.X.api: generate`).')
      // What the model declined to do is what it said.
      const refusal = message.role === 'assistant' ? (message.refusal ?? '') : ''
      return textOf(message.content, `messages[${index}]`) + refusal
    })
    .join('\n')
}

function textOf(content: Message['content'], at: string): string {
  if (content === null) return ''
  if (typeof content === 'string') return content
  return content
    .map((part, index) => {
      if ('text' in part) return part.text
      throw unsupported(`${at}.content[${index}]`, 'Its model reads text alone (`models.X.api: generate`).')
    })
    .join('')
}
