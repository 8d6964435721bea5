/** What the scripted upstream can say: frames, whole answers, and ways to end. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Script, Turn } from './upstream.ts'

const HEAD = { id: 'chatcmpl-upstream', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'served-model' }
const TOKENS = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 }

/** One event with this JSON. */
export function event(body: unknown): string {
  return `data: ${JSON.stringify(body)}\n\n`
}

/** One `chat.completion.chunk` of one choice. */
export function chunk(delta: object, finish: string | null = null, more: object = {}, index = 0): string {
  return event({ ...HEAD, choices: [{ index, delta, finish_reason: finish }], ...more })
}
/** A chunk of usage alone. */
export function usage(tokens: object = TOKENS, choices: readonly object[] = []): string {
  return event({ ...HEAD, choices, usage: tokens })
}
/** One delta with one piece of one tool call. */
export function call(index: number | undefined, piece: { id?: string; name?: string; args?: string }): string {
  const named = piece.name === undefined ? {} : { name: piece.name }
  const args = piece.args === undefined ? {} : { arguments: piece.args }
  return chunk({
    tool_calls: [
      {
        ...(index === undefined ? {} : { index }),
        ...(piece.id === undefined ? {} : { id: piece.id, type: 'function' }),
        function: { ...named, ...args },
      },
    ],
  })
}

export const ROLE: string = chunk({ role: 'assistant', content: '' })
export const DONE = 'data: [DONE]\n\n'
/** Goes out only where the request asked for it, as the real service does. */
export const USAGE: string = usage()

/** The frames of a whole answer with these pieces of text. */
export function saying(...texts: readonly string[]): readonly string[] {
  return [ROLE, ...texts.map((content) => chunk({ content })), chunk({}, 'stop'), USAGE, DONE]
}

/** A whole answer, or a stream of these events in one write. */
export function stream(...frames: readonly string[]): Script {
  return (turn) => {
    if (!turn.wantsStream) return answerWhole(turn)
    start(turn).end(asked(turn, frames).join(''))
    return undefined
  }
}

/** As `stream`, but every piece is a write of its own. `pauseMs` lies between them. */
export function pieces(list: readonly (string | Buffer)[], pauseMs = 0): Script {
  return async (turn) => {
    if (!turn.wantsStream) return answerWhole(turn)
    const response = start(turn)
    for (const piece of list) {
      response.write(piece)
      if (pauseMs > 0) await sleep(pauseMs)
      else await new Promise((resolve) => setImmediate(resolve))
    }
    response.end()
    return undefined
  }
}

/** The text's bytes, each a write of its own. */
export function eachByte(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text)
  return Array.from({ length: bytes.length }, (_, i) => bytes.subarray(i, i + 1))
}

/** Sends the frames, then closes the connection in the middle of the answer. */
export function cutAfter(...frames: readonly string[]): Script {
  return async ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    if (frames.length > 0) response.write(frames.join(''))
    await sleep(50)
    response.destroy()
  }
}

/** Sends the frames, then nothing more, and does not close. */
export function silentAfter(...frames: readonly string[]): Script {
  return ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    if (frames.length > 0) response.write(frames.join(''))
  }
}

/** Sends each frame only when the check has opened the gate for it. */
export function gated(...frames: readonly string[]): Script {
  return async (turn) => {
    const response = start(turn)
    for (const frame of asked(turn, frames)) {
      await turn.gate.wait()
      response.write(frame)
    }
    response.end()
  }
}

/** A status, a body and its headers. */
export function reply(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Script {
  return ({ response }) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body)
  }
}

/** The given message where the gateway asked for a whole answer, the frames where it asked for a stream. */
export function either(message: object, finish: string, ...frames: readonly string[]): Script {
  return (turn) => {
    if (turn.wantsStream) start(turn).end(asked(turn, frames).join(''))
    else answerWhole(turn, message, finish)
  }
}

/** What the upstream says where no row asks for anything else. */
export const PLAIN: Script = stream(...saying('Hello', ' there'))

function asked(turn: Turn, frames: readonly string[]): readonly string[] {
  return turn.wantsUsage ? frames : frames.filter((frame) => frame !== USAGE)
}

function start(turn: Turn): Turn['response'] {
  turn.response.writeHead(200, { 'content-type': 'text/event-stream' })
  turn.response.flushHeaders()
  return turn.response
}

function answerWhole(
  turn: Turn,
  message: object = { role: 'assistant', content: 'Hello there' },
  finish = 'stop',
): void {
  const body = {
    ...HEAD,
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason: finish }],
    usage: TOKENS,
  }
  turn.response.writeHead(200, { 'content-type': 'application/json' })
  turn.response.end(JSON.stringify(body))
}
