import { randomUUID } from 'node:crypto'
import type { AnswerEvent } from '../../protocol/answer.ts'
import type { Adapter, Sent, WholeAnswer } from '../adapter.ts'
import { decodeWhole } from '../openai/decode-whole.ts'
import { failure } from '../openai/errors.ts'
import { TgiChatDecoder, withOwnId } from './chat-stream.ts'
import { encodeTgiChat } from './encode-chat.ts'
import { encodeTgiGenerate } from './encode-generate.ts'
import { fromTgiRefusal, tgiErrorIn } from './errors.ts'
import { GenerateReader } from './generate-reader.ts'
import { GenerateStreamDecoder } from './generate-stream.ts'

/** Hugging Face text-generation-inference: its chat route, and the native one for models without a chat template (`models.X.api`). */
export const tgiAdapter: Adapter = {
  says: new Set(),
  headers: (key) => (key === undefined ? {} : { authorization: `Bearer ${key}` }),
  encode: (request, target, send) =>
    target.api === 'generate' ? encodeTgiGenerate(request, target, send) : encodeTgiChat(request, target, send),
  stream: (requestBytes, _choices, sent) =>
    sent.target.api === 'generate'
      ? new GenerateStreamDecoder(new GenerateReader(requestBytes, sent.request), startOf(sent))
      : new TgiChatDecoder(requestBytes, startOf(sent)),
  whole(body, requestBytes, sent) {
    const value = parsed(body)
    const error = tgiErrorIn(value)
    if (error !== undefined) return { error }
    return sent.target.api === 'generate' ? wholeText(value, requestBytes, sent) : wholeChat(body, requestBytes, sent)
  },
  refusal: fromTgiRefusal,
}

/** The native route, which takes raw prompts as they are. */
export const tgiTextAdapter: Adapter = { ...tgiAdapter, says: new Set(['prompt']) }

/** TGI's answers have no id and may have no model. */
function startOf({ target }: Sent): Extract<AnswerEvent, { type: 'start' }> {
  return { type: 'start', id: randomUUID(), model: target.model, created: Math.floor(Date.now() / 1000) }
}

function wholeChat(body: string, requestBytes: number, sent: Sent): WholeAnswer {
  const answer = decodeWhole(body, requestBytes)
  if ('error' in answer) return answer
  const start = startOf(sent)
  const rest = answer.events.filter((event) => event.type !== 'start').map((event) => withOwnId(event, start.id))
  return { events: [start, ...rest], usage: answer.usage }
}

function wholeText(value: unknown, requestBytes: number, sent: Sent): WholeAnswer {
  const reader = new GenerateReader(requestBytes, sent.request)
  const events: AnswerEvent[] = [startOf(sent)]
  reader.take(Array.isArray(value) ? (value as readonly unknown[])[0] : value, events)
  if (reader.error !== undefined) return { error: reader.error }
  if (!reader.hasFinish) return { error: failure('upstream_garbage', { detail: 'a 200 that is no generated text' }) }
  return { events, usage: reader.usage() }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
