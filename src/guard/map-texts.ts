/** Every text of a request that reaches a model, through one pair of functions: reading and replacing must not see different places. */
import type { ChatRequest, Json, JsonObject, Message, Tool, ToolCall } from '../protocol/request.ts'

export interface TextMap {
  /** The text to send; the same string = unchanged. */
  text(text: string): string
  /** The same for JSON text. */
  jsonText(text: string): string
}

/** The request with its texts replaced; the same object where none was. Names of models, tools and fields stay. */
export function mapTexts(request: ChatRequest, map: TextMap): ChatRequest {
  const { prompt, embed, format } = request
  const changed = {
    messages: mapAll(request.messages, (message) => mapMessage(message, map)),
    tools: mapAll(request.tools, (tool) => mapTool(tool, map)),
    openai: mapJson(request.openai as JsonObject, map) as ChatRequest['openai'],
    passed: mapJson(request.passed, map) as JsonObject,
    sampling:
      request.sampling.stop === undefined
        ? request.sampling
        : withChanges(request.sampling, { stop: mapAll(request.sampling.stop, (stop) => map.text(stop)) }),
    ...(prompt === undefined ? undefined : { prompt: map.text(prompt) }),
    ...(embed === undefined
      ? undefined
      : {
          embed: withChanges(embed, {
            inputs: mapAll(embed.inputs, (input) => (typeof input === 'string' ? map.text(input) : input)),
          }),
        }),
    ...(format?.type !== 'json_schema'
      ? undefined
      : {
          format: withChanges(format, {
            ...mapped('description', format.description, map),
            ...(format.schema === undefined ? undefined : { schema: mapSchema(format.schema, map) }),
          }),
        }),
  }
  return withChanges(request, changed)
}

function mapMessage(message: Message, map: TextMap): Message {
  const content = mapContent(message.content, map)
  switch (message.role) {
    case 'system':
    case 'developer':
    case 'user':
      return withChanges(message, { content, ...mapped('name', message.name, map) } as Partial<typeof message>)
    case 'tool':
      return withChanges(message, { content } as Partial<typeof message>)
    case 'assistant':
      return withChanges(message, {
        content,
        ...mapped('name', message.name, map),
        ...mapped('refusal', message.refusal, map),
        ...(message.toolCalls === undefined
          ? undefined
          : { toolCalls: mapAll(message.toolCalls, (call) => mapCall(call, map)) }),
        ...(message.reasoning === undefined
          ? undefined
          : { reasoning: mapAll(message.reasoning, (part) => mapReasoning(part, map)) }),
      } as Partial<typeof message>)
    default:
      return message satisfies never
  }
}

type Part = Exclude<Message['content'], string | null>[number]

function mapContent(content: Message['content'], map: TextMap): Message['content'] {
  if (content === null) return null
  if (typeof content === 'string') return map.text(content)
  return mapAll(content as readonly Part[], (part): Part => {
    switch (part.type) {
      case 'text':
      case 'refusal':
        return withChanges(part, { text: map.text(part.text) })
      case 'file':
        return withChanges(part, { ...mapped('filename', part.filename, map), ...mapData(part.data, map) })
      case 'image':
      case 'audio':
        return part
      default:
        return part satisfies never
    }
  }) as Message['content']
}

const TEXT_DATA = /^data:text\/[\w.+-]{1,40}(?:;charset=[\w-]{1,20})?;base64,/

/** A file of plain text (RFC 2397); other files are not looked into. */
function mapData(data: string | undefined, map: TextMap): { readonly data?: string } | undefined {
  const head = data === undefined ? undefined : TEXT_DATA.exec(data)?.[0]
  if (data === undefined || head === undefined) return undefined
  const text = Buffer.from(data.slice(head.length), 'base64').toString()
  const clean = map.text(text)
  return { data: clean === text ? data : head + Buffer.from(clean).toString('base64') }
}

function mapCall(call: ToolCall, map: TextMap): ToolCall {
  return withChanges(call, {
    arguments: call.kind === 'function' ? map.jsonText(call.arguments) : map.text(call.arguments),
  })
}

type Reasoning = NonNullable<Extract<Message, { role: 'assistant' }>['reasoning']>[number]

/** Changed thinking is no longer what was signed, and goes on as plain text. */
function mapReasoning(part: Reasoning, map: TextMap): Reasoning {
  const text = map.text(part.text)
  return text === part.text ? part : { type: 'reasoning', text }
}

function mapTool(tool: Tool, map: TextMap): Tool {
  const description = mapped('description', tool.description, map)
  return tool.kind === 'custom' || tool.parameters === undefined
    ? withChanges(tool, { ...description })
    : withChanges(tool, { ...description, parameters: mapSchema(tool.parameters, map) })
}

/** Keywords of JSON Schema whose strings are a language of their own. */
const NO_TEXT: ReadonlySet<string> = new Set(['pattern', '$ref', '$id', '$schema', 'type', 'format', 'required'])

function mapSchema(schema: JsonObject, map: TextMap): JsonObject {
  return mapJson(schema, map, NO_TEXT) as JsonObject
}

function mapJson(value: Json, map: TextMap, skipped: ReadonlySet<string> = NOTHING): Json {
  if (typeof value === 'string') return map.text(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return mapAll(value as readonly Json[], (each) => mapJson(each, map, skipped))
  const object = value as JsonObject
  let changed: Record<string, Json> | undefined
  for (const [name, each] of Object.entries(object)) {
    if (skipped.has(name) && typeof each === 'string') continue
    const next = mapJson(each, map, skipped)
    if (next !== each) (changed ??= { ...object })[name] = next
  }
  return changed ?? object
}

const NOTHING: ReadonlySet<string> = new Set()

function mapped<Name extends string>(
  name: Name,
  value: string | undefined,
  map: TextMap,
): { readonly [name in Name]?: string } {
  return (value === undefined ? {} : { [name]: map.text(value) }) as { readonly [name in Name]?: string }
}

/** The list with each entry replaced; the same list where none was. */
function mapAll<Entry>(list: readonly Entry[], change: (entry: Entry) => Entry): readonly Entry[] {
  let changed: Entry[] | undefined
  for (const [index, entry] of list.entries()) {
    const next = change(entry)
    if (next !== entry) (changed ??= [...list])[index] = next
  }
  return changed ?? list
}

/** The object with some fields replaced; the same object where each is what it was. */
function withChanges<Whole extends object>(whole: Whole, changes: Partial<Whole>): Whole {
  for (const name of Object.keys(changes) as (keyof Whole)[]) {
    if (changes[name] !== whole[name]) return { ...whole, ...changes }
  }
  return whole
}
