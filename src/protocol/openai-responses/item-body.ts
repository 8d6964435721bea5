import type { Json, JsonObject, TextPart, UserPart } from '../request.ts'
import { showCallSignature, showEncrypted } from './encrypted-content.ts'
import type { Item } from './item.ts'

/** An item in the API's own form, as it is kept and listed. `id` is used where it has none of its own. */
export function itemBody(item: Item, id: string): JsonObject {
  const own = item.id ?? id
  switch (item.type) {
    case 'message':
      return {
        type: 'message',
        id: own,
        status: 'completed',
        role: item.role,
        content: contentOf(item),
        ...(item.role !== 'assistant' || item.phase === undefined ? {} : { phase: item.phase }),
      }
    case 'call': {
      const { call } = item
      const base = { id: own, call_id: call.id, name: call.name }
      return call.kind === 'custom'
        ? { type: 'custom_tool_call', ...base, input: call.arguments }
        : { type: 'function_call', ...base, arguments: call.arguments, status: 'completed' }
    }
    case 'output':
      return {
        type: item.kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output',
        id: own,
        call_id: item.callId,
        output: typeof item.content === 'string' ? item.content : item.content.map(inputPart),
      }
    case 'reasoning': {
      const { part } = item
      const encrypted = showEncrypted(part)
      const isOpen = part.signedBy !== 'openai' && part.text !== ''
      return {
        type: 'reasoning',
        id: part.id ?? own,
        summary: isOpen || part.text === '' ? [] : [{ type: 'summary_text', text: part.text }],
        ...(isOpen ? { content: [{ type: 'reasoning_text', text: part.text }] } : {}),
        ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
      }
    }
    case 'call-signature': {
      const { callId, signature, signedBy } = item
      return {
        type: 'reasoning',
        id: own,
        summary: [],
        encrypted_content: showCallSignature(callId, signature, signedBy),
      }
    }
    default:
      return item satisfies never
  }
}

function contentOf(item: Extract<Item, { type: 'message' }>): Json {
  if (item.role !== 'assistant')
    return typeof item.content === 'string'
      ? [inputPart({ type: 'text', text: item.content })]
      : item.content.map(inputPart)
  const parts = typeof item.content === 'string' ? [{ type: 'text' as const, text: item.content }] : item.content
  return parts.map((part) => (part.type === 'refusal' ? { type: 'refusal', refusal: part.text } : outputText(part)))
}

function outputText({ text }: TextPart): JsonObject {
  return { type: 'output_text', text, annotations: [] }
}

function inputPart(part: UserPart): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image':
      return { type: 'input_image', image_url: part.url, detail: part.detail ?? 'auto' }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } }
    case 'file':
      return {
        type: 'input_file',
        ...(part.fileId === undefined ? {} : { file_id: part.fileId }),
        ...(part.filename === undefined ? {} : { filename: part.filename }),
        ...(part.data === undefined ? {} : { file_data: part.data }),
      }
    default:
      return part satisfies never
  }
}
