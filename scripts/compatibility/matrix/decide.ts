import type { Target } from '../../../src/gateway/steps.ts'
import type { AnswerShape } from '../../../src/protocol/dialect.ts'
import { inOwnWords } from '../../../src/protocol/own-words.ts'
import { requires } from '../../../src/protocol/openai-chat/requires.ts'
import type { ChatRequest } from '../../../src/protocol/request.ts'
import { sizeOf } from '../../../src/routing/request-size.ts'
import { fitOf, refusal } from '../../../src/routing/rules.ts'
import { SwitchyardError } from '../../../src/shared/errors.ts'
import { adapterOf } from '../../../src/upstream/adapter-of.ts'
import { unsaidBy } from '../../../src/upstream/unsaid.ts'
import type { Caller } from './callers.ts'
import type { Capability } from './capabilities.ts'
import { toldBy, type Egress } from './egresses.ts'
import type { Fields } from './fields.ts'
import { answeredMarks, askedMarks } from './marks.ts'
import { placesOf, type Mark } from './places.ts'
import { targetOf } from './targets.ts'

/** Where something stands on both sides. */
export interface Way {
  readonly caller: readonly string[]
  readonly provider: readonly string[]
}

export type Decision =
  | { readonly kind: 'refused'; readonly param: string | undefined; readonly sentence: string }
  /** Left out, and named in `x-switchyard-dropped`. */
  | { readonly kind: 'dropped'; readonly dropped: readonly string[] }
  | {
      readonly kind: 'works' | 'translated'
      readonly asked: Way
      readonly answered: Way
      readonly dropped: readonly string[]
      /** Of errors: what the caller is told. */
      readonly error: Told | undefined
    }

export interface Told {
  readonly code: string
  /** HTTP statuses, of errors before a stream. */
  readonly status?: { readonly provider: number; readonly caller: number }
}

const SHAPE = { id: 'matrix', created: 1 } as const

/**
 * What becomes of a capability between an API and a provider, found by running the code that decides it: the dialect reads a caller's
 * body, the router looks whether the model can, the adapter writes the provider's body and reads its answer, the dialect writes the caller's. Throws where something that was asked
 * for or answered is gone and nothing says so.
 */
export function decide(caller: Caller, egress: Egress, capability: Capability): Decision {
  try {
    return new Run(caller, egress, capability).decision()
  } catch (thrown) {
    if (thrown instanceof SwitchyardError) return { kind: 'refused', param: thrown.param, sentence: thrown.message }
    throw thrown
  }
}

interface Sent {
  readonly request: ChatRequest
  readonly body: Fields
  readonly bytes: number
  readonly dropped: readonly string[]
}

class Run {
  readonly #caller: Caller
  readonly #egress: Egress
  readonly #capability: Capability
  readonly #target: Target
  #error: Told | undefined

  constructor(caller: Caller, egress: Egress, capability: Capability) {
    this.#caller = caller
    this.#egress = egress
    this.#capability = capability
    this.#target = targetOf(egress)
  }

