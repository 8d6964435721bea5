import { createHash } from 'node:crypto'
import type { AnswerEvent, Usage } from '../../protocol/answer.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { DistinctIds } from '../distinct-ids.ts'
import { failure } from '../openai/errors.ts'
import { errorIn } from './errors.ts'
import { finishReason } from './finish-reason.ts'
import { readLogprobs } from './logprobs.ts'
import { readGoogleUsage } from './usage.ts'

/** More candidates or calls than this are a flood, not an answer. */
const MAX_CANDIDATES = 128
const MAX_CALLS = 1024

interface Candidate {
  readonly ids: DistinctIds
  calls: number
  isFinished: boolean
}
type Fields = Readonly<Record<string, unknown>>

/**
 * Reads `GenerateContentResponse`s (Gemini API, v1beta), of which a whole answer is one and a stream many: each brings further parts
 * of its candidates. The same for both, so that both say the same.
 */
export class GoogleAnswerReader {
  /** What ended the answer badly, if anything did. */
  error: SwitchyardError | undefined
  readonly #candidates = new Map<number, Candidate>()
  readonly #requestBytes: number
  #responseId: string | undefined
  #hasStarted = false
  #isBlocked = false
  #contentChunks = 0
  #contentBytes = 0
  #usage: unknown

  constructor(requestBytes: number) {
    this.#requestBytes = requestBytes
  }

  /** Every candidate that was begun has come to its end. */
  get hasFinish(): boolean {
    for (const candidate of this.#candidates.values()) if (!candidate.isFinished) return false
    return this.#candidates.size > 0
  }

  /** Something of an answer came, or it was blocked: its tokens are billed. */
  get hasStarted(): boolean {
    return this.#candidates.size > 0 || this.#isBlocked
  }

  /** Usage is repeated with every response and counts up: the last one counts. */
  usage(): Usage {
    return readGoogleUsage(this.#usage, {
      requestBytes: this.#requestBytes,
      contentChunks: this.#contentChunks,
      contentBytes: this.#contentBytes,
    })
  }

  /** Adds the events of one response to `events`; sets `error` where the answer cannot go on. */
  take(response: unknown, events: AnswerEvent[]): void {
    if (this.error !== undefined) return
    // An error may come in a list.
    this.error = errorIn(response)
    if (this.error !== undefined || !isRecord(response)) return
    this.#usage = response['usageMetadata'] ?? this.#usage
    const { candidates, promptFeedback } = response
    const list = Array.isArray(candidates) ? (candidates as readonly unknown[]) : []
    if (list.length === 0 && isRecord(promptFeedback) && typeof promptFeedback['blockReason'] === 'string') {
      this.#isBlocked = true
      this.error = failure('content_policy_violation', {
        param: 'messages',
        detail: `blockReason ${promptFeedback['blockReason'].slice(0, 40)}`,
      })
      return
    }
    if (list.length > 0) this.#start(response, events)
    const before = this.#contentBytes
    for (const [at, candidate] of list.entries()) {
      if (isRecord(candidate)) this.#takeCandidate(candidate, at, events)
      if (this.error !== undefined) return
    }
    if (this.#contentBytes > before) this.#contentChunks += 1
  }

  #start(response: Fields, events: AnswerEvent[]): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    const { responseId, modelVersion } = response
    if (typeof responseId !== 'string' || responseId === '') return
    this.#responseId = responseId
    if (typeof modelVersion !== 'string' || modelVersion === '') return
    // Gemini does not say when it answers.
    events.push({ type: 'start', id: responseId, model: modelVersion, created: Math.floor(Date.now() / 1000) })
    // The prompt is counted by now; the rest of the figures is what has come so far.
    const usage = readGoogleUsage(this.#usage, { requestBytes: 0, contentChunks: 0, contentBytes: 0 })
    if (!usage.estimated) events.push({ type: 'usage', usage })
  }

  #takeCandidate(raw: Fields, at: number, events: AnswerEvent[]): void {
    const choice = typeof raw['index'] === 'number' ? raw['index'] : at
    const candidate = this.#candidate(choice)
    if (candidate === undefined) {
      this.error = failure('upstream_garbage', { detail: 'too many candidates' })
      return
    }
    // What comes after the end of a candidate was never part of it.
    if (candidate.isFinished) return
    const { content, finishReason: word } = raw
    const parts = isRecord(content) && Array.isArray(content['parts']) ? (content['parts'] as readonly unknown[]) : []
    for (const part of parts) {
      if (isRecord(part)) this.#takePart(part, choice, candidate, events)
      if (this.error !== undefined) return
    }
    const logprobs = readLogprobs(raw['logprobsResult'])
    if (logprobs !== undefined) events.push({ type: 'logprobs', choice, content: logprobs, refusal: null })
    if (typeof word !== 'string' || word === '' || word === 'FINISH_REASON_UNSPECIFIED') return
    const reason = finishReason(word, candidate.calls > 0)
    if (reason === 'failed') {
      this.error = failure('upstream_error', { detail: `finishReason ${word.slice(0, 40)}` })
      return
    }
    candidate.isFinished = true
    events.push({ type: 'finish', choice, reason })
  }

