/**
 * Callers of the three streaming APIs that read an answer as strictly as their official clients do, and tell what they saw in the same
 * words: what was said, how it ended, and whether it ended at all. Anything out of turn throws.
 */
import { framesOf } from './messages-stream.ts'

export const INGRESSES = ['chat', 'messages', 'responses'] as const
export type Ingress = (typeof INGRESSES)[number]

export interface SeenCall {
  readonly id: string
  readonly name: string
  arguments: string
}

export interface Seen {
  readonly status: number
  readonly text: string
  /** Text by choice; only chat has more than the first. */
  readonly content: Map<number, string>
  /** Finish reason by choice, in chat's words. */
  readonly finish: Map<number, string>
  readonly calls: SeenCall[]
  readonly reasoning: string
  /** `cut` = neither an end nor an error: the one thing that must never happen. */
  readonly terminal: 'done' | 'error_then_close' | 'http_error' | 'cut'
  readonly errorCode: string | undefined
  readonly usage: { readonly input: number; readonly output: number } | undefined
}

type Fields = Readonly<Record<string, unknown>>
type Read = Omit<Seen, 'status' | 'text'>
interface Question {
  readonly model: string
  readonly tools?: readonly string[]
  /** More headers of the request, as `x-task-id`. */
  readonly headers?: Readonly<Record<string, string>>
}
interface Caller {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  body(question: Question): Fields
  read(text: string): Read
  /** The gateway's code in an error body. */
  codeOf(body: Fields): string
  /** What must stand nowhere in a broken answer. */
  readonly endMark: string
}

