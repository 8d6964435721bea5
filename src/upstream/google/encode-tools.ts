/** Tools as `functionDeclarations`, and which of them may be called as `toolConfig` (Gemini API, `Tool` and `ToolConfig`, v1beta). */
import type { ChatRequest, FunctionTool, Json, JsonObject, Tool } from '../../protocol/request.ts'
import { unsupported } from './unsupported.ts'

export interface Tools {
  readonly tools?: readonly JsonObject[]
  readonly toolConfig?: JsonObject
}

/** `dropped` gets the names of what is left out. */
export function encodeTools(request: ChatRequest, dropped: Set<string>): Tools {
  const { toolChoice, parallelToolCalls } = request
  if (request.tools.length === 0) return {}
  if (parallelToolCalls === false) {
    // Frameworks force a function to get one object in its form, and say so in two ways. They read its first call.
    const isOne = toolChoice?.type === 'tool' || (toolChoice?.type === 'required' && request.tools.length === 1)
    if (!isOne)
      throw unsupported(
        'parallel_tool_calls',
        'It may always call several functions at once; send true or leave it out.',
      )
    dropped.add('parallel_tool_calls')
  }
  const declared = request.tools.map(functionOf)
  // `allowedFunctionNames` only counts where a call is a must; what may be called or not is what is declared.
  const offered =
    toolChoice?.type === 'allowed' && toolChoice.mode === 'auto'
      ? declared.filter((tool) => toolChoice.names.includes(tool.name))
      : declared
  const config = configOf(
    toolChoice,
    offered.some((tool) => tool.strict === true),
  )
  return {
    tools: [{ functionDeclarations: offered.map(declaration) }],
    ...(config === undefined ? {} : { toolConfig: { functionCallingConfig: config } }),
  }
}

function functionOf(tool: Tool, index: number): FunctionTool {
  if (tool.kind === 'function') return tool
  throw unsupported(`tools[${index}].type`, 'Offer it as a function with one text argument.')
}

function declaration({ name, description, parameters }: FunctionTool): JsonObject {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parametersJsonSchema: parameters }),
  }
}

/** @param isStrict A tool wants its schema obeyed; `VALIDATED` is `AUTO` with that promise, `ANY` promises it anyway. */
function configOf(choice: ChatRequest['toolChoice'], isStrict: boolean): { [key: string]: Json } | undefined {
  const free = isStrict ? 'VALIDATED' : 'AUTO'
  if (choice === undefined) return isStrict ? { mode: free } : undefined
  switch (choice.type) {
    case 'auto':
      return { mode: free }
    case 'none':
      return { mode: 'NONE' }
    case 'required':
      return { mode: 'ANY' }
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [choice.name] }
    case 'allowed':
      return choice.mode === 'auto' ? { mode: free } : { mode: 'ANY', allowedFunctionNames: choice.names }
    default:
      return choice satisfies never
  }
}
