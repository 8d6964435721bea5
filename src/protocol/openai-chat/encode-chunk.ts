import type { NanoUsd } from '../../shared/money.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import type { AnswerChunk, AnswerEvent, FinishReason, Usage } from '../answer.ts'
import { errorBody } from './error-body.ts'
import { extraContent } from './extra-content.ts'
import { openDetails } from '../reasoning-details.ts'
import { SignedThinking } from './signed-thinking.ts'
import { usageBody } from './usage-body.ts'

/** The frame that ends a whole stream. Never sent after an error frame: SDKs take it for success. */
export const DONE = 'data: [DONE]\n\n'

const FRAME_END = '}\n\n'

export interface SseOptions {
  /** Used until (and unless) the answer's `start` event brings the upstream's own. */
  readonly id: string
  readonly model: string
  /** Unix seconds. */
  readonly created: number
  /** The caller set `stream_options.include_usage`: every chunk but the last then says `usage: null`. */
  readonly includeUsage: boolean
  /** The caller used the deprecated `functions`: tool calls are written as `function_call`. */
  readonly legacyFunctions: boolean
}

/** What one open stream has already said. Made by `sseState`, changed by `encodeSse` only. */
export interface SseState {
  readonly options: SseOptions
  id: string
  /** Everything before `"choices":`, the same in every frame of a stream. */
  head: string
  readonly tail: string
  readonly choices: Map<number, ChoiceState>
}

interface ChoiceState {
  roleSent: boolean
  /** Upstream's tool index -> ours, which counts from 0 without gaps. */
  readonly tools: Map<number, number>
  thinking: SignedThinking | undefined
}

export function sseState(options: SseOptions): SseState {
  return {
    options,
    id: options.id,
    head: frameHead(options.id, options.created, options.model, undefined, undefined),
    tail: options.includeUsage ? '],"usage":null}\n\n' : ']}\n\n',
    choices: new Map(),
  }
}

/**
 * `chat.completion.chunk` frames (OpenAI API reference, spec 2.3.0) that say what the chunk's events say; may be empty.
 * A chunk that brings its own wire text is relayed as it is, because re-serialising costs more than everything else on the way.
 * Usage events write nothing: the usage frame comes last and is written by `encodeUsageFrame`.
 */
export function encodeSse(chunk: AnswerChunk, state: SseState): string {
  if (chunk.wire !== undefined && !state.options.legacyFunctions) {
    for (const event of chunk.events) remember(event, state)
    return state.options.includeUsage ? withNullUsage(chunk.wire) : chunk.wire
  }
  let frames = ''
  for (let at = 0; at < chunk.events.length; at++) {
    const event = chunk.events[at] as AnswerEvent
    const next = chunk.events[at + 1]
    // A text and its log-probabilities belong in one frame, as SDKs pair them by frame.
    if (next?.type === 'logprobs' && 'choice' in event && event.choice === next.choice && event.type !== 'finish') {
      frames += encodeEvent(event, state, logprobsOf(next))
      at++
    } else {
      frames += encodeEvent(event, state, 'null')
    }
  }
  return frames
}

/** The last data frame of a stream whose caller asked for usage: no choices, the tokens, and what they cost. */
export function encodeUsageFrame(usage: Usage, cost: NanoUsd | undefined, state: SseState): string {
  return `${state.head}],"usage":${usageBody(usage, cost)}}\n\n`
}

/** An error inside an open stream: the only way to report one after the first byte. The stream then ends without `DONE`. */
export function encodeErrorFrame(error: SwitchyardError): string {
  return `data: ${errorBody(error)}\n\n`
}

/** `tool_calls` and `function_call` mean the same; each caller gets the word of the dialect it used. */
export function finishWord(reason: FinishReason, legacyFunctions: boolean): FinishReason {
  if (reason === 'tool_calls' && legacyFunctions) return 'function_call'
  if (reason === 'function_call' && !legacyFunctions) return 'tool_calls'
  return reason
}

function encodeEvent(event: AnswerEvent, state: SseState, logprobs: string): string {
  switch (event.type) {
    case 'start':
      remember(event, state)
      return role(state, 0)
    case 'text':
      return role(state, event.choice) + frame(state, event.choice, `"content":${JSON.stringify(event.text)}`, logprobs)
    case 'reasoning':
      return reasoning(event, state, logprobs)
    case 'refusal':
      return role(state, event.choice) + frame(state, event.choice, `"refusal":${JSON.stringify(event.text)}`, logprobs)
    case 'tool-call':
      return role(state, event.choice) + toolCall(event, state, logprobs)
    case 'logprobs':
      return role(state, event.choice) + frame(state, event.choice, '', logprobsOf(event))
    case 'annotations':
      return (
        role(state, event.choice) +
        frame(state, event.choice, `"annotations":${JSON.stringify(event.annotations)}`, logprobs)
      )
    case 'audio':
      return role(state, event.choice) + frame(state, event.choice, `"audio":${JSON.stringify(event.audio)}`, logprobs)
    case 'finish':
      return (
        role(state, event.choice) +
        frame(state, event.choice, '', 'null', `"${finishWord(event.reason, state.options.legacyFunctions)}"`)
      )
    case 'usage':
      return ''
    default:
      return event satisfies never
  }
}

