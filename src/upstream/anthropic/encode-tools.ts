import type { ChatRequest, FunctionTool, Tool, ToolChoice } from '../../protocol/request.ts'
import { cached, type Block } from './encode-messages.ts'
import { unsupported } from './unsupported.ts'

/** Names that the API takes (tool use guide). */
const NAME = /^[a-zA-Z0-9_-]{1,128}$/

export interface EncodedTools {
  readonly tools?: readonly Block[]
  readonly tool_choice?: Block
}

/** Tools and the choice among them. `strict` goes on where the model knows it. */
export function encodeTools(request: ChatRequest, hasStrict: boolean, dropped: Set<string>): EncodedTools {
  const { toolChoice: choice } = request
  const offered = choice?.type === 'allowed' ? allowed(request.tools, choice.names) : request.tools
  if (offered.length === 0) return {}
  const tools = offered.map((tool) => {
    const at = `tools[${request.tools.indexOf(tool)}]`
    if (tool.kind === 'custom') throw unsupported(at, 'Custom tools cannot be told to it; use function tools.')
    return encodeTool(tool, at, hasStrict, dropped)
  })
  const chosen = encodeChoice(choice, request.parallelToolCalls === false)
  return chosen === undefined ? { tools } : { tools, tool_choice: chosen }
}

/** Whether the model has to call a tool, which excludes thinking. */
export function forcesTool(choice: ToolChoice | undefined): boolean {
  return (
    choice?.type === 'required' || choice?.type === 'tool' || (choice?.type === 'allowed' && choice.mode === 'required')
  )
}

function allowed(tools: readonly Tool[], names: readonly string[]): readonly Tool[] {
  return tools.filter(({ name }) => names.includes(name))
}

function encodeTool(tool: FunctionTool, at: string, hasStrict: boolean, dropped: Set<string>): Block {
  if (!NAME.test(tool.name))
    throw unsupported(`${at}.function.name`, 'Names are 1 to 128 letters, digits, "_" and "-".')
  if (tool.strict === true && !hasStrict) dropped.add('tools.strict')
  return {
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: { ...tool.parameters, type: 'object' },
    ...(tool.strict === true && hasStrict ? { strict: true } : {}),
    ...cached(tool.cache),
  }
}

function encodeChoice(choice: ToolChoice | undefined, isSerial: boolean): Block | undefined {
  const serial = isSerial ? { disable_parallel_tool_use: true } : {}
  if (choice === undefined) return isSerial ? { type: 'auto', ...serial } : undefined
  switch (choice.type) {
    case 'auto':
      return { type: 'auto', ...serial }
    case 'none':
      return { type: 'none' }
    case 'required':
      return { type: 'any', ...serial }
    case 'tool':
      return { type: 'tool', name: choice.name, ...serial }
    case 'allowed':
      return { type: choice.mode === 'required' ? 'any' : 'auto', ...serial }
    default:
      return choice satisfies never
  }
}
