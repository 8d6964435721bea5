import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { createSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.ts'
import { seededRandom } from '../../src/simulator/random.ts'
import { valueFor } from '../../src/simulator/schema-value.ts'
import { readFixture } from '../support/vectors.ts'

async function start(
  changes: Partial<SimulatorOptions> = {},
): Promise<{ simulator: Simulator; url: string; ask: (body: object) => Promise<Response> }> {
  const simulator = createSimulator({
    flavour: 'vllm',
    models: ['m'],
    speed: 0,
    isMarked: false,
    prices: { m: { inputPerM: 1, outputPerM: 10 } },
    ...changes,
  })
  const { url } = await simulator.listen(0)
  onTestFinished(() => simulator.close())
  const ask = (body: object): Promise<Response> =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'm',
        messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
        ...body,
      }),
    })
  return { simulator, url, ask }
}

interface Whole {
  readonly choices: readonly {
    readonly message: {
      readonly content: string | null
      readonly tool_calls?: readonly { readonly function: { readonly name: string; readonly arguments: string } }[]
    }
    readonly finish_reason: string
  }[]
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number }
}
const whole = async (response: Response): Promise<Whole> => (await response.json()) as Whole

test('a whole answer has the keys of a recorded one of vLLM', async () => {
  const { ask } = await start()
  const recorded = readFixture<{ name: string; response: { body?: string } }>('recorded/vllm-0.32.0.jsonl').find(
    (row) => row.name === 'chat_plain',
  )
  const real = JSON.parse(recorded?.response.body ?? '{}') as Record<string, unknown> & {
    choices: Record<string, unknown>[]
  }
  const ours = (await (await ask({})).json()) as typeof real
  expect(Object.keys(ours).toSorted()).toEqual(Object.keys(real).toSorted())
  expect(Object.keys(ours.choices[0] ?? {}).toSorted()).toEqual(Object.keys(real.choices[0] ?? {}).toSorted())
})

test('the same request gets the same answer, streamed or whole, and the usage is what was streamed', async () => {
  const { ask } = await start()
  const text = (await whole(await ask({}))).choices[0]?.message.content
  const stream = await (await ask({ stream: true, stream_options: { include_usage: true } })).text()
  const chunks = stream.split('\n\n').flatMap((event) =>
    event.startsWith('data: {')
      ? [
          JSON.parse(event.slice(6)) as {
            choices: { delta: { content?: string } }[]
            usage?: { completion_tokens: number }
          },
        ]
      : [],
  )
  const pieces = chunks.flatMap((chunk) => chunk.choices[0]?.delta.content ?? [])
  expect(pieces.join('')).toBe(text)
  expect(chunks.at(-1)?.usage?.completion_tokens).toBe(pieces.filter((piece) => piece !== '').length)
  expect(stream.endsWith('data: [DONE]\n\n')).toBe(true)
})

test('the meter bills what was produced, in nano-dollars rounded up per request', async () => {
  const { simulator, ask } = await start()
  let expected = 0n
  for (let i = 0; i < 20; i++) {
    const { usage } = await whole(await ask({ seed: i, max_tokens: 1 + i }))
    expected +=
      (BigInt(usage.prompt_tokens) * 1_000_000_000n + BigInt(usage.completion_tokens) * 10_000_000_000n + 999_999n) /
      1_000_000n
  }
  expect(simulator.meter.total()).toBe(expected)
})

test('a caller that hangs up is billed for its prompt and for what had been generated', async () => {
  const { simulator, ask } = await start({ profiles: { m: '7-8B/L40S' }, speed: 1 })
  const response = await ask({ stream: true })
  const reader = response.body?.getReader()
  await reader?.read()
  await reader?.cancel()
  await expect.poll(() => simulator.meter.rows().get('m')?.requests, { timeout: 5000 }).toBe(1)
  expect(simulator.meter.rows().get('m')?.input).toBeGreaterThan(0)
})

test('tools are called when they fit the question, and not after their result', async () => {
  const { ask } = await start()
  const tools = [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        description: 'The weather in a city',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    },
  ]
  const call = (await whole(await ask({ tools }))).choices[0]?.message.tool_calls?.[0]
  expect(call?.function.name).toBe('get_weather')
  expect(JSON.parse(call?.function.arguments ?? '{}')).toHaveProperty('city')
  const messages = [
    { role: 'user', content: 'weather?' },
    { role: 'assistant', content: null, tool_calls: [] },
    { role: 'tool', tool_call_id: 'x', content: 'sunny' },
  ]
  expect((await whole(await ask({ tools, messages }))).choices[0]?.finish_reason).toBe('stop')
})

