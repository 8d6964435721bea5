import { SwitchyardError } from '../../shared/errors.ts'
import type {
  ChatRequest,
  ImagePart,
  Message,
  OpenAiOnly,
  OutputFormat,
  Signer,
  Tool,
  ToolCall,
  ToolChoice,
  UserPart,
} from '../request.ts'
import { openDetails } from '../reasoning-details.ts'
import { fateOf, type ChatKind } from './fields.ts'
import { PRICED_FIELDS } from './known-fields.ts'
import { BEFORE_PICTURES, hasPictures, picturesOf, withoutPictures } from './tool-pictures.ts'

export interface EncodeTarget {
  readonly kind: string
  /** Name that the upstream knows. */
  readonly model: string
  /** Whose signatures it can read, where its kind does not say it. */
  readonly signs?: Signer
  /** Fixed fields of the operator; they come last and win, except over what is priced. */
  readonly extraBody: Readonly<Record<string, unknown>>
}

export interface EncodeSend {
  readonly stream: boolean
  /** Cap on output tokens to send; undefined = none. */
  readonly outputCap: number | undefined
  /** Fields that the operator lets through to this upstream. */
  readonly passFields?: readonly string[]
  /** OpenAI's own API (or Azure's): its reasoning models refuse `max_tokens`. */
  readonly isHostedOpenAi?: boolean
  /** Azure's version of the interface, for the address. */
  readonly apiVersion?: string | undefined
  /** The base URL is Azure's for deployments, and the model is one of them. */
  readonly isDeployment?: boolean
}

type Body = Record<string, unknown>

/** Under which names what the model thought goes back. OpenAI's own chat has no place for it; vLLM reads the older name, the newer, or both, by its release. */
const NOWHERE: readonly string[] = []
const ONE_NAME: readonly string[] = ['reasoning_content']
const BOTH_NAMES: readonly string[] = ['reasoning_content', 'reasoning']
/** OpenRouter: what it said about the thinking, in the place of its text; the text where it said nothing. */
const DETAILS: readonly string[] = ['reasoning_content']
/** Longest name of a tool at OpenAI (chat completions reference); Anthropic's callers have twice as much. */
const HOSTED_MAX_NAME = 64

/**
 * Writes the body of `POST /chat/completions` for one target, from nothing but the validated request: what is priced is what is
 * sent. Throws `unsupported_parameter` for a field that the target cannot do and whose loss would change the answer.
 */
export function encodeChatRequest(
  request: ChatRequest,
  target: EncodeTarget,
  send: EncodeSend,
): { readonly body: string; readonly dropped: readonly string[] } {
  const thoughtNames =
    target.signs === 'openrouter'
      ? DETAILS
      : send.isHostedOpenAi === true
        ? NOWHERE
        : target.kind === 'vllm'
          ? BOTH_NAMES
          : ONE_NAME
  const body: Body = { model: target.model, messages: encodeMessages(request.messages, thoughtNames) }
  if (request.tools.length > 0) {
    if (send.isHostedOpenAi === true) checkNames(request.tools)
    body['tools'] = request.tools.map(encodeTool)
    if (request.toolChoice !== undefined) body['tool_choice'] = encodeToolChoice(request.toolChoice)
    if (request.parallelToolCalls !== undefined) body['parallel_tool_calls'] = request.parallelToolCalls
  }
  if (request.format !== undefined) body['response_format'] = encodeFormat(request.format)
  if (request.reasoningEffort !== undefined) body['reasoning_effort'] = request.reasoningEffort
  const encoded = encodeCommon(body, request, target, send)
  return thoughtNames === NOWHERE && request.messages.some(hasThought)
    ? { ...encoded, dropped: [...encoded.dropped, 'messages.reasoning'] }
    : encoded
}

/** Adds what chat and text completions have in common. */
export function encodeCommon(
  body: Body,
  request: ChatRequest,
  target: EncodeTarget,
  send: EncodeSend,
): { readonly body: string; readonly dropped: readonly string[] } {
  const kind = target.kind as ChatKind
  const dropped: string[] = []
  if (send.outputCap !== undefined)
    body[send.isHostedOpenAi === true ? 'max_completion_tokens' : 'max_tokens'] = send.outputCap
  if (request.n > 1) body['n'] = request.n
  if (request.topLogprobs !== undefined) {
    body['logprobs'] = true
    if (request.topLogprobs > 0) body['top_logprobs'] = request.topLogprobs
  }
  if (request.messages.some((message) => isSigned(message, target.signs))) dropped.push('messages.signature')
  encodeSampling(request, send.passFields ?? [], kind, body, dropped)
  encodeOpenAiOnly(request.openai, kind, body, dropped)
  for (const name of Object.keys(request.passed)) {
    if (send.passFields?.includes(name) === true && !PRICED_FIELDS.has(name)) body[name] = request.passed[name]
    else dropped.push(name)
  }
  if (send.stream) {
    body['stream'] = true
    body['stream_options'] = { include_usage: true }
  }
  for (const name of Object.keys(target.extraBody)) {
    // Refused when the configuration is read; here again, since this is where the price and the body could part.
    if (!PRICED_FIELDS.has(name)) body[name] = target.extraBody[name]
  }
  return { body: JSON.stringify(body), dropped }
}

