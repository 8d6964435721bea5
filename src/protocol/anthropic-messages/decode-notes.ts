import type { Message, Tool } from '../request.ts'

/** JSON that an OpenAI body has around a tool, a call and a system prompt and this dialect's has not, bytes. */
const TOOL_BYTES = 40
const CALL_BYTES = 32
const BODY_BYTES = 64

/** What one decoding gathers beside its result. */
export class DecodeNotes {
  /** Characters of text so far, so that a prompt no model can take is refused before it is routed. */
  chars = 0
  /** Bytes of tool input that our own JSON is longer than the caller's may have been. */
  inputGrowth = 0
  readonly #dropped: Set<string>
  readonly #hints = new Set<string>()

  constructor(dropped: readonly string[]) {
    this.#dropped = new Set(dropped)
  }

  metered(text: string): string {
    this.chars += text.length
    return text
  }

  /** `inner` is a caller's own name inside `field`. */
  drop(field: string, inner?: string): void {
    this.#dropped.add(inner === undefined ? field : `${field}.${inner}`)
  }

  dropped(): readonly string[] {
    return [...this.#dropped]
  }

  /** Something that only Anthropic's API has a word for. */
  hint(field: string): void {
    this.#hints.add(field)
  }

  hints(): readonly string[] {
    return [...this.#hints]
  }

  /**
   * What an OpenAI body that says the same may be longer than the one that came. Prompts are bounded by the bytes of a body
   * (`ChatRequest.bodyBytes`), and templates print tools and calls in OpenAI's form.
   */
  growth(messages: readonly Message[], tools: readonly Tool[]): number {
    let calls = 0
    for (const message of messages) if (message.role === 'assistant') calls += message.toolCalls?.length ?? 0
    return BODY_BYTES + this.inputGrowth + tools.length * TOOL_BYTES + calls * CALL_BYTES
  }
}
