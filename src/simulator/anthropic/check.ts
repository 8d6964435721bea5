/** What the Messages API refuses, in its own words as its users report them; a gateway that passes here would pass there. */
import { isSignature } from '../signature.ts'
import { Refusal } from '../wire.ts'
import { blocksOf, type Block, type MessagesBody } from './body.ts'

const FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'max_tokens',
  'cache_control',
  'container',
  'context_management',
  'diagnostics',
  'inference_geo',
  'mcp_servers',
  'metadata',
  'output_config',
  'output_format',
  'service_tier',
  'speed',
  'stop_sequences',
  'stream',
  'system',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
  'top_k',
  'top_p',
])
const BLOCKS: Readonly<Record<string, ReadonlySet<string>>> = {
  user: new Set(['text', 'image', 'document', 'search_result', 'tool_result']),
  assistant: new Set(['text', 'thinking', 'redacted_thinking', 'tool_use']),
  system: new Set(['text']),
}
const MARKS_MOST = 4

/** Throws Refusal. */
export function checkBody(body: MessagesBody, isCounting: boolean): void {
  for (const field of Object.keys(body)) if (!FIELDS.has(field)) bad(`${field}: Extra inputs are not permitted`)
  if (typeof body.model !== 'string') bad('model: Field required')
  if (!isCounting && body.max_tokens === undefined) bad('max_tokens: Field required')
  if (body.max_tokens !== undefined && !(Number.isInteger(body.max_tokens) && body.max_tokens >= 1))
    bad('max_tokens: Input should be greater than or equal to 1')
  if (!Array.isArray(body.messages)) bad('messages: Field required')
  if (body.messages.length === 0) bad('messages: at least one message is required')
  if (body.temperature !== undefined && (body.temperature < 0 || body.temperature > 1)) bad('temperature: range: 0..1')
  checkThinking(body)
  for (const [at, message] of body.messages.entries()) {
    const known = BLOCKS[message.role] ?? bad(`messages.${at}.role: Input should be 'user' or 'assistant'`)
    for (const [i, block] of blocksOf(message.content).entries())
      checkBlock(block, known, `messages.${at}.content.${i}`)
  }
  checkResults(body)
  checkEnd(body)
  checkMarks(body)
}

function checkThinking({ thinking, max_tokens: cap = Number.POSITIVE_INFINITY, ...body }: MessagesBody): void {
  if (thinking?.type !== 'enabled') return
  if (!((thinking.budget_tokens ?? 0) >= 1024))
    bad('thinking.enabled.budget_tokens: Input should be greater than or equal to 1024')
  if ((thinking.budget_tokens as number) >= cap) bad('`max_tokens` must be greater than `thinking.budget_tokens`.')
  if (body.temperature !== undefined && body.temperature !== 1)
    bad('`temperature` may only be set to 1 when thinking is enabled.')
  if (body.tool_choice?.type === 'any' || body.tool_choice?.type === 'tool')
    bad('Thinking may not be enabled when tool_choice forces tool use.')
  const last = body.messages.at(-1)
  const before = body.messages.at(-2)
  const isLoop = blocksOf(last?.content).some((block) => block.type === 'tool_result')
  const first = blocksOf(before?.content)[0]
  if (isLoop && before?.role === 'assistant' && first !== undefined && !first.type.includes('thinking')) {
    bad(
      `messages.${body.messages.length - 2}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first.type}\`. ` +
        'When `thinking` is enabled, a final `assistant` message must start with a thinking block.',
    )
  }
}

function checkBlock(block: Block, known: ReadonlySet<string>, path: string): void {
  if (!known.has(block.type))
    bad(`${path}.type: Input tag '${block.type}' found using 'type' does not match any of the expected tags`)
  switch (block.type) {
    case 'text':
      if ((block.text ?? '') === '') bad(`${path}.text: text content blocks must be non-empty`)
      break
    case 'thinking':
      // Thinking that was left out of an answer comes back without its text; its signature alone speaks for it.
      if (!isSignature('anthropic', block.signature, block.thinking === '' ? undefined : block.thinking))
        bad(`${path}: Invalid \`signature\` in \`thinking\` block`)
      break
    case 'redacted_thinking':
      if (!isSignature('anthropic', block.data)) bad(`${path}: Invalid \`data\` in \`redacted_thinking\` block`)
      break
    case 'tool_use':
      if (!/^[a-zA-Z0-9_-]+$/.test(block.id ?? ''))
        bad(`${path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`)
      if (typeof block.input !== 'object' || block.input === null)
        bad(`${path}.tool_use.input: Input should be a valid dictionary`)
      break
    default:
      break
  }
}

/** Each tool use is answered by the very next message, and nothing else is answered there. */
function checkResults({ messages }: MessagesBody): void {
  const usesOf = (at: number): readonly string[] =>
    blocksOf(messages[at]?.content).flatMap((block) => (block.type === 'tool_use' ? [block.id as string] : []))
  for (const [at, message] of messages.entries()) {
    const answered = blocksOf(message.content).flatMap((block) =>
      block.type === 'tool_result' ? [block.tool_use_id as string] : [],
    )
    const asked = at === 0 || messages[at - 1]?.role !== 'assistant' ? [] : usesOf(at - 1)
    const strange = answered.find((id) => !asked.includes(id))
    if (strange !== undefined) {
      bad(
        `messages.${at}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${strange}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      )
    }
    const open = asked.filter((id) => !answered.includes(id))
    if (open.length > 0) {
      bad(
        `messages.${at - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      )
    }
  }
  const left = messages.at(-1)?.role === 'assistant' ? usesOf(messages.length - 1) : []
  if (left.length > 0)
    bad(
      `messages.${messages.length - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${left.join(', ')}.`,
    )
}

function checkEnd({ messages }: MessagesBody): void {
  const last = messages.at(-1)
  if (last?.role === 'assistant' && /\s$/.test(blocksOf(last.content).at(-1)?.text ?? ''))
    bad('messages: final assistant content cannot end with trailing whitespace')
}

function checkMarks(body: MessagesBody): void {
  const blocks = [
    ...(body.tools ?? []),
    ...blocksOf(body.system),
    ...body.messages.flatMap((each) => blocksOf(each.content)),
  ]
  const ttls = [...blocks, body].flatMap(({ cache_control: mark }) => (mark == null ? [] : [mark.ttl ?? '5m']))
  if (ttls.length > MARKS_MOST)
    bad(`A maximum of ${MARKS_MOST} blocks with cache_control may be provided. Found ${ttls.length}.`)
  if (ttls.lastIndexOf('1h') > ttls.indexOf('5m') && ttls.includes('5m'))
    bad(
      "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    )
}

function bad(message: string): never {
  throw new Refusal(400, message)
}
