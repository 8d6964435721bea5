/** The `ai` SDK with `@ai-sdk/anthropic` against the real process. Each name is a row of the conformance table. */
import { createAnthropic } from '@ai-sdk/anthropic'
import { aiSdkDriver } from '../support/ai-sdk-driver.ts'
import { clientSuite } from '../support/client-suite.ts'
import { clientWorld } from '../support/client-world.ts'

const world = clientWorld()

clientSuite(
  world,
  aiSdkDriver(({ url, apiKey, taskId, model }) =>
    createAnthropic({ baseURL: `${url}/v1`, apiKey, headers: { 'x-task-id': taskId } })(model),
  ),
)