test('marked answers say that they are simulated, in the text and in a header', async () => {
  const { ask } = await start({ isMarked: true, flavour: 'openai' })
  const response = await ask({})
  expect(response.headers.get('x-simulated')).toBe('true')
  expect((await whole(response)).choices[0]?.message.content).toMatch(/^\[simulated\] /)
})

test.each([
  ['429', 429],
  ['500', 500],
  ['503', 503],
] as const)('the fault %s is that status, for the requests that the script names', async (fault, status) => {
  const { ask } = await start({ faults: [{ fault, requests: [2] }] })
  expect([(await ask({})).status, (await ask({})).status, (await ask({})).status]).toEqual([200, status, 200])
})

test('a cut stream ends without [DONE]', async () => {
  const { ask } = await start({ faults: [{ fault: 'cut', after: 2 }] })
  const text = await (await ask({ stream: true })).text().catch(() => 'reset')
  expect(text).not.toContain('[DONE]')
})

test('recorded outcomes decide what is right', async () => {
  const { ask } = await start({
    outcome: (prompt) => (prompt.includes('Paris') ? { isRight: true, gold: 'B' } : undefined),
  })
  expect((await whole(await ask({}))).choices[0]?.message.content).toBe('The answer is B.')
})

test('a recorded answer is given word for word, in place of a tool call and beyond the cap that nobody asked for', async () => {
  const text = 'abc '.repeat(5000).trim()
  const tools = [{ type: 'function', function: { name: 'capital', description: 'the capital of Paris' } }]
  const { ask } = await start({ outcome: () => ({ isRight: true, gold: undefined, text }) })
  const given = (await whole(await ask({ tools, tool_choice: 'required' }))).choices[0]
  expect(given).toMatchObject({ finish_reason: 'stop', message: { content: text } })
  const capped = (await whole(await ask({ max_tokens: 3 }))).choices[0]
  expect(capped).toMatchObject({ finish_reason: 'length', message: { content: 'abc abc abc' } })
})

test('made-up values keep to their schema', () => {
  const leaf = fc.oneof(
    fc.record({ type: fc.constant('integer'), minimum: fc.integer({ min: -50, max: 50 }) }),
    fc.record({ type: fc.constant('string'), minLength: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ type: fc.constant('boolean') }),
    fc.record({ enum: fc.array(fc.string(), { minLength: 1, maxLength: 4 }) }),
  )
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), leaf, { minKeys: 1, maxKeys: 6 }),
      fc.nat(),
      (properties, seed) => {
        const schema = { type: 'object', properties, required: Object.keys(properties) }
        const value = valueFor(schema, seededRandom(seed), ['word']) as Record<string, unknown>
        for (const [name, rule] of Object.entries(properties) as [string, Record<string, unknown>][]) {
          const found = value[name]
          if (rule['type'] === 'integer')
            expect(Number.isInteger(found) && (found as number) >= (rule['minimum'] as number)).toBe(true)
          else if (rule['type'] === 'string')
            expect((found as string).length).toBeGreaterThanOrEqual(rule['minLength'] as number)
          else if (rule['type'] === 'boolean') expect(typeof found).toBe('boolean')
          else expect(rule['enum']).toContain(found)
        }
      },
    ),
  )
})

test('no answer has more tokens than its cap, tool calls and their arguments included', async () => {
  const { ask, simulator } = await start()
  const parameters = { type: 'object', properties: { city: { type: 'string' }, note: { type: 'string' } } }
  const tools = ['get_weather', 'weather_note'].map((name) => ({
    type: 'function',
    function: { name, description: 'weather in a city', parameters },
  }))
  for (const max_tokens of [1, 2, 3, 5, 8, 13, 100]) {
    for (const more of [{}, { tools }, { tools, parallel_tool_calls: false }]) {
      const answer = await whole(await ask({ max_tokens, ...more }))
      expect(answer.usage.completion_tokens).toBeLessThanOrEqual(max_tokens)
    }
  }
  const cut = await whole(await ask({ max_tokens: 3, tools }))
  expect(cut.choices[0]?.finish_reason).toBe('length')
  expect(simulator.meter.rows().get('m')?.output).toBeGreaterThan(0)
})
