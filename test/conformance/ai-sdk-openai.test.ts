/** The `ai` SDK with `@ai-sdk/openai` against the real process, its Responses and its Chat model. Each name is a row of the conformance table. */
import { createOpenAI } from '@ai-sdk/openai'
import { aiSdkDriver } from '../support/ai-sdk-driver.ts'
import { clientSuite, thinkingRow } from '../support/client-suite.ts'
import { clientWorld, STORING_KEY, type Target } from '../support/client-world.ts'

const world = clientWorld()
const provider = ({ url, apiKey, taskId }: Target): ReturnType<typeof createOpenAI> =>
  createOpenAI({ baseURL: `${url}/v1`, apiKey, headers: { 'x-task-id': taskId } })

// Without `store: false` it refers to items of earlier answers by their ids, which a key with `store: true` keeps.
clientSuite(world, {
  mode: 'responses stored',
  ...aiSdkDriver((at) => provider({ ...at, apiKey: at.apiKey === 'sk-test' ? STORING_KEY : at.apiKey })(at.model)),
})
clientSuite(world, {
  mode: 'responses',
  ...aiSdkDriver((at) => provider(at)(at.model), { openai: { store: false } }),
})
clientSuite(world, { mode: 'chat', ...aiSdkDriver((at) => provider(at).chat(at.model)) })

const thinks = {
  reasoningEffort: 'medium',
  forceReasoning: true,
  store: false,
  include: ['reasoning.encrypted_content'],
}
thinkingRow(world, { mode: 'responses', ...aiSdkDriver((at) => provider(at)(at.model), { openai: thinks }) })
