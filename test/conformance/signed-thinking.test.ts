/** Signed thinking over OpenAI's chat: the official client sends it back, and Anthropic's wire accepts it. Each name is a row of the conformance table. */
import OpenAI, { BadRequestError } from 'openai'
import { expect, test } from 'vitest'
import { TOOLS, thinkingRow } from '../support/client-suite.ts'
import { clientWorld, THINKER, type Target } from '../support/client-world.ts'

const world = clientWorld()
const client = ({ url, apiKey, taskId }: Target): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, defaultHeaders: { 'x-task-id': taskId } })
const weather: OpenAI.ChatCompletionFunctionTool = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: { place: { type: 'string' } } } },
}
type Messages = OpenAI.ChatCompletionMessageParam[]

function bodyOf({ model }: Target, messages: Messages): Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream'> {
  return { model, messages, tools: [weather], reasoning_effort: 'medium' }
}

for (const isStream of [false, true]) {
  thinkingRow(world, {
    mode: `chat, ${isStream ? 'stream' : 'whole'}`,
    tools: async (at, prompt, onTool) => {
      const { completions } = client(at).chat
      const messages: Messages = [{ role: 'user', content: prompt }]
      const ran: string[] = []
      for (;;) {
        const body = bodyOf(at, messages)
        const answer = isStream ? await completions.stream(body).finalChatCompletion() : await completions.create(body)
        const message = answer.choices[0]!.message
        messages.push(message)
        if (message.tool_calls === undefined) return { text: message.content ?? '', ran }
        for (const { id } of message.tool_calls) {
          ran.push('weather')
          onTool?.()
          messages.push({ role: 'tool', tool_call_id: id, content: TOOLS.weather })
        }
      }
    },
  })
}

test('chat, thinking: changed on its way, it is refused by the provider and costs nothing', async () => {
  const at = world.target('anthropic', { model: THINKER })
  const { completions } = client(at).chat
  const messages: Messages = [{ role: 'user', content: 'Look up the weather along northern coasts.' }]
  const { message } = (await completions.create(bodyOf(at, messages))).choices[0]!
  const changed = JSON.parse(
    JSON.stringify(message).replaceAll('northern', 'southern').replaceAll('weather,', 'water,'),
  ) as typeof message
  expect(changed).not.toEqual(message)
  const spent = (await world.task(at.taskId)).spent.nano_usd
  messages.push(changed, { role: 'tool', tool_call_id: message.tool_calls![0]!.id, content: TOOLS.weather })
  await expect(completions.create(bodyOf(at, messages))).rejects.toBeInstanceOf(BadRequestError)
  expect((await world.task(at.taskId)).spent.nano_usd).toBe(spent)
})
