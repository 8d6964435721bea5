/** Messages as Gemini's `systemInstruction` and `contents` (Gemini API, `Content` and `Part`, v1beta). */
import type { Json, JsonObject, Message, TextPart, ToolCall, UserPart } from '../../protocol/request.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { encodeAudio, encodeFile, encodeImage } from './encode-media.ts'
import type { ModelFamily } from './model-family.ts'
import { unsupported } from './unsupported.ts'

export interface Contents {
  readonly systemInstruction?: JsonObject
  readonly contents: readonly JsonObject[]
}

type Part = { [key: string]: Json }
interface Content {
  readonly role: 'user' | 'model'
  readonly parts: Part[]
  /** Results of functions: those of one turn stand together and alone, as many as were called. */
  readonly isResults?: boolean
}

/**
 * What Google tells to send with a function call that another model made: its own signature cannot be there, and Gemini 3 refuses
 * a call without one (Gemini API docs, thought signatures, FAQ).
 */
const FOREIGN_CALL = 'skip_thought_signature_validator'
/** A turn without a text is refused; a blank says as little. */
const NOTHING = ' '

/** `dropped` gets the names of what is left out. */
export function encodeContents(messages: readonly Message[], family: ModelFamily, dropped: Set<string>): Contents {
  const system: Part[] = []
  const contents: Content[] = []
  /** Gemini wants the function's name with its result; the transcript has it at the call. */
  const names = new Map<string, string>()
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    if ('name' in message && message.name !== undefined) dropped.add('messages.name')
    switch (message.role) {
      case 'system':
      case 'developer':
        system.push(...texts(message.content))
        break
      case 'user':
        contents.push({ role: 'user', parts: orNothing(userParts(message.content, at, dropped)) })
        break
      case 'assistant': {
        for (const call of message.toolCalls ?? []) names.set(call.id, call.name)
        const parts = modelParts(message, at, family, dropped)
        if (parts.length > 0) contents.push({ role: 'model', parts })
        break
      }
      case 'tool': {
        const last = contents.at(-1)
        const parts = resultParts(message, at, names.get(message.toolCallId), family, dropped)
        if (last?.isResults === true) last.parts.push(...parts)
        else contents.push({ role: 'user', parts, isResults: true })
        break
      }
      default:
        message satisfies never
    }
  }
  // A request of instructions alone: the API wants a turn, so that they are it.
  if (contents.length === 0) return { contents: [{ role: 'user', parts: orNothing(system) }] }
  return {
    ...(system.length === 0 ? {} : { systemInstruction: { parts: system } }),
    contents: contents.map(({ role, parts }) => ({ role, parts })),
  }
}

function orNothing(parts: Part[]): Part[] {
  return parts.length === 0 ? [{ text: NOTHING }] : parts
}

function texts(content: string | readonly TextPart[]): Part[] {
  const list = typeof content === 'string' ? [content] : content.map((part) => part.text)
  return list.filter((text) => text !== '').map((text) => ({ text }))
}

function userParts(content: string | readonly UserPart[], at: string, dropped: Set<string>): Part[] {
  if (typeof content === 'string') return texts(content)
  return content.flatMap((part, index): Part[] => {
    const where = `${at}.content[${index}]`
    switch (part.type) {
      case 'text':
        return texts(part.text)
      case 'image':
        noteDetail(part.detail, dropped)
        return [encodeImage(part, `${where}.image_url.url`)]
      case 'audio':
        return [encodeAudio(part)]
      case 'file':
        // A part has no name there.
        if (part.filename !== undefined) dropped.add('messages.file.filename')
        return [encodeFile(part, `${where}.file`)]
      default:
        return part satisfies never
    }
  })
}

function noteDetail(detail: string | undefined, dropped: Set<string>): void {
  if (detail !== undefined && detail !== 'auto') dropped.add('messages.image_url.detail')
}

