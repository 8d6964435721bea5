import { isContent, type AnswerEvent, type FinishReason, type Usage } from '../../protocol/answer.ts'
import type { Phase } from '../../protocol/request.ts'
import { DistinctIds } from '../distinct-ids.ts'
import { record, type Fields } from '../frame-fields.ts'
import { failure } from '../openai/errors.ts'
import { annotationOf, logprobsOf } from './text-extras.ts'
import { readUsage } from './usage.ts'

interface Item {
  readonly type: string
  readonly id: string | undefined
  /** Position among the answer's tool calls. */
  readonly call: number
  /** What was said of each part so far, by kind and place. */
  readonly said: Map<string, string>
  annotations: number
  /** Of a message, until its first words are told. */
  phase: Phase | undefined
}

/**
 * Reads a response, item by item, into events; a whole response is read as a stream that only said what each item is at its end, so
 * that both give the same. What an item's end says and no delta said before is added. Items of unknown types are left out.
 */
export class AnswerReader {
  readonly #requestBytes: number
  readonly #items = new Map<number, Item>()
  readonly #ids = new DistinctIds()
  readonly #closed = new Set<number>()
  #events: AnswerEvent[] = []
  #usage: unknown
  #tier: unknown
  #calls = 0
  #contentBytes = 0
  #contentChunks = 0
  #hasStarted = false
  #hasFinish = false

  constructor(requestBytes: number) {
    this.#requestBytes = requestBytes
  }

  get hasStarted(): boolean {
    return this.#hasStarted
  }

  get hasFinish(): boolean {
    return this.#hasFinish
  }

  /** Events since the last call. */
  take(): readonly AnswerEvent[] {
    const events = this.#events
    if (events.length > 0) this.#events = []
    return events
  }

