import type { Message, ReasoningPart, Signer, TextPart, ToolCall } from '../request.ts'

type AssistantMessage = Extract<Message, { role: 'assistant' }>

interface Draft {
  readonly reasoning: ReasoningPart[]
  readonly content: TextPart[]
  readonly toolCalls: ToolCall[]
}

/**
 * One turn of the assistant. The internal model's message has thinking, then text, then calls; where blocks came in another order a
 * message ends and the next begins, so that the order is kept. Only after a call it cannot be: a call's results must follow it.
 */
export class AssistantTurn {
  /** Ids of the calls so far, and where each stands. */
  readonly calls: Map<string, string> = new Map()
  readonly #done: AssistantMessage[] = []
  #draft: Draft = emptyDraft()
  #isEmpty = true
  #callSignature: { readonly signature: string; readonly signedBy: Signer } | undefined

  /** Another message of the same role begins. */
  next(): void {
    if (!this.#isEmpty && this.calls.size === 0) this.#split()
    this.#isEmpty = false
  }

  reasoning(part: ReasoningPart): void {
    if (this.#draft.content.length > 0 && this.calls.size === 0) this.#split()
    this.#draft.reasoning.push(part)
  }

  text(part: TextPart): void {
    this.#draft.content.push(part)
  }

  /** The signature of the next call. */
  callSignature(signature: string, signedBy: Signer): void {
    this.#callSignature = { signature, signedBy }
  }

  call(call: ToolCall, where: string): void {
    this.calls.set(call.id, where)
    this.#draft.toolCalls.push({ ...call, ...this.#callSignature })
    this.#callSignature = undefined
  }

  messages(): readonly AssistantMessage[] {
    this.#split()
    return this.#done
  }

  #split(): void {
    const { reasoning, content, toolCalls } = this.#draft
    this.#done.push({
      role: 'assistant',
      content: content.length > 0 ? content : toolCalls.length > 0 || reasoning.length > 0 ? null : '',
      ...(toolCalls.length === 0 ? {} : { toolCalls }),
      ...(reasoning.length === 0 ? {} : { reasoning }),
    })
    this.#draft = emptyDraft()
  }
}

function emptyDraft(): Draft {
  return { reasoning: [], content: [], toolCalls: [] }
}