  #takePart(part: Fields, choice: number, candidate: Candidate, events: AnswerEvent[]): void {
    const { text, thought, thoughtSignature, functionCall, inlineData } = part
    const signature = typeof thoughtSignature === 'string' && thoughtSignature !== '' ? thoughtSignature : undefined
    const signed = signature === undefined ? {} : ({ signature, signedBy: 'google' } as const)
    if (isRecord(functionCall)) {
      this.#takeCall(functionCall, choice, candidate, signed, events)
      return
    }
    if (isRecord(inlineData)) {
      this.error = new SwitchyardError(
        'unsupported_value',
        'The model answered with a picture or sound, for which an answer has no place here. Ask a model that answers in text.',
        { param: 'model' },
      )
      return
    }
    const said = typeof text === 'string' ? text : ''
    this.#contentBytes += Buffer.byteLength(said)
    if (thought === true) {
      if (said !== '' || signature !== undefined) events.push({ type: 'reasoning', choice, text: said, ...signed })
      return
    }
    if (said !== '') events.push({ type: 'text', choice, text: said })
    // The signature of a text is kept beside it, since it has to go back with it.
    if (signature !== undefined) events.push({ type: 'reasoning', choice, text: '', ...signed })
  }

  #takeCall(
    call: Fields,
    choice: number,
    candidate: Candidate,
    signed: { readonly signature?: string; readonly signedBy?: 'google' },
    events: AnswerEvent[],
  ): void {
    const { id, name, args } = call
    if (typeof name !== 'string' || name === '' || candidate.calls >= MAX_CALLS) {
      this.error = failure('upstream_garbage', { detail: 'a function call without a name, or too many' })
      return
    }
    const index = candidate.calls
    candidate.calls += 1
    const text = JSON.stringify(isRecord(args) ? args : {})
    this.#contentBytes += Buffer.byteLength(text) + name.length
    events.push({
      type: 'tool-call',
      choice,
      index,
      kind: 'function',
      id: candidate.ids.take(typeof id === 'string' && id !== '' ? id : this.#callId(choice, index, name + text)),
      name,
      arguments: text,
      ...signed,
    })
  }

  /** Gemini may give a call no id: one that is the same however the answer is read, and another one in each answer. */
  #callId(choice: number, index: number, call: string): string {
    const own = this.#responseId ?? createHash('sha256').update(call).digest('base64url').slice(0, 16)
    return `call_${own}_${choice}_${index}`
  }

  #candidate(index: number): Candidate | undefined {
    let candidate = this.#candidates.get(index)
    if (candidate === undefined) {
      if (this.#candidates.size >= MAX_CANDIDATES) return undefined
      candidate = { ids: new DistinctIds(), calls: 0, isFinished: false }
      this.#candidates.set(index, candidate)
    }
    return candidate
  }
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
