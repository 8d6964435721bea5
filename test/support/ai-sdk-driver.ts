/** How the `ai` SDK does what every client must do; the provider package is the caller's choice. */
import {
  APICallError,
  generateObject,
  generateText,
  stepCountIs,
  streamText,
  tool,
  type LanguageModel,
  type Tool,
} from 'ai'
import { z } from 'zod'
import { TOOLS, type ClientDriver } from './client-suite.ts'
import type { Target } from './client-world.ts'

type Options = NonNullable<Parameters<typeof generateText>[0]['providerOptions']>

const inputSchema = z.object({ place: z.string() })

export function aiSdkDriver(modelAt: (at: Target) => LanguageModel, providerOptions: Options = {}): ClientDriver {
  const asked = (
    at: Target,
    prompt: string,
  ): { model: LanguageModel; prompt: string; maxRetries: number; providerOptions: Options } => ({
    model: modelAt(at),
    prompt,
    maxRetries: 0,
    providerOptions,
  })
  return {
    text: async (at, prompt) => {
      const { text, usage } = await generateText({ ...asked(at, prompt) })
      return { text, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens }
    },
    stream: async (at, prompt) => {
      const result = streamText({ ...asked(at, prompt) })
      const pieces = await Array.fromAsync(result.textStream)
      const { inputTokens, outputTokens } = await result.usage
      return { text: pieces.join(''), pieces: pieces.length, inputTokens, outputTokens }
    },
    tools: async (at, prompt, onTool) => {
      const ran: string[] = []
      const made = (name: keyof typeof TOOLS): Tool<{ place: string }, (typeof TOOLS)[keyof typeof TOOLS]> =>
        tool({
          inputSchema,
          execute: () => {
            ran.push(name)
            onTool?.()
            return Promise.resolve(TOOLS[name])
          },
        })
      const result = streamText({
        ...asked(at, prompt),
        tools: { weather: made('weather'), clock: made('clock') },
        stopWhen: stepCountIs(4),
      })
      return { text: await result.text, ran }
    },
    object: async (at, prompt) => {
      const schema = z.object({ city: z.string(), celsius: z.number() })
      const { object } = await generateObject({ ...asked(at, prompt), schema })
      return object
    },
    abort: async (at, prompt, leave, begun) => {
      const result = streamText({ ...asked(at, prompt), abortSignal: leave.signal })
      for await (const piece of result.textStream) if (piece !== '') begun()
    },
    isKeyError: (error) => APICallError.isInstance(error) && error.statusCode === 401 && !error.isRetryable,
  }
}
