import type { SimRequest } from '../compose.ts'
import type { InputItem, ResponsesBody, ResponseTool } from './responses-body.ts'

type SimMessage = SimRequest['messages'][number]

/** A checked body in the words of the simulator. */
export function readResponses(body: ResponsesBody): SimRequest {
  const tools = (body.tools ?? []).flatMap(toolOf)
  const { text, tool_choice: choice } = body
  const items: readonly InputItem[] =
    typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.input ?? [])
  return {
    model: String(body.model),
    messages: [
      ...(body.instructions == null ? [] : [{ role: 'developer', content: body.instructions }]),
      ...items.flatMap(messageOf),
    ],
    ...(tools.length === 0 ? {} : { tools: allowed(tools, choice) }),
    ...(choice === undefined ? {} : { tool_choice: choiceOf(choice) }),
    ...(body.parallel_tool_calls === undefined ? {} : { parallel_tool_calls: body.parallel_tool_calls }),
    ...(text?.format?.type === undefined
      ? {}
      : { response_format: { type: text.format.type, json_schema: { schema: text.format.schema } } }),
    ...(body.max_output_tokens == null ? {} : { max_tokens: body.max_output_tokens }),
    ...(body.temperature == null ? {} : { temperature: body.temperature }),
  }
}

/** Models that think do so without being told. */
export function effortOf({ model, reasoning }: ResponsesBody): string {
  return reasoning?.effort ?? (/^(?:o\d|gpt-5|codex)/.test(String(model)) ? 'medium' : 'none')
}

/** What a custom tool is written as free text stands as a bare string where a function has its arguments. */
function toolOf(tool: ResponseTool): NonNullable<SimRequest['tools']> {
  if ((tool.type !== 'function' && tool.type !== 'custom') || tool.name === undefined) return []
  const parameters = tool.type === 'custom' ? { type: 'string' } : (tool.parameters ?? { type: 'object' })
  return [{ type: 'function', function: { name: tool.name, description: tool.description ?? '', parameters } }]
}

function allowed(
  tools: NonNullable<SimRequest['tools']>,
  choice: ResponsesBody['tool_choice'],
): NonNullable<SimRequest['tools']> {
  if (typeof choice !== 'object' || choice.type !== 'allowed_tools') return tools
  const names = new Set(choice.tools?.map(({ name }) => name))
  return tools.filter((tool) => names.has(tool.function?.name))
}

function choiceOf(choice: NonNullable<ResponsesBody['tool_choice']>): NonNullable<SimRequest['tool_choice']> {
  if (typeof choice === 'string') return choice
  return choice.type === 'allowed_tools' ? (choice.mode ?? 'auto') : { function: { name: choice.name ?? '' } }
}

/** Thinking that comes back adds nothing to what is said. */
function messageOf(item: InputItem): readonly SimMessage[] {
  switch (item.type) {
    case 'reasoning':
      return []
    case 'function_call':
    case 'custom_tool_call': {
      const { name, arguments: args, input } = item
      return [{ role: 'assistant', tool_calls: [{ function: { name, arguments: args ?? input } }] }]
    }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return [{ role: 'tool', content: contentOf(item.output) }]
    default:
      return [{ role: item.role ?? 'user', content: contentOf(item.content) }]
  }
}

interface InputPart {
  readonly type?: string
  readonly text?: string
  readonly image_url?: string
  readonly detail?: string
}

/** Pictures stand as in a chat, where they are counted. */
function contentOf(content: unknown): unknown {
  if (!Array.isArray(content)) return content
  return (content as readonly InputPart[]).map((part) =>
    part.type === 'input_image'
      ? { type: 'image_url', image_url: { url: part.image_url, detail: part.detail } }
      : { type: 'text', text: part.text },
  )
}
