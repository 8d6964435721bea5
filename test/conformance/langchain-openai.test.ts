/** `@langchain/openai` against the real process, over Chat and over Responses. Each name is a row of the conformance table. */
import { ChatOpenAI } from '@langchain/openai'
import { clientSuite } from '../support/client-suite.ts'
import { clientWorld, type Target } from '../support/client-world.ts'
import { langchainDriver } from '../support/langchain-driver.ts'

const world = clientWorld()
const chat = ({ url, apiKey, taskId, model }: Target, useResponsesApi: boolean): ChatOpenAI =>
  new ChatOpenAI({
    model,
    apiKey,
    useResponsesApi,
    maxRetries: 0,
    configuration: { baseURL: `${url}/v1`, defaultHeaders: { 'x-task-id': taskId } },
  })

clientSuite(world, { mode: 'chat', ...langchainDriver((at) => chat(at, false)) })
clientSuite(world, { mode: 'responses', ...langchainDriver((at) => chat(at, true)) })
