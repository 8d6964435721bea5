/** `@openai/agents` against the real process, over Responses and over Chat. Each name is a row of the conformance table. */
import { Agent, OpenAIProvider, Runner, tool, type ModelSettings } from '@openai/agents'
import OpenAI, { AuthenticationError } from 'openai'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { clientSuite, expectCost, thinkingRow, TOOLS, type ClientDriver } from '../support/client-suite.ts'
import { clientWorld, WIRES_BEHIND, type Target } from '../support/client-world.ts'

const world = clientWorld()

/** Tracing would send every run to OpenAI: it is off. */
function runner({ url, apiKey, taskId, model }: Target, useResponses: boolean): Runner {
  const openAIClient = new OpenAI({
    baseURL: `${url}/v1`,
    apiKey,
    maxRetries: 0,
    defaultHeaders: { 'x-task-id': taskId },
  })
  return new Runner({ model, modelProvider: new OpenAIProvider({ openAIClient, useResponses }), tracingDisabled: true })
}

function toolbox(ran: string[], onTool?: () => void): ReturnType<typeof tool>[] {
  return (['weather', 'clock'] as const).map((name) =>
    tool({
      name,
      description: '',
      parameters: z.object({ place: z.string() }),
      execute: () => {
        ran.push(name)
        onTool?.()
        return TOOLS[name]
      },
    }),
  )
}

const plain = new Agent({ name: 'Plain' })

function driver(useResponses: boolean, modelSettings: ModelSettings = {}): ClientDriver {
  return {
    mode: useResponses ? 'responses' : 'chat',
    text: async (at, prompt) => {
      const result = await runner(at, useResponses).run(plain, prompt)
      const { inputTokens, outputTokens } = result.state.usage
      return { text: result.finalOutput ?? '', inputTokens, outputTokens }
    },
    stream: async (at, prompt) => {
      const result = await runner(at, useResponses).run(plain, prompt, { stream: true })
      const pieces = await Array.fromAsync(result.toTextStream())
      await result.completed
      const { inputTokens, outputTokens } = result.state.usage
      return { text: pieces.join(''), pieces: pieces.length, inputTokens, outputTokens }
    },
    tools: async (at, prompt, onTool) => {
      const ran: string[] = []
      const agent = new Agent({ name: 'Busy', tools: toolbox(ran, onTool), modelSettings })
      const result = await runner(at, useResponses).run(agent, prompt, { stream: true })
      await result.completed
      return { text: result.finalOutput ?? '', ran }
    },
    object: async (at, prompt) => {
      const outputType = z.object({ city: z.string(), celsius: z.number() })
      const result = await runner(at, useResponses).run(new Agent({ name: 'Strict', outputType }), prompt)
      return result.finalOutput
    },
    abort: async (at, prompt, leave, begun) => {
      const result = await runner(at, useResponses).run(plain, prompt, { stream: true, signal: leave.signal })
      for await (const piece of result.toTextStream()) if (piece !== '') begun()
      await result.completed
    },
    isKeyError: (error) => error instanceof AuthenticationError,
  }
}

for (const useResponses of [true, false]) {
  clientSuite(world, driver(useResponses))
  for (const wire of WIRES_BEHIND) {
    test(`${useResponses ? 'responses' : 'chat'}, handoff: two agents are one task (${wire} behind)`, async () => {
      const at = world.target(wire)
      const harbour = new Agent({ name: 'harbour', instructions: 'You know the harbours.' })
      const desk = Agent.create({ name: 'desk', instructions: 'You hand on.', handoffs: [harbour] })
      const result = await runner(at, useResponses).run(desk, 'Please transfer to the harbour.')
      expect(result.lastAgent?.name).toBe('harbour')
      expect(result.finalOutput?.length).toBeGreaterThan(10)
      await expectCost(world, wire, at, 2)
    })
  }
}

thinkingRow(
  world,
  driver(true, {
    reasoning: { effort: 'medium' },
    providerData: { include: ['reasoning.encrypted_content'] },
  }),
)
