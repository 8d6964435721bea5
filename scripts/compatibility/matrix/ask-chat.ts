import {
  CAP,
  NEXT_QUESTION,
  OTHER_TOOL,
  PARAMETERS,
  PAST_CALLS,
  PNG,
  QUESTION,
  SCHEMA,
  SEED,
  STOP,
  TOOL,
  TOP_LOGPROBS,
  type Capability,
} from './capabilities.ts'
import type { Fields } from './fields.ts'

const asked = { role: 'user', content: QUESTION }
const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }
const tools = [TOOL, OTHER_TOOL].map((name) => ({ type: 'function', function: { name, parameters: PARAMETERS } }))

function called(count: number): Fields {
  const tool_calls = PAST_CALLS.slice(0, count).map(({ id, name, arguments: args }) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  }))
  return { role: 'assistant', content: null, tool_calls }
}

function results(count: number): readonly Fields[] {
  return PAST_CALLS.slice(0, count).map(({ id, result }) => ({ role: 'tool', tool_call_id: id, content: result }))
}

/** The body of `POST /v1/chat/completions` that asks for a capability. */
export function askChat(capability: Capability): Fields {
  return { messages: [asked], ...partsOf(capability) }
}

/** The next turn, as clients write it: the answer's message goes back as it came. */
export function askChatAgain(body: Fields, answer: Fields): Fields {
  const [choice] = answer['choices'] as readonly Fields[]
  const messages = body['messages'] as readonly Fields[]
  return { ...body, messages: [...messages, choice?.['message'], { role: 'user', content: NEXT_QUESTION }] }
}

function partsOf(capability: Capability): Fields {
  switch (capability) {
    case 'tools':
      return { tools, messages: [asked, called(1), ...results(1)] }
    case 'parallel tools':
      return { tools, parallel_tool_calls: true, messages: [asked, called(2), ...results(2)] }
    case 'tool result with image': {
      const [call] = PAST_CALLS
      const content = [{ type: 'text', text: call.result }, image]
      return { tools, messages: [asked, called(1), { role: 'tool', tool_call_id: call.id, content }] }
    }
    case 'image in':
      return { messages: [{ role: 'user', content: [{ type: 'text', text: QUESTION }, image] }] }
    case 'structured output':
      return { response_format: { type: 'json_schema', json_schema: { name: 'report', schema: SCHEMA, strict: true } } }
    case 'reasoning kept across turns with its signature':
      return { reasoning_effort: 'low', max_completion_tokens: 8192 }
    case 'stop':
      return { stop: [STOP] }
    case 'max-tokens cut':
      return { max_tokens: CAP }
    case 'logprobs':
      return { logprobs: true, top_logprobs: TOP_LOGPROBS }
    case 'seed':
      return { seed: SEED }
    case 'n>1':
      return { n: 2 }
    case 'stream':
    case 'error before stream':
    case 'error in stream':
      return { stream: true }
    case 'text':
    case 'refusal':
    case 'cached-token usage':
      return {}
    default:
      return capability satisfies never
  }
}
