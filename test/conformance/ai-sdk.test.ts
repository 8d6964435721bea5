/** The `ai` SDK (with its OpenAI-compatible provider) against the real process. Each name is a row of the conformance table. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, generateObject, generateText, stepCountIs, streamText, tool } from 'ai'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { frame, json, say, wantsStream, DONE_FRAME, USAGE_FRAME, type Answer } from '../support/fake-upstream.ts'
import { sharedWorld } from '../support/shared-world.ts'

const world = sharedWorld()
const model = (apiKey = 'sk-test'): ReturnType<ReturnType<typeof createOpenAICompatible>> =>
  createOpenAICompatible({
    name: 'switchyard',
    baseURL: world.baseURL,
    apiKey,
    includeUsage: true,
    supportsStructuredOutputs: true,
  })('auto')

const callWeather: Answer = (request, response) => {
  const { messages } = JSON.parse(request.body) as { messages: { role: string }[] }
  if (messages.at(-1)?.role === 'tool') return say('It is sunny.')(request, response)
  const calls = ['Paris', 'Rome'].map((city, index) => ({
    index,
    id: `call_${index}`,
    type: 'function',
    function: { name: 'weather', arguments: JSON.stringify({ city }) },
  }))
  if (wantsStream(request)) {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(
      frame({ role: 'assistant', content: null, tool_calls: calls }) +
        frame({}, 'tool_calls') +
        USAGE_FRAME +
        DONE_FRAME,
    )
    return
  }
  return json(200, {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      { index: 0, message: { role: 'assistant', content: null, tool_calls: calls }, finish_reason: 'tool_calls' },
    ],
    usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
  })(request, response)
}

const weather = tool({
  description: 'The weather in a city.',
  inputSchema: z.object({ city: z.string() }),
  execute: ({ city }) => Promise.resolve(`${city}: 20 C`),
})

test('generateText: text, finish reason and usage', async () => {
  const result = await generateText({ model: model(), prompt: 'Say hello.' })
  expect(result).toMatchObject({ text: 'Hello there', finishReason: 'stop' })
  expect(result.usage).toMatchObject({ inputTokens: 5, outputTokens: 7 })
})

test('streamText: deltas and usage', async () => {
  const result = streamText({ model: model(), prompt: 'Say hello.' })
  expect((await Array.fromAsync(result.textStream)).join('')).toBe('Hello there')
  expect(await result.usage).toMatchObject({ inputTokens: 5, outputTokens: 7 })
})

test('tools: parallel calls run and the loop ends with text', async () => {
  world.upstream.answer = callWeather
  const result = await generateText({
    model: model(),
    prompt: 'Weather?',
    tools: { weather },
    stopWhen: stepCountIs(3),
  })
  expect(result.text).toBe('It is sunny.')
  expect(result.steps[0]?.toolResults.map((each) => each.output)).toEqual(['Paris: 20 C', 'Rome: 20 C'])
})

test('tools: the same from a stream', async () => {
  world.upstream.answer = callWeather
  const result = streamText({ model: model(), prompt: 'Weather?', tools: { weather }, stopWhen: stepCountIs(3) })
  expect(await result.text).toBe('It is sunny.')
})

test('structured output: an object that fits the schema', async () => {
  world.upstream.answer = say('{"answer":42}')
  const result = await generateObject({ model: model(), prompt: 'x', schema: z.object({ answer: z.number() }) })
  expect(result.object).toEqual({ answer: 42 })
})

test('abort: the upstream is freed', async () => {
  world.upstream.answer = () => {}
  const abort = new AbortController()
  const answer = generateText({ model: model(), prompt: 'x', abortSignal: abort.signal, maxRetries: 0 })
  setTimeout(() => abort.abort(), 100)
  await expect(answer).rejects.toThrow()
  await world.upstream.seen[0]?.aborted
})

test('error class: APICallError with our message, not retryable for a wrong key', async () => {
  const error: unknown = await generateText({ model: model('sk-wrong-test'), prompt: 'x', maxRetries: 0 }).catch(
    (thrown: unknown) => thrown,
  )
  expect(APICallError.isInstance(error) && error).toMatchObject({ statusCode: 401, isRetryable: false })
})

test('error in the stream: reported as an error part, not as an end', async () => {
  world.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`${frame({ role: 'assistant', content: 'Hel' })}data: {"error":{"message":"boom"}}\n\n`)
  }
  const result = streamText({ model: model(), prompt: 'x', onError: () => {} })
  const types = (await Array.fromAsync(result.fullStream)).map((part) => part.type)
  expect(types).toContain('error')
})