function encodeSampling(
  request: ChatRequest,
  passFields: readonly string[],
  kind: ChatKind,
  body: Body,
  dropped: string[],
): void {
  const { sampling } = request
  if (sampling.temperature !== undefined) body['temperature'] = sampling.temperature
  if (sampling.topP !== undefined) body['top_p'] = sampling.topP
  if (sampling.frequencyPenalty !== undefined) body['frequency_penalty'] = sampling.frequencyPenalty
  if (sampling.presencePenalty !== undefined) body['presence_penalty'] = sampling.presencePenalty
  if (sampling.seed !== undefined) body['seed'] = sampling.seed
  if (sampling.stop !== undefined) body['stop'] = sampling.stop
  if (sampling.logitBias !== undefined) body['logit_bias'] = sampling.logitBias
  const engine = [
    ['top_k', sampling.topK],
    ['min_p', sampling.minP],
    ['repetition_penalty', sampling.repetitionPenalty],
  ] as const
  for (const [name, value] of engine) {
    if (value === undefined) continue
    if (fateOf(name, kind) === 'forward' || passFields.includes(name)) body[name] = value
    else dropped.push(name)
  }
}

function encodeOpenAiOnly(fields: OpenAiOnly, kind: ChatKind, body: Body, dropped: string[]): void {
  for (const name of Object.keys(fields) as (keyof OpenAiOnly)[]) {
    const fate = fateOf(name, kind)
    switch (fate) {
      case 'forward':
        body[name] = fields[name]
        break
      case 'drop':
        dropped.push(name)
        break
      case 'translate':
        // Only `modalities`: text is the one thing that engines write.
        if (fields.modalities?.includes('audio') === true) throw unsupported('modalities')
        break
      case 'refuse':
      case 'own':
        throw unsupported(name)
      default:
        fate satisfies never
    }
  }
}

function checkNames(tools: readonly Tool[]): void {
  const at = tools.findIndex(({ name }) => name.length > HOSTED_MAX_NAME)
  if (at >= 0)
    throw unsupported(
      `tools[${at}].name`,
      `Names of tools have at most ${HOSTED_MAX_NAME} letters there; send a shorter one.`,
    )
}

/** `why` is a whole sentence about the fix. */
function unsupported(name: string, why?: string): SwitchyardError {
  return new SwitchyardError(
    'unsupported_parameter',
    `The model that this request went to does not support '${name}'.${why === undefined ? '' : ` ${why}`}`,
    { param: name },
  )
}

function encodeMessages(messages: readonly Message[], thoughtNames: readonly string[]): readonly Body[] {
  const bodies: Body[] = []
  let pictures: ImagePart[] | undefined
  for (const message of messages) {
    if (message.role !== 'tool') {
      if (pictures !== undefined) bodies.push(pictureMessage(pictures))
      pictures = undefined
    } else if (hasPictures(message)) {
      bodies.push(encodeMessage(withoutPictures(message), thoughtNames))
      ;(pictures ??= []).push(...picturesOf(message))
      continue
    }
    bodies.push(encodeMessage(message, thoughtNames))
  }
  if (pictures !== undefined) bodies.push(pictureMessage(pictures))
  return bodies
}

function pictureMessage(pictures: readonly ImagePart[]): Body {
  return { role: 'user', content: [{ type: 'text', text: BEFORE_PICTURES }, ...pictures.map(encodePart)] }
}

function encodeMessage(message: Message, thoughtNames: readonly string[]): Body {
  switch (message.role) {
    case 'system':
    case 'developer':
    case 'user': {
      const content = typeof message.content === 'string' ? message.content : message.content.map(encodePart)
      return message.name === undefined
        ? { role: message.role, content }
        : { role: message.role, content, name: message.name }
    }
    case 'tool':
      return {
        role: 'tool',
        tool_call_id: message.toolCallId,
        content: typeof message.content === 'string' ? message.content : message.content.map(encodePart),
      }
    case 'assistant':
      return encodeAssistant(message, thoughtNames)
    default:
      return message satisfies never
  }
}

