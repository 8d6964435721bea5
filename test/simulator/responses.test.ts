import OpenAI, { BadRequestError } from 'openai'
import { expect, test } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { startWire, type SimulatedWire } from '../support/simulated-wire.ts'

const THINKER = 'gpt-5.1'
const PLAIN = 'gpt-4.1'
type Create = OpenAI.Responses.ResponseCreateParamsNonStreaming
type Item = OpenAI.Responses.ResponseInputItem
const ASK: Item = { role: 'user', content: 'What is the weather in Paris? Look in the notes, too.' }
const WEATHER: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather in a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
}
const NOTES: OpenAI.Responses.CustomTool = { type: 'custom', name: 'notes', description: 'All notes' }

interface World extends SimulatedWire {
  readonly responses: OpenAI['responses']
}
async function start(changes: Partial<SimulatorOptions> = {}): Promise<World> {
  const price = { inputPerM: 3, outputPerM: 15, cachedInputPerM: 0.3 }
  const prices = { [THINKER]: price, [PLAIN]: price }
  const wire = await startWire('openai', { models: [THINKER, PLAIN], prices, ...changes })
  return { ...wire, responses: new OpenAI({ baseURL: `${wire.url}/v1`, apiKey: 'x', maxRetries: 0 }).responses }
}
async function eventsOf({ responses }: World, body: Create): Promise<OpenAI.Responses.ResponseStreamEvent[]> {
  return Array.fromAsync(await responses.create({ ...body, stream: true }))
}
/** Times and the number of the request differ. */
const steady = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value)
      .replaceAll(/"created_at":\d+/g, '"created_at":0')
      .replaceAll(/_0000000\w/g, '_'),
  )

const KEPT = { store: false, include: ['reasoning.encrypted_content'] } satisfies Partial<Create>

test.each<[string, Create]>([
  ['text', { model: PLAIN, input: 'Describe lighthouses.' }],
  ['log-probabilities', { model: PLAIN, input: 'Hi', include: ['message.output_text.logprobs'], top_logprobs: 1 }],
  ['thinking', { model: THINKER, input: [ASK], reasoning: { effort: 'low', summary: 'auto' }, ...KEPT }],
  ['hidden thinking and a cut', { model: THINKER, input: 'Describe lighthouses.', max_output_tokens: 40 }],
  ['calls of both kinds', { model: THINKER, input: [ASK], tools: [WEATHER, NOTES], ...KEPT }],
  [
    'a call that is cut',
    { model: PLAIN, input: [ASK], tools: [WEATHER], max_output_tokens: 16, tool_choice: 'required' },
  ],
])('the official client gets the same whole and streamed: %s', async (_, body) => {
  const world = await start()
  const whole = await world.responses.create(body)
  const events = await eventsOf(world, body)
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, at) => at))
  const last = events.at(-1)
  if (last === undefined || !('response' in last)) throw new Error('The stream has no end.')
  expect(last.type).toBe(`response.${whole.status}`)
  expect(steady(last.response)).toEqual(steady({ ...whole, output_text: undefined }))
  // Each item is added, and done as it stands in the whole.
  const done = events.flatMap((event) => (event.type === 'response.output_item.done' ? [event.item] : []))
  expect(steady(done)).toEqual(steady(whole.output))
  const added = events.filter((event) => event.type === 'response.output_item.added')
  expect(added.map((event) => event.output_index)).toEqual(whole.output.map((_, at) => at))
  const said = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : [])).join('')
  expect(said).toBe(whole.output_text)
})

test('thinking is billed, and shown only to who asks', async () => {
  const { responses, simulator } = await start()
  const hidden = await responses.create({ model: THINKER, input: 'Hi', reasoning: { effort: 'low' } })
  expect(hidden.output[0]).toEqual({ id: expect.stringMatching(/^rs_/) as string, type: 'reasoning', summary: [] })
  expect(hidden.usage?.output_tokens_details.reasoning_tokens).toBe(12)
  const { input_tokens = 0, output_tokens = 0 } = hidden.usage ?? {}
  expect(simulator.meter.total()).toBe(BigInt(input_tokens * 3000 + output_tokens * 15_000))
  const silent = await responses.create({ model: THINKER, input: 'Hi', reasoning: { effort: 'none' }, temperature: 0 })
  expect(silent.output.map(({ type }) => type)).toEqual(['message'])
})