/** Asks for a stream and reads it to its end. */
export async function askStream(url: string, ingress: Ingress, question: Question): Promise<Seen> {
  const caller = CALLERS[ingress]
  const response = await fetch(`${url}${caller.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...caller.headers, ...question.headers },
    body: JSON.stringify({ model: question.model, stream: true, ...caller.body(question) }),
  })
  const text = await response.text()
  const { status } = response
  if (status === 200) return { status, text, ...caller.read(text) }
  const errorCode = caller.codeOf(JSON.parse(text) as Fields)
  return { status, text, ...emptyRead(), terminal: 'http_error', errorCode }
}

/** What a client would take for the end of a whole answer. */
export function endMarkOf(ingress: Ingress): string {
  return CALLERS[ingress].endMark
}

const SCHEMA = { type: 'object', properties: {} }
const BEARER = { authorization: 'Bearer sk-test' }

const CALLERS: Readonly<Record<Ingress, Caller>> = {
  chat: {
    path: '/v1/chat/completions',
    headers: BEARER,
    body: ({ tools = [] }) => ({
      messages: [{ role: 'user', content: 'ping' }],
      stream_options: { include_usage: true },
      ...(tools.length === 0
        ? {}
        : { tools: tools.map((name) => ({ type: 'function', function: { name, parameters: SCHEMA } })) }),
    }),
    read: readChat,
    codeOf: (body) => (body['error'] as { code: string }).code,
    endMark: '[DONE]',
  },
  messages: {
    path: '/v1/messages',
    headers: { 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' },
    body: ({ tools = [] }) => ({
      max_tokens: 1000,
      messages: [{ role: 'user', content: 'ping' }],
      ...(tools.length === 0 ? {} : { tools: tools.map((name) => ({ name, input_schema: SCHEMA })) }),
    }),
    read: readMessages,
    codeOf: messagesCode,
    endMark: 'message_stop',
  },
  responses: {
    path: '/v1/responses',
    headers: BEARER,
    body: ({ tools = [] }) => ({
      input: 'ping',
      ...(tools.length === 0
        ? {}
        : { tools: tools.map((name) => ({ type: 'function', name, parameters: SCHEMA, strict: false })) }),
    }),
    read: readResponses,
    codeOf: (body) => (body['error'] as { code: string }).code,
    endMark: '"status":"completed"',
  },
}

function emptyRead(): { -readonly [Name in keyof Read]: Read[Name] } {
  return {
    content: new Map(),
    finish: new Map(),
    calls: [],
    reasoning: '',
    terminal: 'cut',
    errorCode: undefined,
    usage: undefined,
  }
}

function messagesCode(body: Fields): string {
  return (body['error'] as { details: { error_code: string } }).details.error_code
}

function add(texts: Map<number, string>, at: number, text: string): void {
  texts.set(at, (texts.get(at) ?? '') + text)
}

interface ChatChunk {
  readonly error?: { readonly code: string }
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null
  readonly choices?: readonly {
    readonly index: number
    readonly delta: {
      readonly content?: string | null
      readonly reasoning_content?: string
      readonly tool_calls?: readonly {
        readonly index: number
        readonly id?: string
        readonly function: { readonly name?: string; readonly arguments?: string }
      }[]
    }
    readonly finish_reason: string | null
  }[]
}

function readChat(text: string): Read {
  const read = emptyRead()
  for (const event of text.split('\n\n')) {
    const data = event.startsWith('data: ') ? event.slice(6) : undefined
    if (data === undefined) continue
    if (read.terminal !== 'cut') throw new Error(`After the end came: ${data}`)
    if (data === '[DONE]') {
      read.terminal = 'done'
      continue
    }
    const chunk = JSON.parse(data) as ChatChunk
    if (chunk.error !== undefined) {
      read.errorCode = chunk.error.code
      read.terminal = 'error_then_close'
      continue
    }
    for (const { index, delta, finish_reason: finish } of chunk.choices ?? []) {
      add(read.content, index, delta.content ?? '')
      read.reasoning += delta.reasoning_content ?? ''
      for (const call of delta.tool_calls ?? []) {
        const known = read.calls[call.index]
        if (known !== undefined) known.arguments += call.function.arguments ?? ''
        else if (call.index !== read.calls.length || call.id === undefined) throw new Error('A call out of turn.')
        else
          read.calls.push({
            id: call.id,
            name: String(call.function.name),
            arguments: call.function.arguments ?? '',
          })
      }
      if (finish !== null) read.finish.set(index, finish)
    }
    if (chunk.usage) read.usage = { input: chunk.usage.prompt_tokens, output: chunk.usage.completion_tokens }
  }
  return read
}

const STOP_REASONS: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  refusal: 'content_filter',
}

function readMessages(text: string): Read {
  const read = emptyRead()
  let open: Fields | undefined
  let blocks = 0
  for (const { event, data } of framesOf(text)) {
    if (read.terminal !== 'cut') throw new Error(`After the end came ${event}.`)
    if (event !== data['type']) throw new Error(`${event} is called ${String(data['type'])} inside.`)
    switch (event) {
      case 'message_start':
      case 'ping':
        break
      case 'content_block_start': {
        if (open !== undefined || data['index'] !== blocks) throw new Error('A block begins out of turn.')
        open = data['content_block'] as Fields
        if (open['type'] === 'tool_use')
          read.calls.push({ id: String(open['id']), name: String(open['name']), arguments: '' })
        break
      }
      case 'content_block_delta': {
        if (open === undefined || data['index'] !== blocks) throw new Error('A delta out of turn.')
        const delta = data['delta'] as Readonly<Record<string, string>>
        add(read.content, 0, delta['text'] ?? '')
        read.reasoning += delta['thinking'] ?? ''
        if (delta['partial_json'] !== undefined) (read.calls.at(-1) as SeenCall).arguments += delta['partial_json']
        break
      }
      case 'content_block_stop':
        if (open === undefined) throw new Error('A block ends that is not open.')
        open = undefined
        blocks += 1
        break
      case 'message_delta': {
        const { stop_reason: reason } = data['delta'] as { stop_reason: string }
        read.finish.set(0, STOP_REASONS[reason] ?? reason)
        const { usage } = data as { usage: { input_tokens: number; output_tokens: number } } & Fields
        const cached = usage as unknown as Record<string, number | null>
        const input =
          usage.input_tokens + (cached['cache_read_input_tokens'] ?? 0) + (cached['cache_creation_input_tokens'] ?? 0)
        read.usage = { input, output: usage.output_tokens }
        break
      }
      case 'message_stop':
        if (open !== undefined) throw new Error('The message ends in a block.')
        read.terminal = 'done'
        break
      case 'error':
        read.terminal = 'error_then_close'
        read.errorCode = messagesCode(data)
        break
      default:
        throw new Error(`Unknown event ${event}.`)
    }
  }
  return read
}

interface ResponseObject {
  readonly status: string
  readonly error: { readonly code: string } | null
  readonly incomplete_details: { readonly reason: string } | null
  readonly output: readonly ({
    readonly type: string
    readonly content?: readonly { readonly text?: string }[]
  } & Fields)[]
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number } | null
}

function readResponses(text: string): Read {
  const read = emptyRead()
  const frames = framesOf(text.replaceAll(': keep-alive\n\n', ''))
  let hasFailed = false
  for (const [number, { event, data }] of frames.entries()) {
    if (data['sequence_number'] !== number)
      throw new Error(`Event ${number} is numbered ${String(data['sequence_number'])}.`)
    if (read.terminal !== 'cut') throw new Error(`After the end came ${event}.`)
    if (hasFailed && event !== 'error') throw new Error(`After the failure came ${event}.`)
    switch (event) {
      case 'response.output_text.delta':
        add(read.content, 0, String(data['delta']))
        break
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        read.reasoning += String(data['delta'])
        break
      case 'response.failed':
        hasFailed = true
        break
      case 'error':
        if (!hasFailed) throw new Error('An error without response.failed.')
        read.terminal = 'error_then_close'
        read.errorCode = String(data['code'])
        break
      case 'response.completed':
      case 'response.incomplete':
        readEnd(read, data['response'] as ResponseObject)
        break
      default:
    }
  }
  return read
}

/** The last event holds the whole response: it must say what the events said. */
function readEnd(
  read: ReturnType<typeof emptyRead>,
  { status, output, usage, incomplete_details: why }: ResponseObject,
): void {
  const said = output.flatMap(({ content = [] }) => content.map(({ text = '' }) => text)).join('')
  if (output.some(({ type }) => type === 'message') && said !== (read.content.get(0) ?? ''))
    throw new Error('The response does not hold what its events said.')
  for (const item of output)
    if (item.type === 'function_call')
      read.calls.push({ id: String(item['call_id']), name: String(item['name']), arguments: String(item['arguments']) })
  const finish = why?.reason === 'content_filter' ? 'content_filter' : status === 'incomplete' ? 'length' : 'stop'
  read.finish.set(0, finish === 'stop' && read.calls.length > 0 ? 'tool_calls' : finish)
  if (usage !== null) read.usage = { input: usage.input_tokens, output: usage.output_tokens }
  read.terminal = 'done'
}
