/** What a simulated model answers: the same request gives the same answer. */
import { hashText, seededRandom } from './random.ts'
import { valueFor } from './schema-value.ts'
import { countTokens, tokenize } from './tokens.ts'

export interface SimRequest {
  readonly model: string
  readonly messages: readonly { readonly role: string; readonly content?: unknown; readonly tool_calls?: unknown }[]
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly tools?: readonly {
    readonly type: string
    readonly function?: { readonly name: string; readonly description?: string; readonly parameters?: unknown }
  }[]
  readonly tool_choice?: string | { readonly function?: { readonly name: string } }
  readonly parallel_tool_calls?: boolean
  readonly response_format?: { readonly type: string; readonly json_schema?: { readonly schema?: unknown } }
  readonly max_tokens?: number
  readonly max_completion_tokens?: number
  readonly n?: number
  readonly stop?: string | readonly string[]
  readonly seed?: number
  readonly temperature?: number
  readonly logprobs?: boolean
  readonly top_logprobs?: number
  readonly reasoning_effort?: string
  /** Most tokens that it may think before it answers; a wire sets it from its own field. */
  readonly thinkingTokens?: number
}

export interface SimChoice {
  readonly thinking: readonly string[]
  readonly tokens: readonly string[]
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
  readonly finish: 'stop' | 'length' | 'tool_calls' | 'refusal' | 'safety'
  /** The stop sequence that ended it. */
  readonly stopSequence?: string
}

/** What a tool call costs beside its arguments. */
export const CALL_TOKENS = 1

/** Recorded outcome of a prompt: whether this model got it right, and the right answer where it is known. */
export interface Outcome {
  readonly isRight: boolean
  readonly gold: string | undefined
  /** The answer to give, word for word and in place of any tool call; absent = one is made up. */
  readonly text?: string
}

export interface ComposeOptions {
  /** Put before every text. */
  readonly prefix: string
  readonly outcome: (prompt: string, model: string) => Outcome | undefined
}

/** The text of the last user message. */
export function lastUserText(request: SimRequest): string {
  const message = request.messages.findLast((each) => each.role === 'user')
  return textOf(message?.content)
}

export function promptTokens(request: SimRequest): number {
  let total = 3
  for (const message of request.messages) {
    total += 4 + countTokens(textOf(message.content))
    if (message.tool_calls !== undefined) total += countTokens(JSON.stringify(message.tool_calls))
  }
  return request.tools === undefined ? total : total + countTokens(JSON.stringify(request.tools))
}

/** One choice of the answer. */
export function compose(request: SimRequest, choice: number, options: ComposeOptions): SimChoice {
  const prompt = lastUserText(request)
  const seed = hashText(
    `${request.model}\n${prompt}\n${request.seed ?? 0}\n${choice}\n${request.temperature === 0 ? 0 : choice}`,
  )
  const random = seededRandom(seed)
  const words = [...new Set(prompt.match(/\p{L}{4,}/gu) ?? [])].slice(0, 12)
  const thinking = thoughts(request, words)
  const outcome = options.outcome(prompt, request.model)
  // What was recorded had no cap but the caller's own.
  if (outcome?.text !== undefined) {
    const own = request.max_tokens ?? request.max_completion_tokens ?? Number.POSITIVE_INFINITY
    return { thinking, ...cut(outcome.text, request, own - thinking.length) }
  }
  const cap = capOf(request) - thinking.length
  if (cap <= 0) return { thinking, tokens: [], toolCalls: [], finish: 'length' }
  const called = toolsToCall(request, prompt)
  if (called.length > 0) {
    const toolCalls = called.map((tool, index) => ({
      id: `call_${seed.toString(36)}${index}`,
      name: tool.name,
      arguments: JSON.stringify(valueFor(tool.parameters ?? { type: 'object' }, random, words)),
    }))
    return { thinking, ...cutCalls(toolCalls, cap) }
  }
  const text =
    request.response_format?.type.startsWith('json') === true
      ? jsonText(request, random, words)
      : options.prefix + prose(words, random, outcome)
  return { thinking, ...cut(text, request, cap) }
}

/** What it thinks first: about the words of the prompt, never longer than it may. */
function thoughts(request: SimRequest, words: readonly string[]): readonly string[] {
  if (request.thinkingTokens === undefined || request.thinkingTokens <= 0) return []
  const about = words.slice(0, 3).join(', ') || 'this'
  const text = `The user asks about ${about}. I should look at each part before I answer, and keep the answer short.`
  return tokenize(text).slice(0, Math.min(request.thinkingTokens, capOf(request)))
}

function jsonText(request: SimRequest, random: () => number, words: readonly string[]): string {
  const schema = request.response_format?.json_schema?.schema ?? {
    type: 'object',
    properties: { answer: { type: 'string' } },
    required: ['answer'],
  }
  return JSON.stringify(valueFor(schema, random, words))
}

