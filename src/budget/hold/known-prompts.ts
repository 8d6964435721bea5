import { createHash, type Hash } from 'node:crypto'
import type { ChatRequest, Message } from '../../protocol/request.ts'
import type { RefinerTarget } from './token-refiner.ts'
import { walkedTokenBound } from './walked-bound.ts'

/** Beginnings that are remembered per task: agents that run side by side in one have transcripts of their own. */
const MOST = 64
/** Beginnings of one prompt: clients rewrite their last messages now and then, as with reminders that are meant for one call only. */
const PER_PROMPT = 4

interface Known {
  /** Of everything that makes the prompt up to this message. */
  readonly digest: string
  readonly messages: number
  /** Most tokens that it has, as the upstream counted and billed a prompt that begins with it. */
  readonly tokens: number
}

/**
 * What upstreams have counted of the prompts of one task. An agent sends its transcript again and again, longer by a few messages each
 * time: what was billed for the beginning, and the bytes of what is new, bound the whole, without asking a tokeniser.
 *
 * The prompt of a longer transcript begins as that of the shorter one did, or is shorter there: templates leave out reasoning of
 * earlier turns and the start of the answer, and add nothing to what has gone by. What a template adds by itself (`templateTokens`) is
 * counted twice. Where a provider edits the context itself, or what it does depends on fields that are not read here, nothing is known.
 * A beginning of what was billed has no more tokens than the whole either, unless its reasoning was left out for the sake of a turn that
 * it does not have any more: with reasoning only the whole counts.
 */
export class KnownPrompts {
  #known: readonly Known[] = []

  /** `tokens` = the whole prompt of the request as the upstream reported it. */
  note(request: ChatRequest, target: RefinerTarget, tokens: number): void {
    const head = headOf(request, target)
    if (head === undefined) return
    const hash = createHash('sha256').update(head)
    const first = request.messages.length - (request.messages.some(hasReasoning) ? 1 : PER_PROMPT)
    for (const [index, message] of request.messages.entries()) {
      add(hash, message)
      if (index >= first) this.#add({ digest: hash.copy().digest('base64'), messages: index + 1, tokens })
    }
  }

  /** Most tokens that the prompt of the request can have; undefined where no beginning of it is known. */
  bound(request: ChatRequest, target: RefinerTarget): number | undefined {
    const head = this.#known.length === 0 ? undefined : headOf(request, target)
    if (head === undefined) return undefined
    const { format: _format, ...rest } = request
    let least: number | undefined
    for (const { messages, tokens } of this.#beginningsOf(request, head)) {
      const added = { ...rest, messages: request.messages.slice(messages), tools: [] }
      const bound = tokens + walkedTokenBound(added, target).tokens
      if (least === undefined || bound < least) least = bound
    }
    return least
  }

  #beginningsOf(request: ChatRequest, head: string): readonly Known[] {
    const lengths = new Set(this.#known.map(({ messages }) => messages))
    const hash = createHash('sha256').update(head)
    const found: Known[] = []
    for (const [index, message] of request.messages.entries()) {
      add(hash, message)
      if (!lengths.has(index + 1)) continue
      const digest = hash.copy().digest('base64')
      const known = this.#known.find((each) => each.digest === digest)
      if (known !== undefined) found.push(known)
    }
    return found
  }

  /** Two prompts that begin in the same way: the shorter one says more. */
  #add(next: Known): void {
    const before = this.#known.find(({ digest }) => digest === next.digest)
    const tokens = Math.min(next.tokens, before?.tokens ?? Infinity)
    this.#known = [...this.#known.filter((each) => each !== before).slice(-MOST + 1), { ...next, tokens }]
  }
}

function hasReasoning(message: Message): boolean {
  return message.role === 'assistant' && (message.reasoning?.length ?? 0) > 0
}

/** Settings by which a provider edits a transcript before it counts it, or replaces a part of it by a summary (Anthropic). */
const EDITS = /context_?management/i

/**
 * Everything but the messages that a template may print, or that may choose it; what has nothing to do with the prompt is left out.
 * Undefined where what is counted may change from one call to the next.
 */
function headOf(request: ChatRequest, { upstream, kind, model, extraBody }: RefinerTarget): string | undefined {
  if (Object.keys(request.passed).length > 0) return undefined
  const settings = {
    ...request,
    messages: undefined,
    bodyBytes: undefined,
    maxOutputTokens: undefined,
    sampling: undefined,
    stream: undefined,
    dropped: undefined,
  }
  const head = JSON.stringify([upstream, kind, model, extraBody, settings])
  return EDITS.test(head) ? undefined : head
}

/** Markers of the provider's cache wander to the end of the transcript and are no part of the prompt. */
function add(hash: Hash, message: Message): void {
  hash.update('\n')
  hash.update(JSON.stringify(message, (name, value: unknown) => (name === 'cache' ? undefined : value)))
}
