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

const asked = { role: 'user', content: [{ type: 'text', text: QUESTION }] }
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }
const tools = [TOOL, OTHER_TOOL].map((name) => ({ name, input_schema: PARAMETERS }))

function called(count: number): Fields {
  const content = PAST_CALLS.slice(0, count).map(({ id, name, arguments: args }) => ({
    type: 'tool_use',
    id,
    name,
    input: JSON.parse(args) as Fields,
  }))
  return { role: 'assistant', content }
}

function results(count: number): Fields {
  const content = PAST_CALLS.slice(0, count).map(({ id, result }) => ({
    type: 'tool_result',
    tool_use_id: id,
    content: [{ type: 'text', text: result }],
  }))
  return { role: 'user', content }
}

/** The body of `POST /v1/messages` that asks for a capability; of what the API has no word for, the word of chat completions. */
export function askMessages(capability: Capability): Fields {
  return { max_tokens: 8192, messages: [asked], ...partsOf(capability) }
}

/** The next turn, as clients write it: the blocks of the answer go back as they came. */
export function askMessagesAgain(body: Fields, answer: Fields): Fields {
  const messages = body['messages'] as readonly Fields[]
  const said = { role: 'assistant', content: answer['content'] }
  return { ...body, messages: [...messages, said, { role: 'user', content: NEXT_QUESTION }] }
}

function partsOf(capability: Capability): Fields {
  switch (capability) {
    case 'tools':
      return { tools, messages: [asked, called(1), results(1)] }
    case 'parallel tools':
      return { tools, messages: [asked, called(2), results(2)] }
    case 'tool result with image': {
      const [call] = PAST_CALLS
      const content = [{ type: 'text', text: call.result }, image]
      const result = { type: 'tool_result', tool_use_id: call.id, content }
      return { tools, messages: [asked, called(1), { role: 'user', content: [result] }] }
    }
    case 'image in':
      return { messages: [{ role: 'user', content: [{ type: 'text', text: QUESTION }, image] }] }
    case 'structured output':
      return { output_config: { format: { type: 'json_schema', schema: SCHEMA } } }
    case 'reasoning kept across turns with its signature':
      return { thinking: { type: 'enabled', budget_tokens: 2048 } }
    case 'stop':
      return { stop_sequences: [STOP] }
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
