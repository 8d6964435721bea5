import type { ChatRequest, JsonObject, OutputFormat, Tool, ToolChoice } from '../../protocol/request.ts'
import type { Item } from './encode-input.ts'

/** Tools in the flat form, the choice among them, and whether there may be several calls at once. */
export function encodeTools({ tools, toolChoice, parallelToolCalls }: ChatRequest): Item {
  if (tools.length === 0) return {}
  return {
    tools: tools.map(encodeTool),
    ...(toolChoice === undefined ? {} : { tool_choice: encodeChoice(toolChoice, tools) }),
    ...(parallelToolCalls === undefined ? {} : { parallel_tool_calls: parallelToolCalls }),
  }
}

function encodeTool(tool: Tool): Item {
  const described = tool.description === undefined ? {} : { description: tool.description }
  if (tool.kind === 'custom') {
    const { grammar, ...format } = tool.format ?? {}
    // A grammar stands beside its type here, and in an object of its own in chat completions.
    const flat = { ...format, ...(grammar as JsonObject | undefined) }
    return {
      type: 'custom',
      name: tool.name,
      ...described,
      ...(tool.format === undefined ? {} : { format: flat }),
    }
  }
  return {
    type: 'function',
    name: tool.name,
    ...described,
    parameters: tool.parameters ?? { type: 'object', properties: {} },
    // Left out it would mean true, which rewrites schemas; chat completions take it for false.
    strict: tool.strict ?? false,
  }
}

function encodeChoice(choice: ToolChoice, tools: readonly Tool[]): unknown {
  switch (choice.type) {
    case 'auto':
    case 'none':
    case 'required':
      return choice.type
    case 'tool':
      return { type: choice.kind, name: choice.name }
    case 'allowed':
      return {
        type: 'allowed_tools',
        mode: choice.mode,
        tools: tools.filter(({ name }) => choice.names.includes(name)).map(({ kind, name }) => ({ type: kind, name })),
      }
    default:
      return choice satisfies never
  }
}

/** `text.format`. */
export function encodeFormat(format: OutputFormat): Item {
  if (format.type !== 'json_schema') return { type: format.type }
  return {
    type: format.type,
    name: format.name,
    ...(format.description === undefined ? {} : { description: format.description }),
    schema: format.schema ?? {},
    ...(format.strict === undefined ? {} : { strict: format.strict }),
  }
}
