import { refuse } from '../check.ts'
import type { Message, Phase, ReasoningPart, ToolCall } from '../request.ts'
import type { Item } from './item.ts'

type Assistant = Extract<Message, { role: 'assistant' }>
type Result = Extract<Message, { role: 'tool' }>

/** One answer of the model, put together from its items, and the results of its calls. */
interface Turn {
  content: Assistant['content']
  phase: Phase | undefined
  readonly calls: ToolCall[]
  readonly reasoning: ReasoningPart[]
  readonly results: Result[]
}

/**
 * Items to messages. The items of one answer (reasoning, text, calls) become one message; results of calls follow the message with
 * their calls, wherever they stand in the input. Throws where a result has no call, or a call no result.
 */
export function toMessages(items: readonly Item[]): Message[] {
  const turns: (Turn | Message)[] = []
  const callers = new Map<string, Turn>()
  const signatures = new Map(items.flatMap((item) => (item.type === 'call-signature' ? [[item.callId, item]] : [])))
  let open: Turn | undefined
  const turn = (isFresh: (turn: Turn) => boolean): Turn => {
    if (open !== undefined && isFresh(open)) return open
    open = { content: null, phase: undefined, calls: [], reasoning: [], results: [] }
    turns.push(open)
    return open
  }
  for (const item of items) {
    switch (item.type) {
      case 'message':
        if (item.role === 'assistant') {
          const said = turn(({ content, calls }) => content === null && calls.length === 0)
          said.content = item.content
          said.phase = item.phase
        } else {
          open = undefined
          turns.push(messageOf(item))
        }
        break
      case 'reasoning':
        turn(({ content, calls }) => content === null && calls.length === 0).reasoning.push(item.part)
        break
      case 'call': {
        const caller = turn(({ results }) => results.length === 0)
        const signed = signatures.get(item.call.id)
        caller.calls.push(
          signed === undefined ? item.call : { ...item.call, signature: signed.signature, signedBy: signed.signedBy },
        )
        callers.set(item.call.id, caller)
        break
      }
      case 'output': {
        const caller = callers.get(item.callId)
        if (caller === undefined)
          throw unmatched(`No tool call found for function call output with call_id ${shown(item.callId)}.`)
        caller.results.push({ role: 'tool', toolCallId: item.callId, content: item.content })
        open = undefined
        break
      }
      case 'call-signature':
        break
      default:
        item satisfies never
    }
  }
  return turns.flatMap((each) => ('role' in each ? [each] : messagesOf(each)))
}

function messageOf(item: Extract<Item, { type: 'message' }>): Message {
  if (item.role === 'user') return { role: item.role, content: item.content }
  return item.role === 'assistant'
    ? { role: item.role, content: item.content }
    : { role: item.role, content: item.content }
}

function messagesOf({ content, phase, calls, reasoning, results }: Turn): readonly Message[] {
  const answered = new Set(results.map((each) => each.toolCallId))
  for (const { id } of calls)
    if (!answered.has(id)) throw unmatched(`No tool output found for function call ${shown(id)}.`)
  const message: Assistant = {
    role: 'assistant',
    content: content ?? (calls.length > 0 ? null : ''),
    ...(calls.length === 0 ? {} : { toolCalls: calls }),
    ...(reasoning.length === 0 ? {} : { reasoning }),
    ...(phase === undefined ? {} : { phase }),
  }
  return [message, ...results]
}

function unmatched(sentence: string): Error {
  return refuse('invalid_value', 'input', sentence)
}

function shown(id: string): string {
  return id.slice(0, 64)
}
