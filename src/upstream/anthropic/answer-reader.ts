import { isContent, type AnswerEvent, type Usage } from '../../protocol/answer.ts'
import type { JsonObject } from '../../protocol/request.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import { DistinctIds } from '../distinct-ids.ts'
import { failure } from '../openai/errors.ts'
import { finishOf } from './stop-reason.ts'
import { laterUsage, promptUsage, readUsage } from './usage.ts'

type Fields = Readonly<Record<string, unknown>>
type Block = {
  readonly type: string
  /** Position among the answer's tool calls. */
  readonly call: number
  readonly input: unknown
  readonly textStart: number
  readonly citations: Fields[]
  hasArguments: boolean
}

const KNOWN_DELTAS: ReadonlySet<string> = new Set([
  'text_delta',
  'thinking_delta',
  'signature_delta',
  'input_json_delta',
  'citations_delta',
])

/**
 * Reads an Anthropic message, block by block, into events; a whole answer is read as a stream that said each block at once, so that
 * both give the same. Blocks and deltas of unknown types, from a newer API or of tools that the provider runs, are left out.
 */
export class AnswerReader {
  readonly #requestBytes: number
  readonly #created: number
  readonly #blocks = new Map<number, Block>()
  readonly #ids = new DistinctIds()
  #events: AnswerEvent[] = []
  #usage: Fields = {}
  #calls = 0
  #textLength = 0
  #contentBytes = 0
  #contentChunks = 0
  #hasStarted = false
  #hasFinish = false

  /** @param created Unix seconds: Anthropic does not say when. */
  constructor(requestBytes: number, created: number) {
    this.#requestBytes = requestBytes
    this.#created = created
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
    return readUsage(
      this.#usage,
      { requestBytes: this.#requestBytes, contentBytes: this.#contentBytes, contentChunks: this.#contentChunks },
      this.#hasFinish,
    )
  }

  start(message: Fields): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    this.#usage = laterUsage(this.#usage, message['usage'])
    const { id, model } = message
    if (typeof id !== 'string' || id === '' || typeof model !== 'string' || model === '') return
    this.#events.push({ type: 'start', id, model, created: this.#created })
    const usage = promptUsage(this.#usage)
    if (usage !== undefined) this.#events.push({ type: 'usage', usage })
  }

  open(index: number, raw: Fields): void {
    const type = String(raw['type'])
    const isCall = type === 'tool_use'
    const name = raw['name']
    // Skipping or guessing would lose a part of the answer without a word.
    if (this.#blocks.has(index)) throw garbage(`block ${index} begins twice`)
    if (isCall && (typeof name !== 'string' || name === '')) throw garbage(`tool call ${index} has no name`)
    const block: Block = {
      type,
      call: isCall ? this.#calls : -1,
      input: raw['input'],
      textStart: this.#textLength,
      citations: [],
      hasArguments: false,
    }
    this.#blocks.set(index, block)
    if (isCall) {
      this.#calls += 1
      const id = typeof raw['id'] === 'string' && raw['id'] !== '' ? raw['id'] : `call_${block.call}`
      this.#push({
        type: 'tool-call',
        choice: 0,
        index: block.call,
        kind: 'function',
        id: this.#ids.take(id),
        name: String(name),
        arguments: '',
      })
    } else if (type === 'text') {
      this.#text(raw['text'])
      if (Array.isArray(raw['citations'])) block.citations.push(...raw['citations'].filter(isFields))
    } else if (type === 'thinking') {
      this.#reasoning(raw['thinking'])
      this.#signature(raw['signature'])
    } else if (type === 'redacted_thinking' && typeof raw['data'] === 'string')
      this.#push({ type: 'reasoning', choice: 0, text: '', redacted: raw['data'], signedBy: 'anthropic' })
  }

