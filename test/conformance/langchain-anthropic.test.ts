/** `@langchain/anthropic` against the real process. Each name is a row of the conformance table. */
import { ChatAnthropic, type AnthropicInput } from '@langchain/anthropic'
import { clientSuite, thinkingRow } from '../support/client-suite.ts'
import { clientWorld, type Target } from '../support/client-world.ts'
import { langchainDriver } from '../support/langchain-driver.ts'

const world = clientWorld()

const chat = ({ url, apiKey, taskId, model }: Target, more: Partial<AnthropicInput> = {}): ChatAnthropic =>
  new ChatAnthropic({
    model,
    apiKey,
    maxRetries: 0,
    maxTokens: 4096,
    anthropicApiUrl: url,
    clientOptions: { defaultHeaders: { 'x-task-id': taskId } },
    ...more,
  })
const driver = langchainDriver((at) => chat(at))

clientSuite(world, {
  ...driver,
  // It takes the prompt's tokens from the first event of a stream only, where an engine has not said them yet.
  stream: async (at, prompt) => {
    const said = await driver.stream(at, prompt)
    return at.model === 'vllm' && said.inputTokens === 0 ? { ...said, inputTokens: undefined } : said
  },
})
thinkingRow(
  world,
  langchainDriver((at) => chat(at, { thinking: { type: 'enabled', budget_tokens: 2000 } })),
)
