/** The parts of a Messages request that the simulator reads (Anthropic API reference, version 2023-06-01). */
export interface CacheControl {
  readonly type?: string
  readonly ttl?: '5m' | '1h'
}

export interface Block {
  readonly type: string
  readonly text?: string
  readonly source?: {
    readonly type?: string
    readonly data?: string
    readonly url?: string
    readonly content?: unknown
  }
  readonly id?: string
  readonly name?: string
  readonly input?: unknown
  readonly tool_use_id?: string
  readonly content?: string | readonly Block[]
  readonly thinking?: string
  readonly signature?: string
  readonly data?: string
  readonly cache_control?: CacheControl | null
}

export interface MessageParam {
  readonly role: string
  readonly content: string | readonly Block[]
}

export interface ToolParam {
  readonly type?: string
  readonly name: string
  readonly description?: string
  readonly input_schema?: unknown
  readonly cache_control?: CacheControl | null
}

export interface MessagesBody {
  readonly model: string
  readonly messages: readonly MessageParam[]
  readonly max_tokens?: number
  readonly system?: string | readonly Block[]
  readonly tools?: readonly ToolParam[]
  readonly tool_choice?: { readonly type: string; readonly name?: string; readonly disable_parallel_tool_use?: boolean }
  readonly thinking?: {
    readonly type: string
    readonly budget_tokens?: number
    readonly display?: string | null
  } | null
  readonly output_config?: { readonly effort?: string | null; readonly format?: OutputFormat | null }
  /** The older place of `output_config.format`, with the beta `structured-outputs-2025-11-13`. */
  readonly output_format?: OutputFormat | null
  readonly cache_control?: CacheControl | null
  readonly stop_sequences?: readonly string[]
  readonly stream?: boolean
  readonly temperature?: number
}

interface OutputFormat {
  readonly type: string
  readonly schema?: unknown
}

export function blocksOf(content: string | readonly Block[] | undefined): readonly Block[] {
  if (content === undefined) return []
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}