/** Thoughts, text and calls, in the order in which Gemini says them. */
function modelParts(
  message: Extract<Message, { role: 'assistant' }>,
  at: string,
  family: ModelFamily,
  dropped: Set<string>,
): Part[] {
  if (message.audioId !== undefined) throw unsupported(`${at}.audio`)
  const thoughts: Part[] = []
  /** A signature that came with the answer's text, or with none. */
  let ofText: string | undefined
  for (const { text, signature, redacted, signedBy } of message.reasoning ?? []) {
    if (signedBy !== undefined && signedBy !== 'google') {
      dropped.add('messages.reasoning')
      continue
    }
    if (redacted !== undefined) dropped.add('messages.reasoning')
    if (text === '') ofText = signature ?? ofText
    else thoughts.push({ text, thought: true, ...(signature === undefined ? {} : { thoughtSignature: signature }) })
  }
  const { content } = message
  const said = content === null ? [] : texts(typeof content === 'string' ? content : content.map(asText))
  if (message.refusal !== undefined && message.refusal !== '') said.push({ text: message.refusal })
  if (ofText !== undefined) {
    const last = said.at(-1)
    if (last === undefined) said.push({ text: '', thoughtSignature: ofText })
    else last['thoughtSignature'] = ofText
  }
  return [...thoughts, ...said, ...callParts(message.toolCalls ?? [], at, family, dropped)]
}

function asText(part: { readonly text: string }): TextPart {
  return { type: 'text', text: part.text }
}

function callParts(calls: readonly ToolCall[], at: string, family: ModelFamily, dropped: Set<string>): Part[] {
  const isForeign = !calls.some((call) => call.signature !== undefined && call.signedBy === 'google')
  return calls.map((call, index) => {
    const where = `${at}.tool_calls[${index}]`
    if (call.kind === 'custom') throw unsupported(`${where}.type`, 'Only functions can be called.')
    if (call.signature !== undefined && call.signedBy !== 'google') dropped.add('messages.signature')
    const own = call.signedBy === 'google' ? call.signature : undefined
    // Of calls that were made at once the first carries the signature.
    const signature = own ?? (isForeign && index === 0 && family.needsSignatures ? FOREIGN_CALL : undefined)
    return {
      functionCall: { id: call.id, name: call.name, args: argumentsOf(call, where) },
      ...(signature === undefined ? {} : { thoughtSignature: signature }),
    }
  })
}

/** Gemini holds arguments as an object, so that a text that is none cannot be said there. */
function argumentsOf(call: ToolCall, where: string): JsonObject {
  if (call.arguments.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(call.arguments)
  } catch {
    value = undefined
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw new SwitchyardError(
    'unsupported_value',
    `'${where}.function.arguments' is not a JSON object, and the Google model that this request went to takes nothing else. Mend it, or take the call and its result out of the conversation.`,
    { param: `${where}.function.arguments` },
  )
}

function resultParts(
  message: Extract<Message, { role: 'tool' }>,
  at: string,
  name: string | undefined,
  family: ModelFamily,
  dropped: Set<string>,
): Part[] {
  if (name === undefined)
    throw new SwitchyardError(
      'unsupported_value',
      `'${at}.tool_call_id' is the id of no earlier call, and a Google model needs the name of the function. Send the call, too.`,
      { param: `${at}.tool_call_id` },
    )
  const { content } = message
  const media: Part[] = []
  const said: string[] = []
  for (const [index, part] of (typeof content === 'string' ? [] : content).entries()) {
    if (part.type === 'text') said.push(part.text)
    else {
      noteDetail(part.detail, dropped)
      media.push(encodeImage(part, `${at}.content[${index}].image_url.url`))
    }
  }
  const text = typeof content === 'string' ? content : said.join('\n')
  const response = { [message.isError === true ? 'error' : 'output']: text }
  const result: Part = { id: message.toolCallId, name, response }
  if (media.length === 0) return [{ functionResponse: result }]
  if (family.takesMediaResults) return [{ functionResponse: { ...result, parts: media } }]
  return [{ functionResponse: result }, ...media]
}
