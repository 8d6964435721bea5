import type { SimRequest } from '../compose.ts'
import { blocksOf, type Block, type MessageParam, type MessagesBody } from './body.ts'

/** What a prompt says to see thinking that comes back encrypted, at the real API, too (docs "Extended thinking"). */
export const REDACTION_TRIGGER =
  'ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB'

/** Thinking of adaptive models by `output_config.effort`, most tokens. */
const ADAPTIVE: Readonly<Record<string, number>> = { low: 12, medium: 24, high: 48, xhigh: 64, max: 96 }

/** A checked body in the words of the simulator. */
export function readMessages(body: MessagesBody): SimRequest {
  const tools = body.tools?.flatMap((tool) =>
    (tool.type ?? 'custom') === 'custom'
      ? [
          {
            type: 'function',
            function: { name: tool.name, description: tool.description ?? '', parameters: tool.input_schema },
          },
        ]
      : [],
  )
  const format = body.output_config?.format ?? body.output_format
  return {
    model: body.model,
    messages: [
      ...blocksOf(body.system).map(({ text }) => ({ role: 'system', content: text ?? '' })),
      ...body.messages.flatMap(messagesOf),
    ],
    ...(tools === undefined ? {} : { tools }),
    ...(body.tool_choice === undefined ? {} : { tool_choice: choiceOf(body.tool_choice) }),
    parallel_tool_calls: body.tool_choice?.disable_parallel_tool_use !== true,
    ...(format == null ? {} : { response_format: { type: 'json_schema', json_schema: { schema: format.schema } } }),
    max_tokens: body.max_tokens ?? 1,
    ...(body.stop_sequences === undefined ? {} : { stop: body.stop_sequences }),
    ...(body.temperature === undefined ? {} : { temperature: body.temperature }),
    thinkingTokens: thinkingOf(body),
  }
}

function messagesOf({ role, content }: MessageParam): SimRequest['messages'] {
  const blocks = blocksOf(content)
  const results = blocks.filter((block) => block.type === 'tool_result')
  const rest = blocks.filter((block) => block.type === 'text')
  const said = { role, content: textOf(rest) }
  if (results.length === 0) return [said]
  const answers = results.map((block) => ({ role: 'tool', content: textOf(blocksOf(block.content)) }))
  // What the user says beside a result comes first, so that the results are the last word.
  return rest.length === 0 ? answers : [said, ...answers]
}

function textOf(blocks: readonly Block[]): string {
  return blocks.map((block) => block.text ?? '').join('\n')
}

function choiceOf({ type, name }: NonNullable<MessagesBody['tool_choice']>): NonNullable<SimRequest['tool_choice']> {
  if (type === 'tool') return { function: { name: name ?? '' } }
  return type === 'any' ? 'required' : type
}

function thinkingOf({ thinking, output_config: config }: MessagesBody): number {
  if (thinking?.type === 'enabled') return thinking.budget_tokens ?? 0
  return thinking?.type === 'adaptive' ? (ADAPTIVE[config?.effort ?? 'high'] ?? 0) : 0
}
