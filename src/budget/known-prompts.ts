import { createHash, type Hash } from 'node:crypto'
import type { ChatRequest, Message } from '../protocol/request.ts'
import type { RefinerTarget } from './token-refiner.ts'
import { walkedTokenBound } from './walked-bound.ts'

/** Prompts of a task that are remembered: agents that run side by side in one task have transcripts of their own. */
const MOST = 16

interface Known {
  /** Of everything that makes the prompt, up to its last message. */
  readonly digest: string
  readonly messages: number
  /** As the upstream counted and billed them. */
  readonly tokens: number
}

/**
 * What upstreams have counted of the prompts of one task. An agent sends its transcript again and again, longer by a few messages each
 * time: what was billed for the beginning, and the bytes of what is new, bound the whole, without asking a tokeniser.
 *
 * The prompt of a longer transcript begins as that of the shorter one did, or is shorter there: templates leave out reasoning of
 * earlier turns and the start of the answer, and add nothing to what has gone by. What a template adds by itself (`templateTokens`) is
 * counted twice. Where a provider edits the context itself, or what it does depends on fields that are not read here, nothing is known.
 */
export class KnownPrompts {
  #known: readonly Known[] = []

  /** `tokens` = the whole prompt of the request as the upstream reported it. */
  note(request: ChatRequest, target: RefinerTarget, tokens: number): void {
    if (!isPlain(request)) return
    const hash = start(request, target)
    for (const message of request.messages) add(hash, message)
    const digest = hash.digest('base64')
    const others = this.#known.filter((each) => each.digest !== digest)
    this.#known = [...others.slice(-MOST + 1), { digest, messages: request.messages.length, tokens }]
  }

  /** Most tokens that the prompt of the request can have; undefined where no beginning of it is known. */
  bound(request: ChatRequest, target: RefinerTarget): number | undefined {
    if (this.#known.length === 0 || !isPlain(request)) return undefined
    const found = this.#longestBeginning(request, target)
    if (found === undefined) return undefined
    const { format: _format, ...rest } = request
    const added = { ...rest, messages: request.messages.slice(found.messages), tools: [] }
    return found.tokens + walkedTokenBound(added, target).tokens
  }

  #longestBeginning(request: ChatRequest, target: RefinerTarget): Known | undefined {
    const lengths = new Set(this.#known.map(({ messages }) => messages))
    const hash = start(request, target)
    let longest: Known | undefined
    for (const [index, message] of request.messages.entries()) {
      add(hash, message)
      if (!lengths.has(index + 1)) continue
      const digest = hash.copy().digest('base64')
      longest = this.#known.findLast((each) => each.digest === digest) ?? longest
    }
    return longest
  }
}

/** Context editing and other things that are switched on by name change what is counted from one call to the next. */
function isPlain({ passed, betas = [] }: ChatRequest): boolean {
  return betas.length === 0 && Object.keys(passed).length === 0
}

/** Everything but the messages that a template may print, or that may choose it. */
function start(request: ChatRequest, { upstream, kind, model, extraBody }: RefinerTarget): Hash {
  const { tools, toolChoice, parallelToolCalls, format, reasoningEffort, thinking, openai } = request
  const head = [
    upstream,
    kind,
    model,
    extraBody,
    tools,
    toolChoice,
    parallelToolCalls,
    format,
    reasoningEffort,
    thinking,
  ]
  return createHash('sha256').update(JSON.stringify([...head, openai]))
}

/** Markers of the provider's cache wander to the end of the transcript and are no part of the prompt. */
function add(hash: Hash, message: Message): void {
  hash.update('\n')
  hash.update(JSON.stringify(message, (name, value: unknown) => (name === 'cache' ? undefined : value)))
}
