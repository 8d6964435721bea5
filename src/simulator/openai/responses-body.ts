/** The parts of a request of the Responses API that the simulator reads (API reference, 2026). */
export interface InputItem {
  readonly type?: string
  readonly id?: string
  readonly role?: string
  readonly content?: unknown
  readonly call_id?: string
  readonly name?: string
  readonly arguments?: string
  readonly input?: string
  readonly output?: unknown
  readonly encrypted_content?: string | null
  readonly summary?: readonly { readonly text?: string }[]
}

export interface ResponseTool {
  readonly type?: string
  readonly name?: string
  readonly description?: string
  readonly parameters?: unknown
}

export interface ResponsesBody {
  readonly model?: unknown
  readonly input?: string | readonly InputItem[]
  readonly instructions?: string | null
  readonly tools?: readonly ResponseTool[]
  readonly tool_choice?:
    | string
    | {
        readonly type?: string
        readonly name?: string
        readonly mode?: string
        readonly tools?: readonly ResponseTool[]
      }
  readonly parallel_tool_calls?: boolean
  readonly text?: {
    readonly format?: { readonly type?: string; readonly schema?: unknown }
    readonly verbosity?: string
  }
  readonly reasoning?: { readonly effort?: string | null; readonly summary?: string | null } | null
  readonly include?: readonly string[] | null
  readonly max_output_tokens?: number | null
  readonly temperature?: number | null
  readonly top_p?: number | null
  readonly top_logprobs?: number | null
  readonly store?: boolean | null
  readonly stream?: boolean
  readonly previous_response_id?: string | null
}

/** Whether the body asks for the thinking in encrypted form, which is how it comes back to who stores nothing. */
export function wantsEncrypted({ include }: ResponsesBody): boolean {
  return include?.includes('reasoning.encrypted_content') === true
}
