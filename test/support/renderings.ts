/** How the templates of well-known models write a request into a prompt, as far as lengths go; each returns the whole prompt. */
import type { ChatRequest, Json, Message } from '../../src/protocol/request.ts'
import { textsOf } from '../../src/budget/hold/input-bound.ts'

export type Rendering = (request: ChatRequest) => string

const wrapped = (request: ChatRequest): readonly Json[] =>
  request.tools.map(({ kind, ...tool }) => ({ type: kind, function: tool as unknown as Json }))
const parsed = (text: string): Json => {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}
/** Python's `json.dumps`: blanks after commas and colons, everything beyond ASCII escaped if asked. */
export function dumps(value: Json, ascii: boolean): string {
  const string = (text: string): string =>
    ascii
      ? JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      : JSON.stringify(text)
  if (typeof value === 'string') return string(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map((item) => dumps(item, ascii)).join(', ')}]`
  return `{${Object.entries(value)
    .map(([key, item]) => `${string(key)}: ${dumps(item, ascii)}`)
    .join(', ')}}`
}
/** minijinja's `tojson`, safe inside HTML. */
export const html = (text: string): string =>
  text.replace(/[<>&']/g, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`)
const text = (message: Message): string => textsOf(message).join('')
const calls = (message: Message): readonly { readonly name: string; readonly arguments: string }[] =>
  message.role === 'assistant' ? (message.toolCalls ?? []) : []

function chat(
  request: ChatRequest,
  tools: string,
  call: (name: string, given: string) => string,
  open: string,
  close: string,
): string {
  const messages = request.messages.map(
    (message) =>
      `${open.replace('ROLE', message.role)}${text(message)}${calls(message)
        .map((each) => call(each.name, each.arguments))
        .join('')}${close}`,
  )
  return `${tools}${messages.join('')}`
}

/** Llama 3.1: tools as JSON with an indentation of four, header marks even as plain text. */
const llama: Rendering = (request) =>
  chat(
    request,
    wrapped(request)
      .map((tool) => `${JSON.stringify(tool, null, 4)}\n\n`)
      .join(''),
    (name, given) => `{"name": "${name}", "parameters": ${dumps(parsed(given), false)}}`,
    '<|start_header_id|>ROLE<|end_header_id|>\n\n',
    '<|eot_id|>',
  )
/** Qwen 2.5: one tool a line, as `json.dumps` without escapes. */
const qwen: Rendering = (request) =>
  chat(
    request,
    wrapped(request)
      .map((tool) => `\n${dumps(tool, false)}`)
      .join(''),
    (name, given) => `\n<tool_call>\n{"name": "${name}", "arguments": ${dumps(parsed(given), false)}}\n</tool_call>`,
    '<|im_start|>ROLE\n',
    '<|im_end|>\n',
  ).normalize('NFC')
/** A template that escapes all it can, as TGI's and some of Python's do, before a tokeniser that normalises to NFKC. */
const escaping: Rendering = (request) =>
  chat(
    request,
    wrapped(request)
      .map((tool) => html(dumps(tool, true)))
      .join(' '),
    (name, given) => `[TOOL_CALLS]${html(JSON.stringify({ name }))}${html(dumps(parsed(given), true))}`,
    '[INST] ',
    '[/INST]',
  ).normalize('NFKC')
/** Qwen3-Coder and GLM 4.5: tools and arguments as elements, one per property. */
const xml: Rendering = (request) => {
  const element = (key: string, value: unknown): string =>
    value === undefined ? '' : `\n<${key}>${typeof value === 'string' ? value : dumps(value as Json, false)}</${key}>`
  const tools = request.tools.map((tool) => {
    const schema = (tool.kind === 'function' ? tool.parameters : tool.format) ?? {}
    const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, Json>>).map(
      ([key, each]) =>
        `\n<parameter>\n<name>${key}</name>${Object.entries(each)
          .map(([field, value]) => element(field, value))
          .join('')}\n</parameter>`,
    )
    return `\n<function>\n<name>${tool.name}</name>${element('description', tool.description)}\n<parameters>${properties.join('')}\n</parameters>\n</function>`
  })
  return chat(
    request,
    tools.join(''),
    (name, given) => {
      const value = parsed(given)
      const fields = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
      return `<tool_call>${name}\n${fields
        .map(
          ([key, item]) =>
            `<arg_key>${key}</arg_key>\n<arg_value>${typeof item === 'string' ? item : dumps(item as Json, false)}</arg_value>\n`,
        )
        .join('')}</tool_call>`
    },
    '<|ROLE|>\n',
    '',
  )
}
/** OpenAI: tools as TypeScript declarations, as its models repeat them when asked. */
const typescript: Rendering = (request) => {
  const tools = request.tools.map((tool) => {
    const schema = (tool.kind === 'function' ? tool.parameters : tool.format) ?? {}
    const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, Json>>).map(
      ([key, each]) =>
        `\n// ${String(each['description'] ?? '')}\n${key}?: ${Array.isArray(each['enum']) ? each['enum'].map((value) => JSON.stringify(value)).join(' | ') : String(each['type'])}, // default: ${JSON.stringify(each['default'] ?? null)}`,
    )
    return `// ${tool.description ?? ''}\ntype ${tool.name} = (_: {${properties.join('')}\n}) => any;\n\n`
  })
  return chat(request, tools.join(''), (name, given) => ` to=functions.${name}${given}`, '', '')
}

export const ENGINE_RENDERINGS: Readonly<Record<string, Rendering>> = { llama, qwen, escaping, xml }
export const OPENAI_RENDERINGS: Readonly<Record<string, Rendering>> = { typescript }