  delta(index: number, delta: Fields): void {
    const block = this.#blocks.get(index)
    if (block === undefined) {
      if (KNOWN_DELTAS.has(String(delta['type']))) throw garbage(`a part of block ${index}, which has not begun`)
      return
    }
    switch (delta['type']) {
      case 'text_delta':
        if (block.type === 'text') this.#text(delta['text'])
        break
      case 'thinking_delta':
        if (block.type === 'thinking') this.#reasoning(delta['thinking'])
        break
      case 'signature_delta':
        if (block.type === 'thinking') this.#signature(delta['signature'])
        break
      case 'input_json_delta':
        if (block.call >= 0) this.#arguments(block, delta['partial_json'])
        break
      case 'citations_delta':
        if (isFields(delta['citation'])) block.citations.push(delta['citation'])
        break
      default:
    }
  }

  close(index: number): void {
    const block = this.#blocks.get(index)
    if (block === undefined) return
    this.#blocks.delete(index)
    // A call without arguments says none; callers of other dialects expect an object.
    if (block.call >= 0 && !block.hasArguments) this.#arguments(block, JSON.stringify(block.input ?? {}))
    const annotations = block.citations.flatMap((each) => citation(each, block.textStart, this.#textLength))
    if (annotations.length > 0) this.#push({ type: 'annotations', choice: 0, annotations })
  }

  /** `message_delta`: why the answer ended, and what was used up to here. */
  end(delta: Fields, usage: unknown): void {
    this.#usage = laterUsage(this.#usage, usage)
    const { stop_reason: reason, stop_sequence: sequence } = delta
    if (typeof reason !== 'string' || this.#hasFinish) return
    for (const index of this.#blocks.keys()) this.close(index)
    this.#hasFinish = true
    if (reason === 'refusal') this.#refusal(delta['stop_details'])
    this.#push({
      type: 'finish',
      choice: 0,
      reason: finishOf(reason, this.#calls > 0),
      ...(typeof sequence === 'string' ? { stopSequence: sequence } : {}),
    })
  }

  #text(text: unknown): void {
    if (typeof text !== 'string' || text === '') return
    this.#textLength += text.length
    this.#push({ type: 'text', choice: 0, text })
  }

  #reasoning(text: unknown): void {
    if (typeof text === 'string' && text !== '')
      this.#push({ type: 'reasoning', choice: 0, text, signedBy: 'anthropic' })
  }

  #signature(signature: unknown): void {
    if (typeof signature === 'string' && signature !== '')
      this.#push({ type: 'reasoning', choice: 0, text: '', signature, signedBy: 'anthropic' })
  }

  /** Why the model declined, where the API says it. */
  #refusal(details: unknown): void {
    const { explanation, category } = isFields(details) ? details : {}
    if (typeof explanation !== 'string' || explanation === '') return
    const aside = { category: typeof category === 'string' ? category : null }
    // No part of the content: its tokens are not billed.
    this.#events.push({ type: 'refusal', choice: 0, text: explanation, aside })
  }

  #arguments(block: Block, text: unknown): void {
    if (typeof text !== 'string' || text === '') return
    block.hasArguments = true
    this.#push({ type: 'tool-call', choice: 0, index: block.call, kind: 'function', arguments: text })
  }

  #push(event: AnswerEvent): void {
    this.#events.push(event)
    if (!isContent(event)) return
    this.#contentChunks += 1
    if ('text' in event) this.#contentBytes += Buffer.byteLength(event.text)
    else if ('arguments' in event) this.#contentBytes += Buffer.byteLength(event.arguments)
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

function garbage(detail: string): SwitchyardError {
  return failure('upstream_garbage', { detail })
}

/** A source on the web as OpenAI cites it; places in documents have no counterpart there. */
function citation(raw: Fields, start: number, end: number): readonly JsonObject[] {
  const { url, title } = raw
  if (typeof url !== 'string') return []
  const url_citation = { url, title: typeof title === 'string' ? title : '', start_index: start, end_index: end }
  return [{ type: 'url_citation', url_citation }]
}
