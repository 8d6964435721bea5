/** `@langchain/anthropic` against the real process. Each name is a row of the conformance table. */
import { ChatAnthropic } from '@langchain/anthropic'
import { clientSuite } from '../support/client-suite.ts'
import { clientWorld } from '../support/client-world.ts'
import { langchainDriver } from '../support/langchain-driver.ts'

const world = clientWorld()

const driver = langchainDriver(
  ({ url, apiKey, taskId, model }) =>
    new ChatAnthropic({
      model,
      apiKey,
      maxRetries: 0,
      maxTokens: 2048,
      anthropicApiUrl: url,
      clientOptions: { defaultHeaders: { 'x-task-id': taskId } },
    }),
)

clientSuite(world, {
  ...driver,
  // It takes the prompt's tokens from the first event of a stream only, where an engine has not said them yet.
  stream: async (at, prompt) => {
    const said = await driver.stream(at, prompt)
    return at.model === 'vllm' && said.inputTokens === 0 ? { ...said, inputTokens: undefined } : said
  },
})
