/** Fields of the Responses API that decide what an answer costs or holds, and have other names in chat completions. */
export const RESPONSES_PRICED_FIELDS: ReadonlySet<string> = new Set([
  'background',
  'context_management',
  'conversation',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'previous_response_id',
  'prompt',
  'reasoning',
  'store',
  'text',
  'truncation',
])