  usage(): Usage {
    return readUsage(this.#usage, {
      requestBytes: this.#requestBytes,
      contentBytes: this.#contentBytes,
      contentChunks: this.#contentChunks,
      serviceTier: this.#tier,
    })
  }

  start(response: Fields): void {
    if (this.#hasStarted) return
    const { id, model, created_at: created } = response
    if (typeof id !== 'string' || id === '' || typeof model !== 'string') return
    this.#hasStarted = true
    this.#events.push({ type: 'start', id, model, created: typeof created === 'number' ? Math.floor(created) : 0 })
  }

  open(index: number, raw: Fields): void {
    if (this.#items.has(index) || this.#closed.has(index)) return
    const type = String(raw['type'])
    const kind = type === 'function_call' ? 'function' : type === 'custom_tool_call' ? 'custom' : undefined
    const id = typeof raw['id'] === 'string' && raw['id'] !== '' ? raw['id'] : undefined
    const call = kind === undefined ? -1 : this.#calls
    this.#items.set(index, { type, id, call, said: new Map(), annotations: 0, phase: phaseOf(raw) })
    if (kind === undefined) return
    this.#calls += 1
    const callId = typeof raw['call_id'] === 'string' && raw['call_id'] !== '' ? raw['call_id'] : `call_${call}`
    this.#push({
      type: 'tool-call',
      choice: 0,
      index: call,
      kind,
      id: this.#ids.take(callId),
      name: String(raw['name']),
      arguments: '',
    })
  }

  text(index: number, part: unknown, delta: unknown, logprobs?: unknown): void {
    const item = this.#begun(index)
    if (item?.type !== 'message') return
    this.#say(item, `text ${String(part)}`, delta, (text) => ({ type: 'text', choice: 0, text, ...begun(item) }))
    const content = logprobsOf(logprobs)
    if (content.length > 0) this.#push({ type: 'logprobs', choice: 0, content, refusal: null })
  }

  refusal(index: number, part: unknown, delta: unknown): void {
    const item = this.#begun(index)
    if (item?.type !== 'message') return
    this.#say(item, `refusal ${String(part)}`, delta, (text) => ({ type: 'refusal', choice: 0, text, ...begun(item) }))
  }

  /** @param kind Engines show the thinking itself, OpenAI a summary; where there are both, the first counts. */
  reasoning(index: number, kind: 'summary' | 'content', part: unknown, delta: unknown): void {
    const item = this.#begun(index)
    if (item?.type !== 'reasoning') return
    const key = `${kind} ${String(part)}`
    const first = [...item.said.keys()][0]
    if (first?.startsWith(kind) === false) return
    const isNext = first !== undefined && !item.said.has(key)
    const id = item.id === undefined ? {} : { id: item.id }
    this.#say(item, key, delta, (text) => ({
      type: 'reasoning',
      choice: 0,
      text: isNext ? `\n\n${text}` : text,
      ...id,
      signedBy: 'openai',
    }))
  }

  arguments(index: number, delta: unknown): void {
    const item = this.#begun(index)
    if (item === undefined || item.call < 0) return
    this.#say(item, 'arguments', delta, (text) => ({
      type: 'tool-call',
      choice: 0,
      index: item.call,
      arguments: text,
    }))
  }

  annotation(index: number, raw: unknown): void {
    const item = this.#items.get(index)
    if (item === undefined) return
    item.annotations += 1
    const annotations = annotationOf(raw)
    if (annotations.length > 0) this.#push({ type: 'annotations', choice: 0, annotations })
  }

  /** The item as it is in the end. */
  close(index: number, raw: Fields): void {
    this.open(index, raw)
    const item = this.#items.get(index)
    if (item === undefined) return
    switch (item.type) {
      case 'message':
        if (item.said.size === 0) item.phase = phaseOf(raw)
        for (const [part, each] of list(raw['content']).entries()) this.#closePart(index, item, part, each)
        break
      case 'reasoning':
        this.#closeReasoning(index, item, raw)
        break
      case 'function_call':
        this.arguments(index, rest(item, 'arguments', raw['arguments']))
        break
      case 'custom_tool_call':
        this.arguments(index, rest(item, 'arguments', raw['input']))
        break
      default:
    }
    this.#items.delete(index)
    this.#closed.add(index)
  }

  /** Why the answer ended, and what was used. Items whose ends were never told are in `output`. */
  finish(response: Fields, reason: FinishReason): void {
    this.start(response)
    for (const [index, item] of list(response['output']).entries()) this.close(index, item)
    this.count(response)
    this.#hasFinish = true
    this.#push({
      type: 'finish',
      choice: 0,
      reason: reason === 'stop' && this.#calls > 0 ? 'tool_calls' : reason,
    })
  }

  count(response: Fields): void {
    this.#usage = response['usage']
    this.#tier = response['service_tier']
  }

  /** The item that a part belongs to; undefined once it is closed. Leaving out a part of one that never began would lose it without a word. */
  #begun(index: number): Item | undefined {
    const item = this.#items.get(index)
    if (item === undefined && !this.#closed.has(index))
      throw failure('upstream_garbage', { detail: `a part of item ${index}, which has not begun` })
    return item
  }

  #closePart(index: number, item: Item, part: number, raw: Fields): void {
    if (raw['type'] === 'output_text') {
      const text = rest(item, `text ${part}`, raw['text'])
      // Log-probabilities came with the deltas, or all of them are here.
      this.text(index, part, text, item.said.has(`text ${part}`) ? undefined : raw['logprobs'])
      if (item.annotations === 0) for (const each of list(raw['annotations'])) this.annotation(index, each)
    } else if (raw['type'] === 'refusal') this.refusal(index, part, rest(item, `refusal ${part}`, raw['refusal']))
  }

  #closeReasoning(index: number, item: Item, raw: Fields): void {
    for (const kind of ['summary', 'content'] as const)
      for (const [part, each] of list(raw[kind]).entries())
        this.reasoning(index, kind, part, rest(item, `${kind} ${part}`, each['text']))
    const signature = raw['encrypted_content']
    if (typeof signature !== 'string' || signature === '') return
    const id = item.id === undefined ? {} : { id: item.id }
    this.#push({ type: 'reasoning', choice: 0, text: '', ...id, signature, signedBy: 'openai' })
  }

  #say(item: Item, key: string, delta: unknown, event: (text: string) => AnswerEvent): void {
    if (typeof delta !== 'string' || delta === '') return
    const said = item.said.get(key)
    const made = event(delta)
    item.said.set(key, (said ?? '') + delta)
    this.#push(made)
  }

  #push(event: AnswerEvent): void {
    this.#events.push(event)
    // Of reasoning there is a summary alone, which says nothing about the tokens that are billed.
    if (!isContent(event) || event.type === 'reasoning') return
    if ('arguments' in event && event.arguments === '') return
    this.#contentChunks += 1
    if ('text' in event) this.#contentBytes += Buffer.byteLength(event.text)
    else if ('arguments' in event) this.#contentBytes += Buffer.byteLength(event.arguments)
  }
}

/** What the first words of a message tell of it. */
function begun(item: Item): { readonly phase?: Phase } {
  const { phase } = item
  item.phase = undefined
  return phase === undefined ? {} : { phase }
}

/** Only values that a caller could send back here. */
function phaseOf({ phase }: Fields): Phase | undefined {
  return phase === 'commentary' || phase === 'final_answer' ? phase : undefined
}

/** What the end says beyond the deltas; nothing where they differ, since what was relayed cannot be taken back. */
function rest(item: Item, key: string, whole: unknown): string {
  const said = item.said.get(key) ?? ''
  return typeof whole === 'string' && whole.startsWith(said) ? whole.slice(said.length) : ''
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(record) : []
}
