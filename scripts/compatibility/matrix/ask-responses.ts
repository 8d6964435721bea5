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
const image = { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'auto' }
const tools = [TOOL, OTHER_TOOL].map((name) => ({ type: 'function', name, parameters: PARAMETERS, strict: false }))

function called(count: number): readonly Fields[] {
  return PAST_CALLS.slice(0, count).map(({ id, name, arguments: args }) => ({
    type: 'function_call',
    call_id: id,
    name,
    arguments: args,
  }))
}

function results(count: number): readonly Fields[] {
  return PAST_CALLS.slice(0, count).map(({ id, result }) => ({
    type: 'function_call_output',
    call_id: id,
    output: result,
  }))
}

/** The body of `POST /v1/responses` that asks for a capability; of what the API has no word for, the word of chat completions. */
export function askResponses(capability: Capability): Fields {
  return { store: false, input: [asked], ...partsOf(capability) }
}

/** The next turn, as clients write it: the items of the output go back as they came. */
export function askResponsesAgain(body: Fields, answer: Fields): Fields {
  const input = body['input'] as readonly Fields[]
  const output = answer['output'] as readonly Fields[]
  return { ...body, input: [...input, ...output, { role: 'user', content: NEXT_QUESTION }] }
}

function partsOf(capability: Capability): Fields {
  switch (capability) {
    case 'tools':
      return { tools, input: [asked, ...called(1), ...results(1)] }
    case 'parallel tools':
      return { tools, parallel_tool_calls: true, input: [asked, ...called(2), ...results(2)] }
    case 'tool result with image': {
      const [call] = PAST_CALLS
      const output = [{ type: 'input_text', text: call.result }, image]
      return {
        tools,
        input: [asked, ...called(1), { type: 'function_call_output', call_id: call.id, output }],
      }
    }
    case 'image in':
      return { input: [{ role: 'user', content: [{ type: 'input_text', text: QUESTION }, image] }] }
    case 'structured output':
      return { text: { format: { type: 'json_schema', name: 'report', schema: SCHEMA, strict: true } } }
    case 'reasoning kept across turns with its signature':
      return { reasoning: { effort: 'low' }, include: ['reasoning.encrypted_content'], max_output_tokens: 8192 }
    case 'stop':
      return { stop: [STOP] }
    case 'max-tokens cut':
      return { max_output_tokens: CAP }
    case 'logprobs':
      return { include: ['message.output_text.logprobs'], top_logprobs: TOP_LOGPROBS }
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
