import type { NanoUsd } from '../../shared/money.ts'
import type { AnswerChunk, AnswerEvent, FinishReason, TokenLogprob, Usage } from '../answer.ts'
import type { Json, JsonObject } from '../request.ts'
import { callId, finishWord } from './encode-chunk.ts'
import { openDetails } from '../reasoning-details.ts'
import { SignedThinking } from './signed-thinking.ts'
import { usageBody } from './usage-body.ts'

export interface CollectorOptions {
  /** Used unless the answer's `start` event brings the upstream's own. */
  readonly id: string
  readonly model: string
  /** Unix seconds. */
  readonly created: number
  /** The caller used the deprecated `functions`: its answer carries `function_call`. */
  readonly legacyFunctions: boolean
}

interface Call {
  id: string | undefined
  kind: 'function' | 'custom'
  name: string
  arguments: string
  /** Google's thought signature. */
  signature: string | undefined
}
interface Choice {
  text: string
  reasoning: string
  /** Google's thought signature of the message. */
  signature: string | undefined
  thinking: SignedThinking | undefined
  /** OpenRouter's own words about the thinking. */
  details: readonly JsonObject[] | undefined
  refusal: string
  /** By their index; undefined = none yet. */
  calls: Map<number, Call> | undefined
  logprobs: { content: TokenLogprob[] | null; refusal: TokenLogprob[] | null } | undefined
  annotations: JsonObject[] | undefined
  audio: { readonly parts: string[]; transcript: string; fields: { [key: string]: Json } } | undefined
  finish: FinishReason | undefined
}

/** Puts the events of an answer together and renders the whole `chat.completion` body (OpenAI API reference, spec 2.3.0). */
export class AnswerCollector {
  readonly #options: CollectorOptions
  readonly #choices = new Map<number, Choice>()
  #start: Extract<AnswerEvent, { type: 'start' }> | undefined

  constructor(options: CollectorOptions) {
    this.#options = options
  }

  add(chunk: AnswerChunk): void {
    for (const event of chunk.events) this.#take(event)
  }