const OPENINGS = ['Here is a short answer.', 'In brief:', 'Let me put it simply.', 'This is how I would see it.']
const SENTENCES = [
  'The question turns on {word}, and most of what follows is about {other}.',
  'First look at {word}; then {other} is easier to judge.',
  'With {word} settled, {other} follows from it.',
  'It helps to keep {word} and {other} apart.',
  'One more remark on {word}: check it against {other} before relying on it.',
]

function prose(words: readonly string[], random: () => number, outcome: Outcome | undefined): string {
  if (outcome !== undefined) {
    const gold = outcome.gold ?? 'the recorded right answer'
    return outcome.isRight
      ? `The answer is ${gold}.`
      : 'The answer is something else. (A recorded wrong answer of this model.)'
  }
  // Lengths of real answers are roughly log-normal (Box-Muller from two uniform numbers).
  const normal = Math.sqrt(-2 * Math.log(Math.max(random(), 1e-9))) * Math.cos(2 * Math.PI * random())
  const count = Math.max(1, Math.min(40, Math.round(Math.exp(1.1 + 0.7 * normal))))
  const word = (): string => words[Math.floor(random() * words.length)] ?? 'this'
  const sentences = Array.from({ length: count }, () =>
    (SENTENCES[Math.floor(random() * SENTENCES.length)] as string).replace('{word}', word()).replace('{other}', word()),
  )
  return [OPENINGS[Math.floor(random() * OPENINGS.length)], ...sentences].join(' ')
}

type Spoken = Omit<SimChoice, 'thinking'>

function cut(text: string, request: SimRequest, cap: number): Spoken {
  let whole = text
  let stopSequence: string | undefined
  for (const stop of typeof request.stop === 'string' ? [request.stop] : (request.stop ?? [])) {
    const at = whole.indexOf(stop)
    if (at < 0) continue
    whole = whole.slice(0, at)
    stopSequence = stop
  }
  const tokens = tokenize(whole)
  if (tokens.length > cap) return { tokens: tokens.slice(0, cap), toolCalls: [], finish: 'length' }
  return { tokens, toolCalls: [], finish: 'stop', ...(stopSequence === undefined ? {} : { stopSequence }) }
}

/** The cap holds for tool calls, too: the call that meets it ends in the middle of its arguments, as real ones do. */
function cutCalls(calls: SimChoice['toolCalls'], cap: number): Spoken {
  let left = cap
  const made: SimChoice['toolCalls'][number][] = []
  for (const call of calls) {
    const tokens = tokenize(call.arguments)
    if (left < tokens.length + CALL_TOKENS) {
      const part = tokens.slice(0, Math.max(0, left - CALL_TOKENS)).join('')
      if (left >= CALL_TOKENS) made.push({ ...call, arguments: part })
      return { tokens: [], toolCalls: made, finish: 'length' }
    }
    made.push(call)
    left -= tokens.length + CALL_TOKENS
  }
  return { tokens: [], toolCalls: made, finish: 'tool_calls' }
}

function capOf(request: SimRequest): number {
  return request.max_tokens ?? request.max_completion_tokens ?? 4096
}

type ToolFunction = { readonly name: string; readonly description?: string; readonly parameters?: unknown }

/** With `auto` a tool is called when the prompt shares words with what it says about itself, and only before there is a result. */
function toolsToCall(request: SimRequest, prompt: string): readonly ToolFunction[] {
  const tools = (request.tools ?? []).flatMap((tool) => (tool.function === undefined ? [] : [tool.function]))
  if (tools.length === 0 || request.tool_choice === 'none') return []
  if (typeof request.tool_choice === 'object')
    return tools.filter((tool) => tool.name === (request.tool_choice as { function?: { name: string } }).function?.name)
  if (request.messages.at(-1)?.role === 'tool') return []
  const asked = new Set((prompt.toLowerCase().match(/\p{L}{4,}/gu) ?? []).map((word) => word.slice(0, 5)))
  const scored = tools
    .map((tool) => ({ tool, score: overlap(`${tool.name} ${tool.description ?? ''}`, asked) }))
    .toSorted((a, b) => b.score - a.score)
  const best = scored[0]
  if (best === undefined || (best.score === 0 && request.tool_choice !== 'required')) return []
  const second = scored[1]
  const isParallel =
    request.parallel_tool_calls !== false && second !== undefined && second.score > 0 && second.score === best.score
  return isParallel ? [best.tool, second.tool] : [best.tool]
}

function overlap(text: string, asked: ReadonlySet<string>): number {
  return (text.toLowerCase().match(/\p{L}{4,}/gu) ?? []).filter((word) => asked.has(word.slice(0, 5))).length
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: unknown }) => (typeof part.text === 'string' ? part.text : '')).join('\n')
}
