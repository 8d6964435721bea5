/** The official `openai` client over three wires, Chat with its own tool loop, and Responses. Each name is a row of the conformance table. */
import OpenAI, { AuthenticationError } from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { clientSuite, TOOLS } from '../support/client-suite.ts'
import { clientWorld, type Target } from '../support/client-world.ts'

const world = clientWorld()
const client = ({ url, apiKey, taskId }: Target): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, defaultHeaders: { 'x-task-id': taskId } })
const NAMES = ['weather', 'clock'] as const
const OBJECT = z.object({ city: z.string(), celsius: z.number() })
const parameters = { type: 'object', properties: { place: { type: 'string' } } }
const isKeyError = (error: unknown): boolean => error instanceof AuthenticationError
const asked = (
  { model }: Target,
  content: string,
): { model: string; messages: [{ role: 'user'; content: string }] } => ({
  model,
  messages: [{ role: 'user', content }],
})

clientSuite(world, {
  mode: 'chat',
  text: async (at, prompt) => {
    const { choices, usage } = await client(at).chat.completions.create(asked(at, prompt))
    return {
      text: choices[0]?.message.content ?? '',
      inputTokens: usage?.prompt_tokens ?? 0,
      outputTokens: usage?.completion_tokens ?? 0,
    }
  },
  stream: async (at, prompt) => {
    const runner = client(at).chat.completions.stream({ ...asked(at, prompt), stream_options: { include_usage: true } })
    let pieces = 0
    runner.on('content', () => (pieces += 1))
    const text = (await runner.finalContent()) ?? ''
    const usage = await runner.totalUsage()
    return { text, pieces, inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens }
  },
  tools: async (at, prompt) => {
    const ran: string[] = []
    const tools = NAMES.map((name) => ({
      type: 'function' as const,
      function: {
        name,
        description: '',
        parameters,
        function: () => {
          ran.push(name)
          return TOOLS[name]
        },
      },
    }))
    const runner = client(at).chat.completions.runTools({ ...asked(at, prompt), tools, stream: true })
    return { text: (await runner.finalContent()) ?? '', ran }
  },
  object: async (at, prompt) => {
    const response_format = zodResponseFormat(OBJECT, 'report')
    const { choices } = await client(at).chat.completions.parse({ ...asked(at, prompt), response_format })
    return choices[0]?.message.parsed
  },
  abort: async (at, prompt, { signal }, begun) => {
    const stream = await client(at).chat.completions.create({ ...asked(at, prompt), stream: true }, { signal })
    for await (const { choices } of stream) if ((choices[0]?.delta.content ?? '') !== '') begun()
  },
  isKeyError,
})

clientSuite(world, {
  mode: 'responses',
  text: async (at, input) => {
    const { output_text: text, usage } = await client(at).responses.create({ model: at.model, input })
    return { text, inputTokens: usage?.input_tokens ?? 0, outputTokens: usage?.output_tokens ?? 0 }
  },
  stream: async (at, input) => {
    const stream = client(at).responses.stream({ model: at.model, input })
    let pieces = 0
    stream.on('response.output_text.delta', () => (pieces += 1))
    const { output_text: text, usage } = await stream.finalResponse()
    return { text, pieces, inputTokens: usage?.input_tokens ?? 0, outputTokens: usage?.output_tokens ?? 0 }
  },
  tools: async (at, prompt) => {
    const ran: string[] = []
    const tools = NAMES.map((name) => ({ type: 'function' as const, name, parameters, strict: false }))
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: prompt }]
    for (;;) {
      const { output, output_text: text } = await client(at)
        .responses.stream({ model: at.model, input, tools, store: false })
        .finalResponse()
      const calls = output.filter((item) => item.type === 'function_call')
      if (calls.length === 0) return { text, ran }
      for (const { call_id, name, arguments: args } of calls) {
        ran.push(name)
        input.push({ type: 'function_call', call_id, name, arguments: args })
        input.push({ type: 'function_call_output', call_id, output: TOOLS[name as keyof typeof TOOLS] })
      }
    }
  },
  object: async (at, input) => {
    const text = { format: zodTextFormat(OBJECT, 'report') }
    return (await client(at).responses.parse({ model: at.model, input, text })).output_parsed
  },
  abort: async (at, input, { signal }, begun) => {
    const stream = await client(at).responses.create({ model: at.model, input, stream: true }, { signal })
    for await (const event of stream) if (event.type === 'response.output_text.delta') begun()
  },
  isKeyError,
})
