/** Whether a `chat.completion.chunk` may be relayed byte for byte: nothing in it but what a caller may see, in the usual form. */

const CHUNK_KEYS: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'system_fingerprint',
  'service_tier',
  'obfuscation',
  'usage',
])
const CHOICE_KEYS: ReadonlySet<string> = new Set(['index', 'delta', 'finish_reason', 'logprobs'])
const DELTA_KEYS: ReadonlySet<string> = new Set(['role', 'content', 'refusal'])

/** Checks names and nulls; ids, roles and order are the decoder's to judge. Tool calls are always written anew. */
export function isPlainChunk(chunk: Record<string, unknown>): boolean {
  for (const key in chunk) {
    if (!CHUNK_KEYS.has(key)) return false
  }
  if (chunk['usage'] !== undefined && chunk['usage'] !== null) return false
  if (chunk['object'] !== 'chat.completion.chunk' || typeof chunk['created'] !== 'number') return false
  if (typeof chunk['model'] !== 'string' || chunk['model'] === '') return false
  const choices = chunk['choices'] as readonly Record<string, unknown>[]
  if (choices.length === 0) return false
  for (const choice of choices) {
    for (const key in choice) {
      if (!CHOICE_KEYS.has(key)) return false
    }
    if (typeof choice['index'] !== 'number' || (choice['logprobs'] ?? null) !== null) return false
    const delta = choice['delta']
    if (typeof delta !== 'object' || delta === null) return false
    for (const key in delta) {
      if (!DELTA_KEYS.has(key)) return false
    }
    const { content, refusal } = delta as { content?: unknown; refusal?: unknown }
    if (content !== undefined && content !== null && typeof content !== 'string') return false
    if (refusal !== undefined && refusal !== null) return false
  }
  return true
}
