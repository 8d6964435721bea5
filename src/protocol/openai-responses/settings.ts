/** The request's settings as every response repeats them (OpenAI API reference, the response object). */
import type { ChatRequest, Json, JsonObject, OutputFormat, Tool, ToolChoice } from '../request.ts'

/** What the internal request has no place for. */
export interface Told {
  readonly instructions: string | undefined
  readonly maxToolCalls: number | undefined
  readonly previousId: string | undefined
  readonly summary: string | undefined
  readonly truncation: string | undefined
}

export function settingsOf(request: ChatRequest, told: Told): JsonObject {
  const { openai, sampling } = request
  return {
    instructions: told.instructions ?? null,
    max_output_tokens: request.maxOutputTokens ?? null,
    max_tool_calls: told.maxToolCalls ?? null,
    metadata: { ...openai.metadata },
    parallel_tool_calls: request.parallelToolCalls ?? true,
    previous_response_id: told.previousId ?? null,
    prompt_cache_key: openai.prompt_cache_key ?? null,
    reasoning: { effort: request.reasoningEffort ?? null, summary: told.summary ?? null },
    safety_identifier: openai.safety_identifier ?? null,
    temperature: sampling.temperature ?? null,
    text: {
      format: formatBody(request.format ?? { type: 'text' }),
      ...(openai.verbosity === undefined ? {} : { verbosity: openai.verbosity }),
    },
    tool_choice: choiceBody(request.toolChoice ?? { type: 'auto' }, request.tools),
    tools: request.tools.map(toolBody),
    top_logprobs: request.topLogprobs ?? 0,
    top_p: sampling.topP ?? null,
    truncation: told.truncation ?? 'disabled',
    user: openai.user ?? null,
  }
}

/** A tool in the API's flat form. */
export function toolBody(tool: Tool): JsonObject {
  const head = { type: tool.kind, name: tool.name, description: tool.description ?? null }
  if (tool.kind === 'function') return { ...head, parameters: tool.parameters ?? null, strict: tool.strict ?? null }
  const { format } = tool
  if (format === undefined) return { ...head, format: { type: 'text' } }
  const grammar = format['grammar'] as JsonObject | undefined
  return { ...head, format: grammar === undefined ? format : { type: 'grammar', ...grammar } }
}

export function formatBody(format: OutputFormat): JsonObject {
  if (format.type !== 'json_schema') return { type: format.type }
  return {
    type: format.type,
    name: format.name,
    description: format.description ?? null,
    schema: format.schema ?? null,
    strict: format.strict ?? null,
  }
}

export function choiceBody(choice: ToolChoice, tools: readonly Tool[]): Json {
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
        tools: choice.names.map((name) => ({
          type: tools.find((tool) => tool.name === name)?.kind ?? 'function',
          name,
        })),
      }
    default:
      return choice satisfies never
  }
}