  /** True when there is at least one choice and each has its finish reason; what is not finished was cut and must not be sold as whole. */
  get finished(): boolean {
    for (const choice of this.#choices.values()) if (choice.finish === undefined) return false
    return this.#choices.size > 0
  }

  /** The body as JSON text. A choice without a finish reason is written with `null`; whether that may be sent is the caller's decision. */
  render(usage: Usage, cost: NanoUsd | undefined): string {
    const { id, created, model } = this.#start ?? this.#options
    const choices = [...this.#choices]
      .sort(([a], [b]) => a - b)
      .map(([index, choice]) => this.#render(index, choice, id))
    const fingerprint = this.#start?.fingerprint
    const serviceTier = this.#start?.serviceTier
    return (
      `{"id":${JSON.stringify(id)},"object":"chat.completion","created":${created},"model":${JSON.stringify(model)}` +
      `,"choices":[${choices.join(',')}],"usage":${usageBody(usage, cost)}` +
      (fingerprint === undefined ? '' : `,"system_fingerprint":${JSON.stringify(fingerprint)}`) +
      (serviceTier === undefined ? '' : `,"service_tier":${JSON.stringify(serviceTier)}`) +
      '}'
    )
  }

  #take(event: AnswerEvent): void {
    switch (event.type) {
      case 'start':
        this.#start ??= event
        return
      case 'text':
        this.#choice(event.choice).text += event.text
        return
      case 'reasoning':
        this.#choice(event.choice).reasoning += event.text
        if (event.signedBy !== undefined) takeSigned(this.#choice(event.choice), event)
        return
      case 'refusal':
        this.#choice(event.choice).refusal += event.text
        return
      case 'tool-call':
        takeCall((this.#choice(event.choice).calls ??= new Map()), event)
        return
      case 'logprobs':
        takeLogprobs(this.#choice(event.choice), event)
        return
      case 'annotations': {
        const choice = this.#choice(event.choice)
        choice.annotations = [...(choice.annotations ?? []), ...event.annotations]
        return
      }
      case 'audio':
        takeAudio(this.#choice(event.choice), event.audio)
        return
      case 'finish':
        this.#choice(event.choice).finish = event.reason
        return
      case 'usage':
        return
      default:
        event satisfies never
    }
  }

  #choice(index: number): Choice {
    let choice = this.#choices.get(index)
    if (choice === undefined) {
      choice = {
        text: '',
        reasoning: '',
        signature: undefined,
        thinking: undefined,
        details: undefined,
        refusal: '',
        calls: undefined,
        logprobs: undefined,
        annotations: undefined,
        audio: undefined,
        finish: undefined,
      }
      this.#choices.set(index, choice)
    }
    return choice
  }

  #render(index: number, choice: Choice, answerId: string): string {
    const { legacyFunctions } = this.#options
    const calls = [...(choice.calls ?? [])].sort(([a], [b]) => a - b).map(([, call]) => call)
    // Content is null only where something else is the answer; an empty answer is an empty string.
    const elsewhere = calls.length > 0 || choice.refusal !== '' || choice.audio !== undefined
    const message: Record<string, unknown> = {
      role: 'assistant',
      content: choice.text === '' && elsewhere ? null : choice.text,
      refusal: choice.refusal === '' ? null : choice.refusal,
    }
    if (choice.reasoning !== '') message['reasoning_content'] = choice.reasoning
    const extra = choice.signature === undefined ? choice.thinking?.extra : google(choice.signature)
    if (extra !== undefined) message['extra_content'] = extra
    if (choice.details !== undefined) message['reasoning_details'] = choice.details
    if (choice.annotations) message['annotations'] = choice.annotations
    if (choice.audio) message['audio'] = renderAudio(choice.audio)
    const [first] = calls
    if (first && legacyFunctions) {
      message['function_call'] = { name: first.name, arguments: first.arguments }
    } else if (first) {
      message['tool_calls'] = calls.map((call, at) => renderCall(call, call.id ?? callId(answerId, index, at)))
    }
    return JSON.stringify({
      index,
      message,
      logprobs: choice.logprobs ?? null,
      finish_reason: choice.finish === undefined ? null : finishWord(choice.finish, legacyFunctions),
    })
  }
}

function takeSigned(choice: Choice, event: Extract<AnswerEvent, { type: 'reasoning' }>): void {
  if (event.signedBy === 'google') choice.signature = event.signature ?? choice.signature
  else if (event.signedBy === 'openrouter')
    choice.details = [...(choice.details ?? []), ...openDetails(event.signature ?? '')]
  else (choice.thinking ??= new SignedThinking()).take(event)
}

function takeCall(calls: Map<number, Call>, event: Extract<AnswerEvent, { type: 'tool-call' }>): void {
  const call = calls.get(event.index)
  if (call === undefined) {
    calls.set(event.index, {
      id: event.id,
      kind: event.kind ?? 'function',
      name: event.name ?? '',
      arguments: event.arguments,
      signature: event.signedBy === 'google' ? event.signature : undefined,
    })
    return
  }
  call.arguments += event.arguments
}

function renderCall(call: Call, id: string): unknown {
  const signed = call.signature === undefined ? {} : { extra_content: google(call.signature) }
  return call.kind === 'custom'
    ? { id, type: 'custom', custom: { name: call.name, input: call.arguments }, ...signed }
    : { id, type: 'function', function: { name: call.name, arguments: call.arguments }, ...signed }
}

/** What `extraContent` writes, as a value. */
function google(signature: string): unknown {
  return { google: { thought_signature: signature } }
}

function takeLogprobs(choice: Choice, event: Extract<AnswerEvent, { type: 'logprobs' }>): void {
  const known = (choice.logprobs ??= { content: null, refusal: null })
  if (event.content) (known.content ??= []).push(...event.content)
  if (event.refusal) (known.refusal ??= []).push(...event.refusal)
}

function takeAudio(choice: Choice, audio: JsonObject): void {
  const known = (choice.audio ??= { parts: [], transcript: '', fields: {} })
  const { data, transcript, ...fields } = audio
  if (typeof data === 'string') known.parts.push(data)
  if (typeof transcript === 'string') known.transcript += transcript
  Object.assign(known.fields, fields)
}

function renderAudio(audio: NonNullable<Choice['audio']>): unknown {
  // Each streamed part is base64 of its own, padding included: joining the texts would corrupt the sound.
  const [only] = audio.parts
  const data =
    audio.parts.length === 1
      ? only
      : Buffer.concat(audio.parts.map((part) => Buffer.from(part, 'base64'))).toString('base64')
  return { ...audio.fields, data, transcript: audio.transcript }
}
