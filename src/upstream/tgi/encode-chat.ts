import type { EncodeSend } from '../../protocol/openai-chat/encode-request.ts'
import { PRICED_FIELDS } from '../../protocol/openai-chat/known-fields.ts'
import type { ChatRequest, Message, Tool, ToolCall, ToolChoice } from '../../protocol/request.ts'
import type { Target } from '../../gateway/steps.ts'
import type { EncodedRequest } from '../adapter.ts'
import { capFor, checkRequest, grammarOf, samplingInRange } from './checked-request.ts'
import { unsupported } from './unsupported.ts'

type Body = Record<string, unknown>

/** The body of TGI's `/v1/chat/completions` (router 3.3). Throws `unsupported_parameter` for what it cannot be told. */
export function encodeTgiChat(request: ChatRequest, target: Target, send: EncodeSend): EncodedRequest {
  const dropped = checkRequest(request, 'chat')
  const { sampling, toolChoice } = request
  const body: Body = {
    model: target.model,
    messages: request.messages.flatMap((message, index) => encodeMessage(message, index, dropped)),
    max_tokens: capFor(send.outputCap, target.contextTokens),
  }
  const tools = offered(request.tools, toolChoice, dropped)
  if (tools.length > 0) {
    body['tools'] = tools
    if (toolChoice !== undefined) body['tool_choice'] = encodeChoice(toolChoice)
    // `false` is what TGI does anyway.
    if (request.parallelToolCalls === true) dropped.add('parallel_tool_calls')
  }
  const grammar = grammarOf(request.format, dropped)
  if (grammar !== undefined) body['response_format'] = grammar
  if (sampling.temperature !== undefined) body['temperature'] = sampling.temperature
  if (sampling.frequencyPenalty !== undefined) body['frequency_penalty'] = sampling.frequencyPenalty
  Object.assign(body, samplingInRange(sampling))
  if (sampling.stop !== undefined) body['stop'] = sampling.stop
  if (request.topLogprobs !== undefined) {
    body['logprobs'] = true
    if (request.topLogprobs > 0) body['top_logprobs'] = request.topLogprobs
  }
  for (const name of Object.keys(request.passed)) {
    if (send.passFields?.includes(name) === true && !PRICED_FIELDS.has(name)) body[name] = request.passed[name]
    else dropped.add(name)
  }
  if (send.stream) {
    body['stream'] = true
    body['stream_options'] = { include_usage: true }
  }
  for (const name of Object.keys(target.extraBody)) if (!PRICED_FIELDS.has(name)) body[name] = target.extraBody[name]
  return { path: '/v1/chat/completions', body: JSON.stringify(body), dropped: [...dropped] }
}

function encodeMessage(message: Message, index: number, dropped: Set<string>): readonly Body[] {
  const at = `messages[${index}]`
  const named = 'name' in message && message.name !== undefined ? { name: message.name } : {}
  switch (message.role) {
    case 'system':
    case 'developer':
      return [{ role: 'system', content: contentOf(message.content, at, dropped), ...named }]
    case 'user':
      return [{ role: 'user', content: contentOf(message.content, at, dropped), ...named }]
    case 'tool':
      return [{ role: 'tool', tool_call_id: message.toolCallId, content: contentOf(message.content, at, dropped) }]
    case 'assistant': {
      if (message.audioId !== undefined) throw unsupported(`${at}.audio`)
      // Templates of TGI see text and calls; thinking of earlier turns is not shown to a model anyway.
      if (message.reasoning !== undefined) dropped.add('messages.reasoning')
      const text = textOf(message.content) + (message.refusal ?? '')
      const calls = message.toolCalls ?? []
      // A message is either text or calls there: with both, TGI would read the text and lose the calls.
      return [
        ...(text !== '' || calls.length === 0 ? [{ role: 'assistant', content: text, ...named }] : []),
        ...(calls.length === 0
          ? []
          : [
              {
                role: 'assistant',
                tool_calls: calls.map((call, each) => encodeCall(call, `${at}.tool_calls[${each}]`, dropped)),
              },
            ]),
      ]
    }
    default:
      return message satisfies never
  }
}

type Content = Exclude<Message['content'], null>

function contentOf(content: Content, at: string, dropped: Set<string>): unknown {
  if (typeof content === 'string') return content
  return content.map((part, index) => {
    switch (part.type) {
      case 'text':
      case 'refusal':
        return { type: 'text', text: part.text }
      case 'image':
        if (part.detail !== undefined && part.detail !== 'auto') dropped.add('messages.image_url.detail')
        return { type: 'image_url', image_url: { url: part.url } }
      case 'audio':
      case 'file':
        throw unsupported(`${at}.content[${index}].${part.type === 'audio' ? 'input_audio' : 'file'}`)
      default:
        return part satisfies never
    }
  })
}

function textOf(content: Message['content']): string {
  if (content === null) return ''
  return typeof content === 'string' ? content : content.map((part) => ('text' in part ? part.text : '')).join('')
}

function encodeCall(call: ToolCall, where: string, dropped: Set<string>): Body {
  if (call.kind === 'custom') throw unsupported(`${where}.type`, 'Only functions can be called.')
  if (call.signature !== undefined) dropped.add('messages.signature')
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } }
}

/** TGI knows no list of allowed tools: what may not be called is not offered. */
function offered(tools: readonly Tool[], choice: ToolChoice | undefined, dropped: Set<string>): readonly Body[] {
  return tools.flatMap((tool, index) => {
    if (tool.kind === 'custom')
      throw unsupported(`tools[${index}].type`, 'Offer it as a function with one text argument.')
    if (choice?.type === 'allowed' && !choice.names.includes(tool.name)) return []
    const { name, description, parameters } = tool
    if (tool.strict === true) dropped.add('tools.strict')
    const described = description === undefined ? {} : { description }
    // TGI builds its grammar from the schema and fails without one.
    return [
      {
        type: 'function',
        function: { name, ...described, parameters: parameters ?? { type: 'object', properties: {} } },
      },
    ]
  })
}

function encodeChoice(choice: ToolChoice): unknown {
  switch (choice.type) {
    case 'auto':
    case 'none':
    case 'required':
      return choice.type
    case 'tool':
      return { type: 'function', function: { name: choice.name } }
    case 'allowed':
      return choice.mode
    default:
      return choice satisfies never
  }
}
