/** LlamaIndex.TS (`@llamaindex/openai`, `@llamaindex/workflow`) against the real process. Each name is a row of the conformance table. */
import { tool } from '@llamaindex/core/tools'
import { OpenAI } from '@llamaindex/openai'
import { agent, agentStreamEvent } from '@llamaindex/workflow'
import { z } from 'zod'
import { clientSuite, TOOLS } from '../support/client-suite.ts'
import { clientWorld, type Target } from '../support/client-world.ts'

const world = clientWorld()
const llm = ({ url, apiKey, taskId, model }: Target, leave = new AbortController()): OpenAI =>
  new OpenAI({
    model,
    apiKey,
    baseURL: `${url}/v1`,
    maxRetries: 0,
    additionalSessionOptions: {
      defaultHeaders: { 'x-task-id': taskId },
      // It takes no signal of ours, and leaving its loop does not close the connection.
      fetch: (to, init) =>
        fetch(to, { ...init, signal: AbortSignal.any([leave.signal, init?.signal ?? leave.signal]) }),
    },
  })

interface Raw {
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null
}
const messages = (prompt: string): [{ role: 'user'; content: string }] => [{ role: 'user', content: prompt }]

clientSuite(world, {
  text: async (at, prompt) => {
    const { message, raw } = await llm(at).chat({ messages: messages(prompt) })
    const { usage } = raw as Raw
    return { text: String(message.content), inputTokens: usage?.prompt_tokens, outputTokens: usage?.completion_tokens }
  },
  stream: async (at, prompt) => {
    const chunks = await Array.fromAsync(await llm(at).chat({ messages: messages(prompt), stream: true }))
    const pieces = chunks.map(({ delta }) => delta).filter((delta) => delta !== '')
    const usage = chunks.map(({ raw }) => (raw as Raw).usage ?? undefined).findLast((each) => each !== undefined)
    return {
      text: pieces.join(''),
      pieces: pieces.length,
      inputTokens: usage?.prompt_tokens,
      outputTokens: usage?.completion_tokens,
    }
  },
  tools: async (at, prompt, onTool) => {
    const ran: string[] = []
    const tools = (['weather', 'clock'] as const).map((name) =>
      tool({
        name,
        description: '',
        parameters: z.object({ place: z.string() }),
        execute: () => {
          ran.push(name)
          onTool?.()
          return TOOLS[name]
        },
      }),
    )
    const events = await Array.fromAsync(agent({ llm: llm(at), tools }).runStream(prompt))
    const deltas = events.filter((event) => agentStreamEvent.include(event)).map(({ data }) => data.delta)
    return { text: deltas.join(''), ran }
  },
  object: async (at, prompt) => {
    const responseFormat = z.object({ city: z.string(), celsius: z.number() })
    const { message } = await llm(at).chat({ messages: messages(prompt), responseFormat })
    return JSON.parse(String(message.content)) as unknown
  },
  abort: async (at, prompt, leave, begun) => {
    for await (const { delta } of await llm(at, leave).chat({ messages: messages(prompt), stream: true }))
      if (delta !== '') begun()
  },
  isKeyError: (error) => error instanceof Error && (error as { status?: unknown }).status === 401,
})
