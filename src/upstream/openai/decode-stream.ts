import { isContent, type AnswerChunk, type AnswerEvent, type Usage } from '../../protocol/answer.ts'
import type { JsonObject } from '../../protocol/request.ts'
import { SseDecoder } from '../../protocol/sse.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { failure, fromErrorBody } from './errors.ts'
import { finishReason, stopSequence } from './finish-reason.ts'
import { isPlainChunk } from './plain-chunk.ts'
import { ReasoningDetails } from './reasoning-details.ts'
import { TextFrame } from './text-frame.ts'
import { ToolCalls } from './tool-calls.ts'
import { estimateUsage, readUsage } from './usage.ts'

/** More choices than the API allows (128) by far: a flood, not an answer. */
const MAX_CHOICES = 1024

/** The error of a frame that is one. */
type ErrorOf = (frame: Record<string, unknown>) => SwitchyardError | undefined

const errorIn: ErrorOf = (frame) => fromErrorBody(frame['error'] ?? frame)

interface ChoiceState {
  readonly index: number
  /** Made with the first call: most answers have none. */
  calls: ToolCalls | undefined
  /** Present once there were any. */
  details: ReasoningDetails | undefined
  hasRole: boolean
  isFinished: boolean
}

/**
 * Decodes an OpenAI-compatible stream (API reference, spec 2.3.0; vLLM 0.32, llama.cpp and transformers as recorded) into events.
 * Fields that a caller should not see are left out, and frames that need no change keep their text.
 */
export class StreamDecoder {
  /** What ended the answer badly, if anything did. */
  error: SwitchyardError | undefined
  /** `[DONE]` was seen; whatever follows does not count. */
  isDone = false
  readonly #sse = new SseDecoder((data) => this.#take(data))
  readonly #choices = new Map<number, ChoiceState>()
  readonly #requestBytes: number
  readonly #choicesAsked: number
  readonly #errorOf: ErrorOf
  #id: string | undefined
  #isEnding = false
  #wasCutMidEvent = false
  #contentChunks = 0
  #contentBytes = 0
  readonly #usages: Record<string, unknown>[] = []
  #serviceTier: unknown
  #isUsageOfEachChoice = false
  #events: AnswerEvent[] = []
  #wire: string | undefined = ''
  #textFrame: TextFrame | undefined

  /** `requestBytes` bounds the prompt, `choices` is the request's `n`, `errorOf` reads an error frame. */
  constructor(requestBytes: number, choices: number, errorOf: ErrorOf = errorIn) {
    this.#requestBytes = requestBytes
    this.#choicesAsked = choices
    this.#errorOf = errorOf
  }

  /** Events of the next bytes; undefined if there are none. Throws `upstream_event_too_large`. */
  feed(bytes: Buffer): AnswerChunk | undefined {
    this.#sse.feed(bytes)
    return this.#flush()
  }

  /** The answer was cut inside an event, so that something of it had begun to arrive. */
  get isMidEvent(): boolean {
    return this.#sse.isMidEvent || this.#wasCutMidEvent
  }

  /** The stream is over; returns what a last event without its blank line said. */
  end(): AnswerChunk | undefined {
    this.#isEnding = true
    this.#sse.end()
    return this.#flush()
  }