function hasThought(message: Message): boolean {
  return message.role === 'assistant' && message.reasoning?.some(({ text }) => text !== '') === true
}

/** A message with thinking or calls that only their own provider can read again; the chat dialect has no place for it. */
function isSigned(message: Message, own: Signer | undefined): boolean {
  if (message.role !== 'assistant') return false
  return (
    message.toolCalls?.some((call) => call.signature !== undefined) === true ||
    message.reasoning?.some((part) => part.signedBy !== undefined && part.signedBy !== own) === true
  )
}

function encodeAssistant(message: Extract<Message, { role: 'assistant' }>, thoughtNames: readonly string[]): Body {
  const { content } = message
  const isHosted = thoughtNames === NOWHERE
  const body: Body = {
    role: 'assistant',
    content:
      typeof content === 'string' || content === null
        ? content
        : content.map((part) =>
            part.type === 'text' || !isHosted
              ? { type: 'text', text: part.text }
              : { type: 'refusal', refusal: part.text },
          ),
  }
  if (message.toolCalls !== undefined) body['tool_calls'] = message.toolCalls.map(encodeToolCall)
  if (message.refusal !== undefined) {
    if (isHosted) body['refusal'] = message.refusal
    else if (message.refusal !== '') body['content'] = withRefusal(body['content'], message.refusal)
  }
  if (message.audioId !== undefined) body['audio'] = { id: message.audioId }
  if (message.name !== undefined) body['name'] = message.name
  if (thoughtNames === DETAILS) {
    const details = (message.reasoning ?? []).flatMap(({ signature, signedBy }) =>
      signedBy === 'openrouter' && signature !== undefined ? openDetails(signature) : [],
    )
    if (details.length > 0) return { ...body, reasoning_details: details }
  }
  const reasoning = message.reasoning?.map((part) => part.text).join('')
  if (reasoning !== undefined && reasoning !== '') for (const name of thoughtNames) body[name] = reasoning
  return body
}

/** Chat templates of engines show `content` alone: what the model declined to do is what it said. */
function withRefusal(content: unknown, refusal: string): unknown {
  if (Array.isArray(content)) return [...(content as readonly Body[]), { type: 'text', text: refusal }]
  return typeof content === 'string' ? content + refusal : refusal
}

function encodeToolCall(call: ToolCall): Body {
  return call.kind === 'custom'
    ? { id: call.id, type: 'custom', custom: { name: call.name, input: call.arguments } }
    : { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } }
}

function encodePart(part: UserPart): Body {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return {
        type: 'image_url',
        image_url: part.detail === undefined ? { url: part.url } : { url: part.url, detail: part.detail },
      }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } }
    case 'file': {
      // This wire has no place for a file's address.
      if (part.url !== undefined) throw unsupported('messages')
      const file: Body = {}
      if (part.fileId !== undefined) file['file_id'] = part.fileId
      if (part.filename !== undefined) file['filename'] = part.filename
      if (part.data !== undefined) file['file_data'] = part.data
      return { type: 'file', file }
    }
    default:
      return part satisfies never
  }
}

function encodeTool(tool: Tool): Body {
  const body: Body = { name: tool.name }
  if (tool.description !== undefined) body['description'] = tool.description
  if (tool.kind === 'custom') {
    if (tool.format !== undefined) body['format'] = tool.format
    return { type: 'custom', custom: body }
  }
  if (tool.parameters !== undefined) body['parameters'] = tool.parameters
  if (tool.strict !== undefined) body['strict'] = tool.strict
  return { type: 'function', function: body }
}

function encodeToolChoice(choice: ToolChoice): unknown {
  switch (choice.type) {
    case 'auto':
    case 'none':
    case 'required':
      return choice.type
    case 'tool':
      return { type: choice.kind, [choice.kind]: { name: choice.name } }
    case 'allowed':
      return {
        type: 'allowed_tools',
        allowed_tools: {
          mode: choice.mode,
          tools: choice.names.map((name) => ({ type: 'function', function: { name } })),
        },
      }
    default:
      return choice satisfies never
  }
}

function encodeFormat(format: OutputFormat): Body {
  if (format.type !== 'json_schema') return { type: format.type }
  const schema: Body = { name: format.name }
  if (format.description !== undefined) schema['description'] = format.description
  if (format.schema !== undefined) schema['schema'] = format.schema
  if (format.strict !== undefined) schema['strict'] = format.strict
  return { type: 'json_schema', json_schema: schema }
}
