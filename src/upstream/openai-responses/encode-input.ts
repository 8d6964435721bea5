import type { Message, ReasoningPart, ToolCall, UserPart } from '../../protocol/request.ts'
import { unsupported } from './unsupported.ts'

export type Item = Record<string, unknown>
type Assistant = Extract<Message, { role: 'assistant' }>

/** Messages as input items, in their order: of an answer first its reasoning, then its text, then its calls. */
export function encodeInput(messages: readonly Message[], dropped: Set<string>): readonly Item[] {
  const customIds = new Set(
    messages.flatMap((message) =>
      message.role === 'assistant'
        ? (message.toolCalls ?? []).filter(({ kind }) => kind === 'custom').map(({ id }) => id)
        : [],
    ),
  )
  return messages.flatMap((message, at): readonly Item[] => {
    if ('name' in message && message.name !== undefined) dropped.add('messages.name')
    switch (message.role) {
      case 'system':
      case 'developer':
      case 'user':
        return [{ role: message.role, content: contentOf(message.content, `messages[${at}]`) }]
      case 'tool':
        return [
          {
            type: customIds.has(message.toolCallId) ? 'custom_tool_call_output' : 'function_call_output',
            call_id: message.toolCallId,
            output: contentOf(message.content, `messages[${at}]`),
          },
        ]
      case 'assistant':
        return assistantItems(message, `messages[${at}]`, dropped)
      default:
        return message satisfies never
    }
  })
}

function assistantItems(message: Assistant, at: string, dropped: Set<string>): readonly Item[] {
  if (message.audioId !== undefined)
    throw unsupported(`${at}.audio`, 'An answer in sound is known to chat completions alone.')
  const reasoning = (message.reasoning ?? []).flatMap((part) => reasoningItem(part, dropped))
  const parts =
    typeof message.content === 'string' ? [{ type: 'text' as const, text: message.content }] : (message.content ?? [])
  const content: Item[] = parts.flatMap((part) => {
    if (part.text === '') return []
    return [part.type === 'text' ? { type: 'output_text', text: part.text } : { type: 'refusal', refusal: part.text }]
  })
  if (message.refusal !== undefined && message.refusal !== '')
    content.push({ type: 'refusal', refusal: message.refusal })
  const phase = message.phase === undefined ? {} : { phase: message.phase }
  const text = content.length === 0 ? [] : [{ type: 'message', role: 'assistant', content, ...phase }]
  return [...reasoning, ...text, ...(message.toolCalls ?? []).map((call) => callItem(call, dropped))]
}

/** Only what OpenAI encrypted can go back: nothing is stored there, so that an id alone points nowhere. */
function reasoningItem(part: ReasoningPart, dropped: Set<string>): readonly Item[] {
  if (part.signedBy !== 'openai' || part.signature === undefined) {
    dropped.add('messages.reasoning')
    return []
  }
  return [
    {
      type: 'reasoning',
      ...(part.id === undefined ? {} : { id: part.id }),
      summary: part.text === '' ? [] : [{ type: 'summary_text', text: part.text }],
      encrypted_content: part.signature,
    },
  ]
}

function callItem(call: ToolCall, dropped: Set<string>): Item {
  // Another provider's signature of a call means nothing here.
  if (call.signature !== undefined) dropped.add('messages.signature')
  return call.kind === 'custom'
    ? { type: 'custom_tool_call', call_id: call.id, name: call.name, input: call.arguments }
    : { type: 'function_call', call_id: call.id, name: call.name, arguments: call.arguments }
}

function contentOf(content: string | readonly UserPart[], at: string): string | readonly Item[] {
  return typeof content === 'string'
    ? content
    : content.map((part, index) => encodePart(part, `${at}.content[${index}]`))
}

function encodePart(part: UserPart, at: string): Item {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image':
      return { type: 'input_image', image_url: part.url, detail: part.detail ?? 'auto' }
    case 'file':
      return {
        type: 'input_file',
        ...(part.fileId === undefined ? {} : { file_id: part.fileId }),
        ...(part.filename === undefined ? {} : { filename: part.filename }),
        ...(part.data === undefined ? {} : { file_data: part.data }),
        ...(part.url === undefined ? {} : { file_url: part.url }),
      }
    case 'audio':
      throw unsupported(at, 'It does not hear; send a transcript.')
    default:
      return part satisfies never
  }
}
