import { ANSWER, LOGPROB } from './capabilities.ts'
import { data, halves, type Fields } from './fields.ts'
import type { Speaker } from './speaker.ts'
import type { Told } from './told.ts'

interface Accent {
  /** Where servers of this kind show what the model thinks. */
  readonly thoughtField: 'reasoning_content' | 'reasoning'
  /** TGI's answers have no id, and its calls are numbered. */
  readonly hasIds: boolean
  readonly overloaded: Speaker['overloaded']
  readonly failure: Fields
}

const FINISH = { stop: 'stop', length: 'length', calls: 'tool_calls', refusal: 'stop' } as const

/** Chat completions as OpenAI, vLLM and TGI write them. */
export function chatSpeaker(accent: Accent): Speaker {
  const head = (object: string): Fields => ({
    id: accent.hasIds ? 'chatcmpl-up' : '',
    object,
    created: 1,
    model: 'served',
  })
  const frame = (choice: object | undefined, more: Fields = {}): string =>
    data({ ...head('chat.completion.chunk'), choices: choice === undefined ? [] : [choice], ...more })
  const callId = (id: string, at: number): string => (accent.hasIds ? id : String(at))

  function whole(told: Told): Fields {
    return {
      ...head('chat.completion'),
      choices: told.texts.map((text, index) => ({
        index,
        message: messageOf(told, text),
        logprobs: told.hasLogprobs ? logprobs(text) : null,
        finish_reason: FINISH[told.finish],
      })),
      usage: usageOf(told),
    }
  }

  function messageOf({ calls, thought, refusal }: Told, text: string): Fields {
    return {
      role: 'assistant',
      content: text === '' ? null : text,
      ...(thought === undefined ? {} : { [accent.thoughtField]: thought.text }),
      ...(refusal === undefined ? {} : { refusal }),
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map(({ id, name, arguments: args }, at) => ({
              id: callId(id, at),
              type: 'function',
              function: { name, arguments: args },
            })),
          }),
    }
  }

  function stream(told: Told): string {
    return (
      told.texts.map((text, index) => choiceFrames(told, text, index)).join('') +
      frame(undefined, { usage: usageOf(told) }) +
      'data: [DONE]\n\n'
    )
  }

  function choiceFrames(told: Told, text: string, index: number): string {
    const { calls, thought, refusal, hasLogprobs, finish } = told
    const say = (delta: Fields, more: Fields = {}): string => frame({ index, delta, finish_reason: null, ...more })
    const pieces = text === '' ? [] : halves(text)
    return [
      say({ role: 'assistant', content: '' }),
      ...(thought === undefined ? [] : halves(thought.text).map((piece) => say({ [accent.thoughtField]: piece }))),
      ...pieces.map((piece) => say({ content: piece }, hasLogprobs ? { logprobs: logprobs(piece) } : {})),
      ...(refusal === undefined ? [] : halves(refusal).map((piece) => say({ refusal: piece }))),
      ...calls.flatMap(({ id, name, arguments: args }, at) => {
        const [first, rest] = halves(args)
        const named = { index: at, id: callId(id, at), type: 'function', function: { name, arguments: first } }
        return [say({ tool_calls: [named] }), say({ tool_calls: [{ index: at, function: { arguments: rest } }] })]
      }),
      frame({ index, delta: {}, finish_reason: FINISH[finish] }),
    ].join('')
  }

  return {
    whole,
    stream,
    overloaded: accent.overloaded,
    broken: frame({ index: 0, delta: { content: halves(ANSWER)[0] }, finish_reason: null }) + data(accent.failure),
  }
}

function logprobs(token: string): Fields {
  return { content: [{ token, logprob: LOGPROB, bytes: null, top_logprobs: [] }], refusal: null }
}

function usageOf({ usage: { input, cached, output } }: Told): Fields {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(cached === 0 ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
  }
}