function reasoning(event: Extract<AnswerEvent, { type: 'reasoning' }>, state: SseState, logprobs: string): string {
  const said = event.text === '' ? '' : `"reasoning_content":${JSON.stringify(event.text)}`
  const signed = event.signedBy === undefined ? '' : signedContent(event, state)
  if (said === '' && signed === '') return ''
  const delta = said === '' || signed === '' ? said + signed : `${said},${signed}`
  return role(state, event.choice) + frame(state, event.choice, delta, logprobs)
}

function signedContent(event: Extract<AnswerEvent, { type: 'reasoning' }>, state: SseState): string {
  if (event.signedBy === 'google') return event.signature === undefined ? '' : extraContent(event.signature)
  if (event.signedBy === 'openrouter')
    return event.signature === undefined ? '' : `"reasoning_details":${JSON.stringify(openDetails(event.signature))}`
  const thinking = (choiceOf(state, event.choice).thinking ??= new SignedThinking())
  return thinking.take(event) ? `"extra_content":${JSON.stringify(thinking.extra)}` : ''
}

function toolCall(event: Extract<AnswerEvent, { type: 'tool-call' }>, state: SseState, logprobs: string): string {
  const { tools } = choiceOf(state, event.choice)
  const known = tools.get(event.index)
  const index = known ?? tools.size
  if (known === undefined) tools.set(event.index, index)
  const text = JSON.stringify(event.arguments)
  if (state.options.legacyFunctions) {
    // The deprecated form has room for one call.
    if (index > 0) return ''
    const name = known === undefined ? `"name":${JSON.stringify(event.name ?? '')},` : ''
    return frame(state, event.choice, `"function_call":{${name}"arguments":${text}}`, logprobs)
  }
  if (known !== undefined) {
    const body = event.kind === 'custom' ? `"custom":{"input":${text}}` : `"function":{"arguments":${text}}`
    return frame(state, event.choice, `"tool_calls":[{"index":${index},${body}}]`, logprobs)
  }
  const id = JSON.stringify(event.id ?? callId(state.id, event.choice, index))
  const name = JSON.stringify(event.name ?? '')
  const body =
    event.kind === 'custom'
      ? `"type":"custom","custom":{"name":${name},"input":${text}}`
      : `"type":"function","function":{"name":${name},"arguments":${text}}`
  const signed = event.signature === undefined || event.signedBy !== 'google' ? '' : `,${extraContent(event.signature)}`
  return frame(state, event.choice, `"tool_calls":[{"index":${index},"id":${id},${body}${signed}}]`, logprobs)
}

/** Id of a call whose upstream gave none; SDKs need one to send the result back. */
export function callId(answerId: string, choice: number, index: number): string {
  return `call_${answerId}_${choice}_${index}`
}

function role(state: SseState, choice: number): string {
  const known = choiceOf(state, choice)
  if (known.roleSent) return ''
  known.roleSent = true
  return frame(state, choice, '"role":"assistant","content":""', 'null')
}

function frame(state: SseState, choice: number, delta: string, logprobs: string, finish = 'null'): string {
  return `${state.head}{"index":${choice},"delta":{${delta}},"logprobs":${logprobs},"finish_reason":${finish}}${state.tail}`
}

function logprobsOf(event: Extract<AnswerEvent, { type: 'logprobs' }>): string {
  return JSON.stringify({ content: event.content, refusal: event.refusal })
}

function choiceOf(state: SseState, choice: number): ChoiceState {
  let known = state.choices.get(choice)
  if (known === undefined) {
    known = { roleSent: false, tools: new Map(), thinking: undefined }
    state.choices.set(choice, known)
  }
  return known
}

/** Keeps the state true while frames are relayed, so that a later chunk without wire text goes on where they ended. */
function remember(event: AnswerEvent, state: SseState): void {
  if (event.type === 'start') {
    state.id = event.id
    state.head = frameHead(event.id, event.created, event.model, event.fingerprint, event.serviceTier)
    return
  }
  if (event.type === 'usage') return
  const known = choiceOf(state, event.choice)
  known.roleSent = true
  if (event.type === 'tool-call' && !known.tools.has(event.index)) known.tools.set(event.index, known.tools.size)
}

function frameHead(
  id: string,
  created: number,
  model: string,
  fingerprint: string | undefined,
  serviceTier: string | undefined,
): string {
  return (
    `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)}` +
    (fingerprint === undefined ? '' : `,"system_fingerprint":${JSON.stringify(fingerprint)}`) +
    (serviceTier === undefined ? '' : `,"service_tier":${JSON.stringify(serviceTier)}`) +
    ',"choices":['
  )
}

/** Raw line breaks never occur inside JSON, so `}\n\n` is the end of a frame and nothing else; an escaped quote never matches `"usage":`. */
function withNullUsage(wire: string): string {
  if (wire.includes('"usage":null')) return wire
  // One frame, as nearly always: replacing costs more than all the rest of relaying it.
  return wire.indexOf(FRAME_END) === wire.length - FRAME_END.length
    ? `${wire.slice(0, -FRAME_END.length)},"usage":null${FRAME_END}`
    : wire.replaceAll(FRAME_END, `,"usage":null${FRAME_END}`)
}
