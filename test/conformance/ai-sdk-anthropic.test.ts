/** The `ai` SDK with `@ai-sdk/anthropic` against the real process. Each name is a row of the conformance table. */
import { createAnthropic } from '@ai-sdk/anthropic'
import type { LanguageModel } from 'ai'
import { aiSdkDriver } from '../support/ai-sdk-driver.ts'
import { clientSuite, thinkingRow } from '../support/client-suite.ts'
import { clientWorld, type Target } from '../support/client-world.ts'

const world = clientWorld()

const modelAt = ({ url, apiKey, taskId, model }: Target): LanguageModel =>
  createAnthropic({ baseURL: `${url}/v1`, apiKey, headers: { 'x-task-id': taskId } })(model)

clientSuite(world, aiSdkDriver(modelAt))
thinkingRow(world, aiSdkDriver(modelAt, { anthropic: { thinking: { type: 'enabled', budgetTokens: 2000 } } }))
