/** Anthropic's form holds the same conversation. */
export type Api = 'chat' | 'messages'

/** Makes the next request body; no two are alike, so that no cache can answer. */
export type BodyMaker = () => string

const WORDS = (
  'please check why the nightly export of invoices fails since the schema migration and propose a fix that keeps the ' +
  'old column readable until every consumer has moved then explain the trade off between a view and a trigger for ' +
  'the team in two short paragraphs and list the commands needed to roll back if the staging run shows a difference ' +
  'larger than one cent between the ledger and the warehouse table grouped by customer country and currency code'
).split(' ')

/** Marks the place of the serial number in a prepared body; nine digits keep every length equal. */
const MARK = '@@SERIAL@'
const VARIANTS = 256

export interface BodyOptions {
  /** Bytes of the whole body, reached to within a word. */
  readonly bytes: number
  readonly stream: boolean
  /** The API that is spoken; OpenAI's chat if left out. */
  readonly api?: Api
  /** First serial number; runs that must not repeat each other's bodies start at different ones. */
  readonly from: number
}

/**
 * Chat requests of about `bytes` bytes with `model: auto`. A thousand bytes are one short conversation; more is the
 * history of an agent, with tool calls and their results, because that is what long requests are made of.
 */
export function chatBodies(options: BodyOptions): BodyMaker {
  const variants = Array.from({ length: VARIANTS }, (_, variant) => prepare(options, variant))
  let serial = options.from
  return () => {
    serial += 1
    const parts = variants[serial % VARIANTS]
    if (parts === undefined) throw new Error('a prepared body is missing')
    return parts.before + String(serial % 1_000_000_000).padStart(9, '0') + parts.after
  }
}

function prepare(options: BodyOptions, variant: number): { before: string; after: string } {
  const body = (filler: number): string => JSON.stringify(request(options, variant, filler))
  const empty = body(0).length
  const text = body(Math.max(0, options.bytes - empty))
  const [before = '', after = ''] = text.split(MARK)
  return { before, after }
}

const SYSTEM = 'You are a careful assistant of the finance platform team. Answer briefly.'

function request(options: BodyOptions, variant: number, filler: number): object {
  return options.api === 'messages' ? messagesRequest(options, variant, filler) : chatRequest(options, variant, filler)
}

function messagesRequest(options: BodyOptions, variant: number, filler: number): object {
  const turns = options.bytes > 4000 ? 8 : 0
  const perPart = Math.floor(filler / (2 * turns + 1))
  const history = Array.from({ length: turns }, (_, turn) => {
    const id = `call_${variant}_${turn}`
    const use = { type: 'tool_use', id, name: 'run_query', input: { sql: prose(perPart, variant + 3 * turn) } }
    const result = { type: 'tool_result', tool_use_id: id, content: prose(perPart, variant + 5 * turn) }
    return [
      { role: 'assistant', content: [use] },
      { role: 'user', content: [result] },
    ]
  }).flat()
  return {
    model: 'auto',
    system: SYSTEM,
    messages: [{ role: 'user', content: `Ticket ${MARK}: ${prose(perPart, variant)}` }, ...history],
    max_tokens: 256,
    temperature: 0.2,
    ...(options.stream ? { stream: true } : {}),
  }
}

function chatRequest(options: BodyOptions, variant: number, filler: number): object {
  const turns = options.bytes > 4000 ? 8 : 0
  const perPart = Math.floor(filler / (2 * turns + 1))
  const history = Array.from({ length: turns }, (_, turn) => {
    const id = `call_${variant}_${turn}`
    const call = { name: 'run_query', arguments: JSON.stringify({ sql: prose(perPart, variant + 3 * turn) }) }
    return [
      { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: call }] },
      { role: 'tool', tool_call_id: id, content: prose(perPart, variant + 5 * turn) },
    ]
  }).flat()
  return {
    model: 'auto',
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: `Ticket ${MARK}: ${prose(perPart, variant)}` },
      ...history,
    ],
    max_tokens: 256,
    temperature: 0.2,
    ...(options.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  }
}

/** Text of `length` characters that starts at another word for every seed. */
function prose(length: number, seed: number): string {
  let text = ''
  for (let at = seed * 7; text.length < length; at += 1 + (seed % 3)) text += `${WORDS[at % WORDS.length]} `
  return text.slice(0, length)
}