  /** At least one choice came to its end. */
  get hasFinish(): boolean {
    for (const choice of this.#choices.values()) if (choice.isFinished) return true
    return false
  }

  get hasChoices(): boolean {
    return this.#choices.size > 0
  }

  /** Tokens as reported where that is plausible, else counted. */
  usage(): Usage {
    const seen = {
      requestBytes: this.#requestBytes,
      contentChunks: this.#contentChunks,
      contentBytes: this.#contentBytes,
      serviceTier: this.#serviceTier,
    }
    return readUsage(this.#reported(), seen) ?? estimateUsage(seen)
  }

  /**
   * One usage for all choices. Most providers count up or say the same twice, so that the last report counts; llama.cpp reports each
   * choice apart, and is told by the timings beside it.
   */
  #reported(): Record<string, unknown> | undefined {
    const last = this.#usages.at(-1)
    if (last === undefined || this.#choicesAsked < 2 || !this.#isUsageOfEachChoice) return last
    const sum = (key: string): number => this.#usages.reduce((total, usage) => total + Number(usage[key] ?? 0), 0)
    const completion = sum('completion_tokens')
    return { ...last, completion_tokens: completion, total_tokens: Number(last['prompt_tokens']) + completion }
  }

  #flush(): AnswerChunk | undefined {
    const events = this.#events
    const wire = this.#wire
    this.#wire = ''
    if (events.length === 0 && (wire === '' || wire === undefined)) return undefined
    this.#events = []
    return wire === undefined || wire === '' ? { events } : { events, wire }
  }

  #take(data: string): void {
    if (this.isDone || this.error !== undefined) return
    if (data === '[DONE]' || data === ' [DONE]') {
      this.isDone = true
      return
    }
    if (this.#takeText(data)) return
    let chunk: unknown
    try {
      chunk = JSON.parse(data)
    } catch {
      if (this.#isEnding) {
        this.#wasCutMidEvent = true
        this.error = new SwitchyardError(
          'upstream_stream_truncated',
          'The model server ended its answer in the middle.',
        )
        return
      }
      // A frame that cannot be read may have held anything, also the middle of a tool call: going on would hide the gap.
      this.error = failure('upstream_garbage', { detail: 'a stream frame is not JSON' })
      return
    }
    if (typeof chunk !== 'object' || chunk === null) return
    this.#takeChunk(chunk as Record<string, unknown>, data)
  }

  /** Takes a frame of the form that this stream's text frames have; false where it has to be parsed. */
  #takeText(data: string): boolean {
    const text = this.#textFrame?.contentOf(data)
    // Forms are learnt from streams of one choice, which is the first.
    if (text === undefined || this.#choices.get(0)?.isFinished !== false) return false
    this.#text('text', 0, text)
    this.#contentChunks += 1
    this.#relay(data)
    return true
  }

  #relay(data: string): void {
    this.#wire = this.#wire === undefined ? undefined : `${this.#wire}data: ${data}\n\n`
  }

