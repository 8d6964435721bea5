/** Turns bodies of chat completions into bodies of the Responses API, faults included: what cannot be translated is left as it is. */
type Body = Readonly<Record<string, unknown>>

const RENAMED: ReadonlyMap<string, string> = new Map([
  ['max_tokens', 'max_output_tokens'],
  ['max_completion_tokens', 'max_output_tokens'],
])
const PARTS: Readonly<Record<string, string>> = { text: 'input_text', image_url: 'input_image', file: 'input_file' }

export function responsesBody(chat: Body): Body {
  // Without a prototype, so that a fault may be called `__proto__`.
  const body = Object.create(null) as Record<string, unknown>
  const nest = (name: string, key: string, value: unknown): void => {
    body[name] = { ...(body[name] as object | undefined), [key]: value }
  }
  for (const [name, value] of Object.entries(chat)) {
    if (name === 'messages') body['input'] = Array.isArray(value) ? value.flatMap(items) : value
    else if (name === 'tools') body['tools'] = Array.isArray(value) ? value.map(flat) : value
    else if (name === 'tool_choice') body[name] = flat(value)
    else if (name === 'response_format') nest('text', 'format', flat(value))
    else if (name === 'verbosity') nest('text', 'verbosity', value)
    else if (name === 'reasoning_effort') nest('reasoning', 'effort', value)
    else body[RENAMED.get(name) ?? name] = value
  }
  return body
}

/** The same for bodies that are text: broken JSON, floods, repeated keys. */
export function responsesText(chat: string | Buffer): string | Buffer {
  return typeof chat === 'string'
    ? chat.replaceAll('"messages"', '"input"')
    : Buffer.from(chat.toString('latin1').replaceAll('"messages"', '"input"'), 'latin1')
}

function items(message: unknown): readonly unknown[] {
  if (!isObject(message)) return [message]
  const { role, content, tool_calls: calls, tool_call_id: id } = message
  if (role === 'tool') return [{ type: 'function_call_output', call_id: id, output: parts(content, 'input_text') }]
  const made = Array.isArray(calls) ? calls.map(call) : []
  const said =
    content === null && made.length > 0
      ? []
      : [{ ...message, content: parts(content, role === 'assistant' ? 'output_text' : 'input_text') }]
  return [...said, ...made]
}

function call(raw: unknown): unknown {
  if (!isObject(raw)) return raw
  const { name, arguments: args } = (raw['function'] ?? {}) as Body
  return { type: 'function_call', call_id: raw['id'], name, arguments: args }
}

function parts(content: unknown, text: string): unknown {
  if (!Array.isArray(content)) return content
  return content.map((part: unknown) => {
    if (!isObject(part)) return part
    const { type } = part
    if (type === 'text') return { ...part, type: text }
    if (type === 'image_url') {
      const image = part['image_url']
      return isObject(image)
        ? { type: 'input_image', image_url: image['url'], detail: image['detail'] }
        : { type: 'input_image', image_url: image }
    }
    if (type === 'file' && isObject(part['file'])) return { type: 'input_file', ...part['file'] }
    return typeof type === 'string' ? { ...part, type: PARTS[type] ?? type } : part
  })
}

/** `{type, X: {…}}` to `{type, …}`, where X is the type's name. */
function flat(value: unknown): unknown {
  if (!isObject(value) || typeof value['type'] !== 'string') return value
  const inner = value[value['type']]
  return isObject(inner) ? { type: value['type'], ...inner } : value
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