  decision(): Decision {
    const { own } = this.#caller
    const { name } = this.#egress
    const asked = { model: this.#target.name, ...this.#caller.ask(this.#capability) }
    const sent = this.#send(asked)
    const reply = this.#answer(sent)
    const isTwoTurns = this.#capability === 'reasoning kept across turns with its signature'
    const answered = this.#way(
      'The answer',
      reply.caller,
      reply.provider,
      answeredMarks(this.#capability, this.#egress),
    )
    const next = isTwoTurns ? this.#caller.askAgain(asked, reply.caller) : asked
    const last = isTwoTurns ? this.#send(next) : sent
    const marks = askedMarks(this.#capability, this.#egress)
    if (last.dropped.length > 0 && placesOf(last.body, marks[0] as Mark).length === 0)
      return { kind: 'dropped', dropped: last.dropped }
    const way = this.#way('The question', next, last.body, marks)
    const isSame =
      own.includes(name) && !(this.#capability in this.#egress.lacks) && isOneWay(way) && isOneWay(answered)
    return { kind: isSame ? 'works' : 'translated', asked: way, answered, dropped: last.dropped, error: this.#error }
  }

  #send(body: Fields): Sent {
    const text = JSON.stringify(body)
    const { dialect } = this.#caller
    const request = dialect.decode(JSON.parse(text), { bodyBytes: Buffer.byteLength(text), unknownFields: 'drop' })
    try {
      return this.#encode(request)
    } catch (thrown) {
      throw thrown instanceof SwitchyardError ? inOwnWords(thrown, dialect) : thrown
    }
  }

  #encode(request: ChatRequest): Sent {
    const needs = { capabilities: requires(request), size: sizeOf(request) }
    if (fitOf(this.#target, needs) === 'lacks') throw refusal(request.model, [this.#target], needs)
    const adapter = adapterOf(this.#egress.kind, this.#egress.api)
    const unsaid = unsaidBy(adapter, request)
    const encoded = adapter.encode(request, this.#target, {
      stream: request.stream,
      outputCap: request.maxOutputTokens,
    })
    return {
      request,
      body: { ...(JSON.parse(encoded.body) as Fields), '(path)': encoded.path },
      bytes: Buffer.byteLength(encoded.body),
      dropped: [...new Set([...request.dropped, ...unsaid, ...encoded.dropped])],
    }
  }

  /** The provider's answer and what the caller gets of it. Errors are bodies, too. */
  #answer({ request, bytes }: Sent): { readonly caller: Fields; readonly provider: Fields } {
    const { speaker } = this.#egress
    const { dialect } = this.#caller
    const adapter = adapterOf(this.#egress.kind, this.#egress.api)
    const sent = { request, target: this.#target }
    const shape: AnswerShape = { ...SHAPE, request }
    if (this.#capability === 'error before stream') {
      const { status, body } = speaker.overloaded
      const error = adapter.refusal(status, {}, JSON.stringify(body))
      this.#error = { code: error.code, status: { provider: status, caller: error.status } }
      return { caller: JSON.parse(dialect.errorBody(error, 'req_matrix')) as Fields, provider: body }
    }
    if (this.#capability === 'error in stream') {
      const decoder = adapter.stream(bytes, request.n, sent)
      const writer = dialect.stream(shape)
      const chunk = decoder.feed(Buffer.from(speaker.broken))
      const { error } = decoder
      if (chunk === undefined || error === undefined) throw new Error(`${this.#title}: the error was not heard.`)
      this.#error = { code: error.code }
      return { caller: { stream: writer.chunk(chunk) + writer.fail(error) }, provider: { stream: speaker.broken } }
    }
    const provider = speaker.whole(toldBy(this.#egress, this.#capability))
    const answer = adapter.whole(JSON.stringify(provider), bytes, sent)
    if ('error' in answer) throw answer.error
    const writer = dialect.whole(shape)
    writer.add({ events: answer.events })
    return { caller: JSON.parse(writer.render(answer.usage, undefined)) as Fields, provider }
  }

  #way(what: string, caller: Fields, provider: Fields, marks: readonly Mark[]): Way {
    for (const mark of marks)
      if (placesOf(caller, mark).length === 0 || (what === 'The question' && placesOf(provider, mark).length === 0))
        throw new Error(`${this.#title}: ${what} has lost ${mark.toString()} without a word.`)
    const [first] = marks
    if (first === undefined) return { caller: [], provider: [] }
    return { caller: placesOf(caller, first), provider: placesOf(provider, first) }
  }

  get #title(): string {
    return `${this.#caller.name} > ${this.#egress.name}: ${this.#capability}`
  }
}

function isOneWay({ caller, provider }: Way): boolean {
  return caller.join() === provider.join()
}
