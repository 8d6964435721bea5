/** The chat endpoint's bad bodies as bodies of the Messages API that break the same rule. */
import { generateBody, type Generator } from './generators.ts'

export interface RequestRow {
  readonly id: string
  readonly field: string
  readonly outcome: 'reject' | 'accept' | 'either'
  readonly body?: unknown
  readonly raw?: string
  readonly raw_b64?: string
  readonly gen?: Generator
  readonly shield?: boolean
  readonly expect: { readonly status: readonly number[]; readonly error?: { readonly param?: unknown } }
}

export interface MessagesVector {
  /** Made when it is needed: some are large. */
  readonly body: () => string | Buffer
  readonly outcome: RequestRow['outcome']
  readonly status: readonly number[]
  /** The top-level field at fault, where the vector names one. */
  readonly field: string | undefined
}

type Body = Record<string, unknown>

/** Fields of the chat body that mean the same here, and their name. Rows about others have no counterpart. */
const FIELDS: Readonly<Record<string, string>> = {
  model: 'model',
  messages: 'messages',
  temperature: 'temperature',
  top_p: 'top_p',
  max_tokens: 'max_tokens',
  max_completion_tokens: 'max_tokens',
  stream: 'stream',
  stop: 'stop_sequences',
  tools: 'tools',
  tool_choice: 'tool_choice',
  reasoning_effort: 'output_config',
  response_format: 'output_config',
  user: 'metadata',
  metadata: 'metadata',
  '(unknown)': '(unknown)',
  '(shield)': '(shield)',
  '(raw)': '(raw)',
}

/**
 * Rows whose rule the Messages API does not have or has the other way round: `max_tokens` and `input_schema` are required, a result's
 * content is not, `name`, custom tools and several answers do not exist, names and lists of tools may be longer, a temperature ends
 * at 1, a call's input is an object, and metadata is other data.
 */
const WITHOUT_COUNTERPART =
  /^(?:metadata\/(?!type-(?:true|int|string|array))|messages\/(?:name|audio|passthrough|tool-call-(?:custom|args)|tool-args-object|tool-result-content-missing|function|user-name|role-(?:function|developer))|tools\/(?:name-65|129|custom|mixed|bad-type|no-function|type-null)|tool_choice\/(?:ok|bad|type|auto|no|required)|response_format\/(?:text|type|response|regex|strict|schema-(?:no-name|name|bad-name)|ok|json)|reasoning_effort\/(?:type-|ok-(?:none|minimal))|max_(?:completion_)?tokens\/(?:type-null|both)|stop\/(?:type-(?:string|empty|numstr)|one|lone|five|empty)|temperature\/(?:at|type-(?:null|float))|stream\/type-null)/

/** The same mistake as a body of `POST /v1/messages`; undefined where there is none. */
export function messagesVector(row: RequestRow): MessagesVector | undefined {
  const field = FIELDS[row.field]
  if (field === undefined || WITHOUT_COUNTERPART.test(row.id)) return undefined
  const shared = {
    outcome: row.outcome,
    status: row.expect.status,
    field: field.startsWith('(') ? undefined : field,
  }
  return { ...shared, body: () => bodyOf(row) }
}

function bodyOf(row: RequestRow): string | Buffer {
  if (row.raw_b64 !== undefined) {
    const bytes = Buffer.from(row.raw_b64, 'base64').toString('latin1')
    return Buffer.from(withCap(bytes), 'latin1')
  }
  if (row.raw !== undefined) return withCap(row.raw)
  if (row.gen === undefined) return JSON.stringify(translate(row.body as Body))
  const text = generateBody(row.gen)
  // Whatever was made by repeating text is about JSON itself.
  if (row.gen.fn === 'wrap' || row.gen.fn === 'repeat' || row.id.includes('deep')) return withCap(text)
  return JSON.stringify(translate(JSON.parse(text) as Body))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function withCap(text: string): string {
  return text.replaceAll('"max_completion_tokens"', '"max_tokens"').replace(/^(\s*\{)(?=\s*")/, '$1"max_tokens":64,')
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function translate(body: Body): Body {
  const {
    stop,
    tools,
    tool_choice,
    messages,
    max_tokens,
    max_completion_tokens,
    user,
    reasoning_effort,
    response_format,
    ...rest
  } = body
  const config: Body = {}
  if (reasoning_effort !== undefined) config['effort'] = reasoning_effort
  if (isBody(response_format)) config['format'] = formatOf(response_format)
  const cap = 'max_tokens' in body ? max_tokens : max_completion_tokens
  return {
    ...rest,
    max_tokens: cap === undefined ? 64 : cap,
    ...('messages' in body ? { messages: Array.isArray(messages) ? messages.map(messageOf) : messages } : {}),
    ...(stop === undefined ? {} : { stop_sequences: stop }),
    ...(tools === undefined ? {} : { tools: Array.isArray(tools) ? tools.map(toolOf) : tools }),
    ...(tool_choice === undefined ? {} : { tool_choice: choiceOf(tool_choice) }),
    ...(user === undefined ? {} : { metadata: { user_id: user } }),
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
  }
}

function formatOf(format: Body): unknown {
  const { json_schema: schema } = format
  return { type: format['type'], ...(isBody(schema) ? { schema: schema['schema'] } : {}) }
}

function messageOf(message: unknown): unknown {
  if (!isBody(message)) return message
  if (message['role'] === 'tool') {
    const { tool_call_id: id, content } = message
    return { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: contentOf(content) }] }
  }
  const { tool_calls: calls, ...rest } = message
  if (!Array.isArray(calls)) return { ...rest, ...('content' in rest ? { content: contentOf(rest['content']) } : {}) }
  const text = typeof message['content'] === 'string' ? [{ type: 'text', text: message['content'] }] : []
  return { role: message['role'], content: [...text, ...calls.map(callOf)] }
}

function contentOf(content: unknown): unknown {
  return Array.isArray(content) ? content.map((part) => (isBody(part) ? partOf(part) : (part as unknown))) : content
}

function partOf(part: Body): unknown {
  if (part['type'] !== 'image_url') return part
  const image = part['image_url']
  if (!isBody(image)) return { type: 'image', source: image }
  const { url } = image
  const data = typeof url === 'string' ? /^data:(image\/\w+);base64,(.*)$/s.exec(url) : null
  return {
    type: 'image',
    source: data === null ? { type: 'url', url } : { type: 'base64', media_type: data[1], data: data[2] },
  }
}

function callOf(call: unknown): unknown {
  if (!isBody(call)) return call
  const { function: called } = call
  if (!isBody(called)) return { type: 'tool_use', id: call['id'] }
  const { arguments: given } = called
  return {
    type: 'tool_use',
    id: call['id'],
    name: called['name'],
    input: typeof given === 'string' ? parsed(given) : given,
  }
}

function toolOf(tool: unknown): unknown {
  if (!isBody(tool)) return tool
  const { function: body } = tool
  if (!isBody(body)) return tool
  const { name, description, strict } = body
  const schema = 'parameters' in body ? body['parameters'] : { type: 'object' }
  return { name, description, input_schema: schema, strict }
}

function choiceOf(choice: unknown): unknown {
  if (!isBody(choice) || !isBody(choice['function'])) return choice
  return { type: 'tool', name: choice['function']['name'] }
}
