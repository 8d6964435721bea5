/** One agent, three ways in: a conversation with a tool over each dialect, by the official clients, that tells where each answer came from. */
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'

export const INGRESSES = ['chat', 'messages', 'responses'] as const
export type Ingress = (typeof INGRESSES)[number]

/** What the heads of one answer say, and how many calls it has open. */
export interface Told {
  readonly upstream: string
  readonly reason: string
  readonly dropped: readonly string[]
  readonly calls: number
}
export interface IngressAgent {
  /** Sends a user's text. */
  say(model: string, text: string): Promise<Told>
  /** Sends the results of the open calls. */
  answerCalls(model: string): Promise<Told>
  /** Goes on at another service. */
  moveTo(url: string): void
}
export interface IngressOptions {
  readonly url: string
  readonly apiKey: string
  readonly stream: boolean
  /** Asks for thinking with each request. */
  readonly thinks?: boolean
}

const TOOL = { name: 'weather', schema: { type: 'object' as const, properties: { place: { type: 'string' } } } }
const RESULT = 'Rain, 12 degrees.'

export function ingressAgent(ingress: Ingress, options: IngressOptions): IngressAgent {
  let heads = new Headers()
  let origin = options.url
  const noting: typeof fetch = async (input, init) => {
    const response = await fetch(String(input).replace(options.url, origin), init)
    heads = response.headers
    return response
  }
  const given = { apiKey: options.apiKey, maxRetries: 0, fetch: noting }
  const send = { chat, messages, responses }[ingress](options, given)
  const told = async (calls: Promise<number>): Promise<Told> => {
    const open = await calls
    return {
      upstream: heads.get('x-route-upstream') ?? '',
      reason: heads.get('x-route-reason') ?? '',
      dropped: heads.get('x-switchyard-dropped')?.split(/,\s*/) ?? [],
      calls: open,
    }
  }
  return {
    say: (model, text) => told(send(model, text)),
    answerCalls: (model) => told(send(model, undefined)),
    moveTo: (url) => void (origin = url),
  }
}

interface Given {
  readonly apiKey: string
  readonly maxRetries: number
  readonly fetch: typeof fetch
}
/** Sends a text, or the results of the open calls; resolves with how many the answer opens. */
type Send = (model: string, text: string | undefined) => Promise<number>

function chat({ url, stream, thinks }: IngressOptions, given: Given): Send {
  const { completions } = new OpenAI({ ...given, baseURL: `${url}/v1` }).chat
  const messages: OpenAI.ChatCompletionMessageParam[] = []
  let open: readonly string[] = []
  const tools = [{ type: 'function' as const, function: { name: TOOL.name, parameters: TOOL.schema } }]
  return async (model, text) => {
    if (text === undefined)
      messages.push(...open.map((id) => ({ role: 'tool' as const, tool_call_id: id, content: RESULT })))
    else messages.push({ role: 'user', content: text })
    const body = { model, messages, tools, ...(thinks === true ? { reasoning_effort: 'medium' as const } : {}) }
    const answer = stream ? await completions.stream(body).finalChatCompletion() : await completions.create(body)
    const { message } = answer.choices[0]!
    messages.push(message)
    open = message.tool_calls?.map(({ id }) => id) ?? []
    return open.length
  }
}

function messages({ url, stream, thinks }: IngressOptions, given: Given): Send {
  const client = new Anthropic({ ...given, baseURL: url })
  const turns: Anthropic.MessageParam[] = []
  let open: readonly string[] = []
  const tools = [{ name: TOOL.name, input_schema: TOOL.schema }]
  return async (model, text) => {
    turns.push({
      role: 'user',
      content: text ?? open.map((id) => ({ type: 'tool_result' as const, tool_use_id: id, content: RESULT })),
    })
    const body: Anthropic.MessageCreateParamsNonStreaming = {
      model,
      max_tokens: 4096,
      messages: turns,
      tools,
      ...(thinks === true ? { thinking: { type: 'enabled', budget_tokens: 2000 } } : {}),
    }
    const { content } = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body)
    turns.push({ role: 'assistant', content })
    open = content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []))
    return open.length
  }
}

function responses({ url, stream, thinks }: IngressOptions, given: Given): Send {
  const client = new OpenAI({ ...given, baseURL: `${url}/v1` })
  const input: OpenAI.Responses.ResponseInputItem[] = []
  let open: readonly string[] = []
  const tools = [{ type: 'function' as const, name: TOOL.name, parameters: TOOL.schema, strict: false }]
  return async (model, text) => {
    if (text === undefined)
      input.push(...open.map((id) => ({ type: 'function_call_output' as const, call_id: id, output: RESULT })))
    else input.push({ role: 'user', content: text })
    const body: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
      model,
      input,
      tools,
      store: false,
      include: ['reasoning.encrypted_content'],
      ...(thinks === true ? { reasoning: { effort: 'medium' } } : {}),
    }
    const { output } = stream
      ? await client.responses.stream(body as never).finalResponse()
      : await client.responses.create(body)
    input.push(...(output as OpenAI.Responses.ResponseInputItem[]))
    open = output.flatMap((item) => (item.type === 'function_call' ? [item.call_id] : []))
    return open.length
  }
}
