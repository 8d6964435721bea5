/** The official `@anthropic-ai/sdk` over three wires, with its own tool runner. Each name is a row of the conformance table. */
import Anthropic, { AuthenticationError } from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { z } from 'zod'
import { clientSuite, thinkingRow, TOOLS, type ClientDriver } from '../support/client-suite.ts'
import { clientWorld, type Target } from '../support/client-world.ts'

const world = clientWorld()
const client = ({ url, apiKey, taskId }: Target): Anthropic =>
  new Anthropic({ baseURL: url, apiKey, maxRetries: 0, defaultHeaders: { 'x-task-id': taskId } })
type Asked = Pick<Anthropic.MessageCreateParamsNonStreaming, 'model' | 'max_tokens' | 'messages'>
const asked = ({ model }: Target, content: string): Asked => ({
  model,
  max_tokens: 4096,
  messages: [{ role: 'user', content }],
})
const textOf = (content: readonly { readonly type: string }[]): string =>
  content.map((block) => ('text' in block && typeof block.text === 'string' ? block.text : '')).join('')

const toolsWith =
  (thinking: Anthropic.ThinkingConfigParam): ClientDriver['tools'] =>
  async (at, prompt, onTool) => {
    const ran: string[] = []
    const tools = (['weather', 'clock'] as const).map((name) =>
      betaTool({
        name,
        description: '',
        inputSchema: { type: 'object', properties: { place: { type: 'string' } } },
        run: () => {
          ran.push(name)
          onTool?.()
          return TOOLS[name]
        },
      }),
    )
    const runner = client(at).beta.messages.toolRunner({ ...asked(at, prompt), tools, thinking, stream: true })
    return { text: textOf((await runner.runUntilDone()).content), ran }
  }

clientSuite(world, {
  text: async (at, prompt) => {
    const { content, usage } = await client(at).messages.create(asked(at, prompt))
    return { text: textOf(content), inputTokens: usage.input_tokens, outputTokens: usage.output_tokens }
  },
  stream: async (at, prompt) => {
    const stream = client(at).messages.stream(asked(at, prompt))
    let pieces = 0
    stream.on('text', () => (pieces += 1))
    const { content, usage } = await stream.finalMessage()
    return { text: textOf(content), pieces, inputTokens: usage.input_tokens, outputTokens: usage.output_tokens }
  },
  tools: toolsWith({ type: 'disabled' }),
  object: async (at, prompt) => {
    const format = zodOutputFormat(z.object({ city: z.string(), celsius: z.number() }))
    return (await client(at).messages.parse({ ...asked(at, prompt), output_config: { format } })).parsed_output
  },
  abort: async (at, prompt, { signal }, begun) => {
    const stream = await client(at).messages.create({ ...asked(at, prompt), stream: true }, { signal })
    for await (const event of stream) if (event.type === 'content_block_delta') begun()
  },
  isKeyError: (error) => error instanceof AuthenticationError,
})
thinkingRow(world, { tools: toolsWith({ type: 'enabled', budget_tokens: 2000 }) })
