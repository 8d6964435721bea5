/** How LangChain does what every client must do; the chat model is the caller's choice. */
import { HumanMessage, type ToolMessage, type BaseMessage, type UsageMetadata } from '@langchain/core/messages'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { tool, type StructuredToolInterface } from '@langchain/core/tools'
import { z } from 'zod'
import { TOOLS, type ClientDriver, type Said } from './client-suite.ts'
import type { Target } from './client-world.ts'

export function langchainDriver(modelAt: (at: Target) => BaseChatModel): ClientDriver {
  return {
    text: async (at, prompt) => {
      const answer = await modelAt(at).invoke(prompt)
      return { text: answer.text, ...tokensOf(answer.usage_metadata) }
    },
    stream: async (at, prompt) => {
      const chunks = await Array.fromAsync(await modelAt(at).stream(prompt))
      const whole = chunks.reduce((all, chunk) => all.concat(chunk))
      const pieces = chunks.filter((chunk) => chunk.text !== '').length
      return { text: whole.text, pieces, ...tokensOf(whole.usage_metadata) }
    },
    tools: async (at, prompt, onTool) => {
      const ran: string[] = []
      const tools = (['weather', 'clock'] as const).map((name): StructuredToolInterface =>
        tool(
          () => {
            ran.push(name)
            onTool?.()
            return TOOLS[name]
          },
          { name, schema: z.object({ place: z.string() }) },
        ),
      )
      const model = modelAt(at).bindTools?.(tools)
      if (model === undefined) throw new Error('This chat model cannot bind tools.')
      const messages: BaseMessage[] = [new HumanMessage(prompt)]
      for (;;) {
        const chunks = await Array.fromAsync(await model.stream(messages))
        const answer = chunks.reduce((all, chunk) => all.concat(chunk))
        messages.push(answer)
        if ((answer.tool_calls ?? []).length === 0) return { text: answer.text, ran }
        for (const call of answer.tool_calls ?? []) {
          const chosen = tools.find(({ name }) => name === call.name)
          const result = (await chosen?.invoke({ ...call, type: 'tool_call' })) as ToolMessage
          messages.push(result)
        }
      }
    },
    object: (at, prompt) =>
      modelAt(at)
        .withStructuredOutput(z.object({ city: z.string(), celsius: z.number() }))
        .invoke(prompt),
    abort: async (at, prompt, leave, begun) => {
      for await (const chunk of await modelAt(at).stream(prompt, { signal: leave.signal }))
        if (chunk.text !== '') begun()
    },
    isKeyError: (error) => (error as { status?: unknown }).status === 401 && error instanceof Error,
  }
}

function tokensOf(usage: UsageMetadata | undefined): Pick<Said, 'inputTokens' | 'outputTokens'> {
  return { inputTokens: usage?.input_tokens ?? 0, outputTokens: usage?.output_tokens ?? 0 }
}