  #takeChunk(chunk: Record<string, unknown>, data: string): void {
    if ((chunk['error'] ?? null) !== null || chunk['object'] === 'error') {
      this.error = this.#errorOf(chunk)
      return
    }
    const { choices } = chunk
    const before = this.#events.length
    let isPlain = this.#start(chunk)
    if (Array.isArray(choices)) {
      if (choices.length > MAX_CHOICES) {
        this.error = failure('upstream_garbage', { detail: `${choices.length} choices in one frame` })
        return
      }
      // Data of several lines is one text only to us: written after one `data:` it would end the event.
      isPlain = isPlain && choices.every(isRecord) && isPlainChunk(chunk) && !data.includes('\n')
      for (const choice of choices) {
        if (!isRecord(choice)) continue
        isPlain = this.#takeChoice(choice) && isPlain
        if (this.error !== undefined) return
      }
      // A frame without visible events (usage alone, an empty delta of no use) adds nothing to either form.
      if (isPlain) {
        this.#relay(data)
        this.#learn(data, before)
      } else if (this.#events.length > before) this.#wire = undefined
    }
    const { usage } = chunk
    if (isRecord(usage)) {
      this.#usages.push(usage)
      if (chunk['timings'] !== undefined) this.#isUsageOfEachChoice = true
    }
    // A request for `auto` learns only in the course of the answer what it got.
    this.#serviceTier = chunk['service_tier'] ?? this.#serviceTier
    for (let i = before; i < this.#events.length; i++) {
      if (isContent(this.#events[i] as AnswerEvent)) {
        this.#contentChunks += 1
        break
      }
    }
  }

  /** Learns the form of text frames from one that said one text, the first choice's, and nothing else. */
  #learn(data: string, before: number): void {
    if (this.#textFrame !== undefined || this.#choices.size !== 1 || this.#events.length !== before + 1) return
    const event = this.#events[before]
    if (event?.type === 'text' && event.choice === 0) this.#textFrame = TextFrame.learn(data, event.text)
  }

  /** Takes the frame's identity; false where the frame's own cannot be shown as it is. */
  #start(chunk: Record<string, unknown>): boolean {
    const { id } = chunk
    if (this.#id !== undefined) return id === this.#id && id !== ''
    const { model, created } = chunk
    const isWhole =
      typeof id === 'string' && id !== '' && typeof model === 'string' && model !== '' && typeof created === 'number'
    // An answer that does not say who it is gets our own id for all of its frames.
    this.#id = isWhole ? id : ''
    if (!isWhole) return false
    this.#events.push({
      type: 'start',
      id,
      model,
      created,
      ...(typeof chunk['system_fingerprint'] === 'string' ? { fingerprint: chunk['system_fingerprint'] } : {}),
      ...(typeof chunk['service_tier'] === 'string' ? { serviceTier: chunk['service_tier'] } : {}),
    })
    return true
  }

  /** Events of one choice; false where its text cannot be relayed as it is. */
  #takeChoice(raw: Record<string, unknown>): boolean {
    const state = this.#choice(raw['index'])
    if (state === undefined) return false
    const { index: choice } = state
    // Servers that only pretend to stream put the whole message into one frame.
    const said = raw['delta'] ?? raw['message']
    const delta = isRecord(said) ? said : {}
    let isPlain = true
    if (state.isFinished) {
      // What comes after the end of a choice was never part of it.
      return false
    }
    if (delta['role'] !== undefined) {
      isPlain = !state.hasRole
      state.hasRole = true
    } else if (!state.hasRole) isPlain = false
    this.#text('reasoning', choice, delta['reasoning_content'] ?? delta['reasoning'])
    if (delta['reasoning_details'] !== undefined)
      (state.details ??= new ReasoningDetails()).take(delta['reasoning_details'])
    if (state.details !== undefined && isPastThinking(delta, raw)) {
      const event = state.details.flush(choice)
      if (event !== undefined) this.#events.push(event)
    }
    // Text completions have their text beside the index.
    this.#text('text', choice, delta['content'] ?? raw['text'])
    this.#text('refusal', choice, delta['refusal'])
    const calls =
      delta['tool_calls'] ??
      (delta['function_call'] == null ? undefined : [{ index: 0, id: 'call_0', function: delta['function_call'] }])
    if (Array.isArray(calls)) {
      for (const call of calls) this.#toolCall(state, call)
      // TGI before 3.2 sends the one call that it makes without a list.
    } else if (isRecord(calls)) this.#toolCall(state, calls)
    if (Array.isArray(delta['annotations'])) {
      this.#events.push({
        type: 'annotations',
        choice,
        annotations: delta['annotations'].filter(isRecord) as JsonObject[],
      })
    }
    if (isRecord(delta['audio'])) this.#events.push({ type: 'audio', choice, audio: delta['audio'] as JsonObject })
    this.#logprobs(choice, raw['logprobs'])
    const word = raw['finish_reason']
    if (typeof word === 'string' && word !== '') {
      const reason = finishReason(word, state.calls?.hasAny === true)
      if (reason === 'failed') {
        this.error = failure('upstream_error', { detail: `finish_reason "${word.slice(0, 40)}"` })
        return false
      }
      state.isFinished = true
      this.#events.push({ type: 'finish', choice, reason, ...stopSequence(raw) })
      isPlain = isPlain && reason === word
    }
    return isPlain
  }

  #text(type: 'text' | 'reasoning' | 'refusal', choice: number, text: unknown): void {
    if (typeof text !== 'string' || text === '') return
    this.#contentBytes += Buffer.byteLength(text)
    this.#events.push({ type, choice, text })
  }

  #toolCall(state: ChoiceState, raw: unknown): void {
    const events = isRecord(raw) ? (state.calls ??= new ToolCalls()).fragment(state.index, raw) : []
    if (events === undefined) {
      this.error = failure('upstream_garbage', { detail: 'tool call fragments contradict each other' })
      return
    }
    for (const event of events) {
      this.#contentBytes += Buffer.byteLength(event.arguments) + (event.name?.length ?? 0)
      this.#events.push(event)
    }
  }

  #logprobs(choice: number, raw: unknown): void {
    if (!isRecord(raw)) return
    const list = (value: unknown): JsonObject[] | null =>
      Array.isArray(value) ? value.filter(isRecord).map(tokenLogprob) : null
    const content = list(raw['content'])
    const refusal = list(raw['refusal'])
    if (content !== null || refusal !== null) this.#events.push({ type: 'logprobs', choice, content, refusal })
  }

  #choice(index: unknown): ChoiceState | undefined {
    const key = typeof index === 'number' && Number.isInteger(index) && index >= 0 ? index : 0
    let state = this.#choices.get(key)
    if (state === undefined) {
      if (this.#choices.size >= MAX_CHOICES) return undefined
      state = { index: key, calls: undefined, details: undefined, hasRole: false, isFinished: false }
      this.#choices.set(key, state)
    }
    return state
  }
}

/** What was thought is complete when something is said, called or over. */
function isPastThinking(delta: Record<string, unknown>, { finish_reason: word }: Record<string, unknown>): boolean {
  const { content, tool_calls: calls } = delta
  return (typeof content === 'string' && content !== '') || (calls ?? null) !== null || (word ?? null) !== null
}

/** One token's log-probability with only the fields of the API (llama.cpp adds an `id`). */
export function tokenLogprob(raw: Record<string, unknown>): JsonObject {
  const one = ({ token, logprob, bytes }: Record<string, unknown>): JsonObject => ({
    token: typeof token === 'string' ? token : '',
    logprob: typeof logprob === 'number' ? logprob : -9999,
    bytes: Array.isArray(bytes) ? (bytes as number[]) : null,
  })
  const { top_logprobs: top } = raw
  return { ...one(raw), top_logprobs: Array.isArray(top) ? top.filter(isRecord).map(one) : [] }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