test('a long prompt is cached by itself', async () => {
  const { responses, simulator } = await start()
  const body: Create = { model: PLAIN, instructions: 'word '.repeat(1500), input: 'Hi' }
  expect((await responses.create(body)).usage?.input_tokens_details.cached_tokens).toBe(0)
  const before = simulator.meter.total()
  const { usage } = await responses.create(body)
  const cached = usage?.input_tokens_details.cached_tokens ?? 0
  expect([cached >= 1024, cached % 128]).toEqual([true, 0])
  const { input_tokens = 0, output_tokens = 0 } = usage ?? {}
  expect(simulator.meter.total() - before).toBe(
    BigInt((input_tokens - cached) * 3000 + cached * 300 + output_tokens * 15_000),
  )
})

test('a call and its result go round with the thinking before them', async () => {
  const { responses } = await start()
  const body = { model: THINKER, tools: [WEATHER, NOTES], ...KEPT }
  const { output } = await responses.create({ ...body, input: [ASK] })
  expect(output.map(({ type }) => type)).toEqual(['reasoning', 'function_call', 'custom_tool_call'])
  const results = output.flatMap((item): Item[] => {
    if (item.type === 'function_call') return [{ type: 'function_call_output', call_id: item.call_id, output: '12' }]
    if (item.type !== 'custom_tool_call') return []
    return [{ type: 'custom_tool_call_output', call_id: item.call_id, output: 'none' }]
  })
  const answer = await responses.create({ ...body, input: [ASK, ...(output as Item[]), ...results] })
  expect(answer.output_text.length).toBeGreaterThan(10)
})

const thinking = (encrypted_content: string | null): Item => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: [],
  encrypted_content,
})
const call: Item = { type: 'function_call', call_id: 'c1', name: 'get_weather', arguments: '{}' }
const result: Item = { type: 'function_call_output', call_id: 'c1', output: '12' }
test.each<[string, Partial<Create> & object, RegExp]>([
  ['a field of chat completions', { max_tokens: 5 } as object, /moved to 'max_output_tokens'/],
  ['an unknown field', { colour: 'red' } as object, /Unknown parameter: 'colour'/],
  ['no input', { input: [] }, /Missing required parameter: 'input'/],
  ['a cap that is too low', { max_output_tokens: 15 }, />= 16, but got 15/],
  ['a temperature for a model that thinks', { temperature: 0.5 }, /'temperature' is not supported/],
  ['thinking for a model that does not', { model: PLAIN, reasoning: { effort: 'low' } }, /'reasoning.effort' is not/],
  ['encrypted thinking of such a model', { model: PLAIN, ...KEPT }, /Encrypted content is not supported/],
  ['a response that it never stored', { previous_response_id: 'resp_9' }, /'resp_9' not found/],
  ['thinking without its content', { input: [ASK, thinking(null), call, result] }, /Items are not persisted/],
  ['thinking that is not its own', { input: [ASK, thinking('AAAA'), call, result] }, /could not be verified/],
  ['a call without a result', { input: [ASK, call] }, /No tool output found for function call c1/],
  ['a result without a call', { input: [ASK, result] }, /No tool call found for function call output with call_id c1/],
])('%s is refused in the words of the API, and costs nothing', async (_, more, message) => {
  const { responses, simulator } = await start()
  const refused = responses.create({ model: THINKER, input: [ASK], ...more })
  await expect(refused).rejects.toThrow(message)
  await expect(refused).rejects.toBeInstanceOf(BadRequestError)
  expect(simulator.meter.total()).toBe(0n)
})

test('thinking is followed by what came of it', async () => {
  const { responses } = await start()
  const { output } = await responses.create({ model: THINKER, input: [ASK], ...KEPT })
  const alone = responses.create({
    model: THINKER,
    input: [ASK, output[0] as Item, { role: 'user', content: 'Go on.' }],
  })
  await expect(alone).rejects.toThrow(/without its required following item/)
})

test('faults: an error in the stream, and a refusal as an answer', async () => {
  const broken = await start({ faults: [{ fault: 'error-event', after: 2 }] })
  const { url } = broken
  const reply = await fetch(`${url}/v1/responses`, {
    method: 'POST',
    body: JSON.stringify({ model: PLAIN, input: 'Describe lighthouses.', stream: true }),
  })
  const text = await reply.text()
  expect(text).toMatch(/event: error\ndata: .*"code":"server_error"/)
  expect(text).toMatch(/event: response.failed\ndata: .*"status":"failed"/)
  expect(text).not.toContain('response.completed')
  const polite = await start({ faults: [{ fault: 'refusal' }] })
  const { output } = await polite.responses.create({ model: PLAIN, input: 'Hi' })
  expect(output).toMatchObject([{ type: 'message', content: [{ type: 'refusal' }] }])
  const events = await eventsOf(polite, { model: PLAIN, input: 'Hi' })
  expect(events.some((event) => event.type === 'response.refusal.done')).toBe(true)
})
