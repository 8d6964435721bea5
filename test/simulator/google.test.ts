import { GoogleGenAI, type Content, type GenerateContentConfig, type GenerateContentResponse } from '@google/genai'
import { expect, test } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { pngHead, startWire, type SimulatedWire } from '../support/simulated-wire.ts'

const MODEL = 'gemini-3-sim'
const QUESTION: Content = { role: 'user', parts: [{ text: 'What is the weather in Paris?' }] }
const TOOLS = [
  {
    functionDeclarations: [
      {
        name: 'get_weather',
        description: 'The weather in a city',
        parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    ],
  },
]

interface World extends SimulatedWire {
  readonly client: GoogleGenAI
  readonly ask: (config?: GenerateContentConfig, contents?: Content[]) => Promise<GenerateContentResponse>
}

async function start(changes: Partial<SimulatorOptions> = {}): Promise<World> {
  const prices = { [MODEL]: { inputPerM: 2, outputPerM: 12, cachedInputPerM: 0.2 } }
  const wire = await startWire('google', { models: [MODEL], prices, ...changes })
  const client = new GoogleGenAI({ apiKey: 'goog-test', httpOptions: { baseUrl: wire.url } })
  const ask: World['ask'] = (config = {}, contents = [QUESTION]) =>
    client.models.generateContent({ model: MODEL, contents, config })
  return { ...wire, client, ask }
}

async function chunksOf({ client }: World, config: GenerateContentConfig = {}): Promise<GenerateContentResponse[]> {
  return Array.fromAsync(await client.models.generateContentStream({ model: MODEL, contents: [QUESTION], config }))
}

test('the official client gets the same answer whole and streamed, and usage with every chunk', async () => {
  const world = await start()
  for (const config of [{ thinkingConfig: { includeThoughts: true } }, { tools: TOOLS }, { maxOutputTokens: 60 }]) {
    const whole = await world.ask(config)
    const chunks = await chunksOf(world, config)
    const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? [])
    const said = whole.candidates?.[0]?.content?.parts ?? []
    const joined = (list: typeof parts, isThought: boolean): string =>
      list.map((part) => ((part.thought ?? false) === isThought ? (part.text ?? '') : '')).join('')
    for (const isThought of [true, false]) expect(joined(parts, isThought)).toBe(joined(said, isThought))
    expect(parts.flatMap((part) => part.functionCall ?? [])).toEqual(said.flatMap((part) => part.functionCall ?? []))
    expect(parts.flatMap((part) => part.thoughtSignature ?? [])).toEqual(
      said.flatMap((part) => part.thoughtSignature ?? []),
    )
    expect(chunks.every((chunk) => (chunk.usageMetadata?.promptTokenCount ?? 0) > 0)).toBe(true)
    expect(chunks.at(-1)?.usageMetadata).toEqual(whole.usageMetadata)
    expect(chunks.at(-1)?.candidates?.[0]?.finishReason).toBe(whole.candidates?.[0]?.finishReason)
  }
})

test('thoughts are billed beside the candidates, also where they are not shown', async () => {
  const { ask, simulator } = await start()
  const { usageMetadata: usage, candidates } = await ask()
  expect(candidates?.[0]?.content?.parts?.some((part) => part.thought === true)).toBe(false)
  const { promptTokenCount = 0, candidatesTokenCount = 0, thoughtsTokenCount = 0, totalTokenCount } = usage ?? {}
  expect(thoughtsTokenCount).toBeGreaterThan(0)
  expect(totalTokenCount).toBe(promptTokenCount + candidatesTokenCount + thoughtsTokenCount)
  expect(simulator.meter.total()).toBe(
    BigInt(promptTokenCount * 2000 + (candidatesTokenCount + thoughtsTokenCount) * 12_000),
  )
})

test('the signature of a call must come back with it, unchanged', async () => {
  const { ask } = await start()
  const call = (await ask({ tools: TOOLS })).candidates?.[0]?.content as Content
  const back = (signature: string | undefined): Promise<GenerateContentResponse> => {
    const { thoughtSignature: _, ...part } = call.parts?.[0] ?? {}
    const response = { name: 'get_weather', response: { sky: 'clear' } }
    return ask({ tools: TOOLS }, [
      QUESTION,
      { role: 'model', parts: [signature === undefined ? part : { ...part, thoughtSignature: signature }] },
      { role: 'user', parts: [{ functionResponse: response }] },
    ])
  }
  expect((await back(call.parts?.[0]?.thoughtSignature)).text).toMatch(/\w/)
  expect((await back('skip_thought_signature_validator')).text).toMatch(/\w/)
  await expect(back(undefined)).rejects.toThrow(/missing a thought_signature/)
  await expect(back(Buffer.alloc(48).toString('base64'))).rejects.toThrow(/Corrupted thought signature/)
})

test('a long prompt is read from the cache the second time, and billed so', async () => {
  const { ask, simulator } = await start()
  const contents = [{ role: 'user', parts: [{ text: 'word '.repeat(2000) }] }]
  const first = (await ask({}, contents)).usageMetadata
  const before = simulator.meter.total()
  const usage = (await ask({}, contents)).usageMetadata
  expect(first?.cachedContentTokenCount).toBeUndefined()
  const {
    cachedContentTokenCount: cached = 0,
    promptTokenCount: prompt = 0,
    candidatesTokenCount = 0,
    thoughtsTokenCount = 0,
  } = usage ?? {}
  expect(cached).toBeGreaterThan(1500)
  expect(simulator.meter.total() - before).toBe(
    BigInt((prompt - cached) * 2000 + cached * 200 + (candidatesTokenCount + thoughtsTokenCount) * 12_000),
  )
})

test('pictures are counted in tiles of 258 tokens', async () => {
  const { client } = await start()
  const count = async (width: number, height: number): Promise<number> => {
    const contents = [
      { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: pngHead(width, height) } }] },
    ]
    return ((await client.models.countTokens({ model: MODEL, contents })).totalTokens ?? 0) - 1
  }
  expect([await count(384, 384), await count(960, 540), await count(4000, 4000)]).toEqual([258, 6 * 258, 16 * 258])
})

test('structured output follows either kind of schema; without alt=sse a stream is one array', async () => {
  const { ask, post } = await start()
  for (const schema of [
    { responseSchema: { type: 'OBJECT', properties: { n: { type: 'INTEGER' } }, required: ['n'] } },
    { responseJsonSchema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
  ]) {
    const { text } = await ask({ responseMimeType: 'application/json', ...(schema as GenerateContentConfig) })
    expect(JSON.parse(text ?? '')).toEqual({ n: expect.any(Number) as number })
  }
  const reply = await post(`/v1beta/models/${MODEL}:streamGenerateContent`, { contents: [QUESTION] })
  const list = (await reply.json()) as { candidates: { finishReason?: string }[] }[]
  expect(list.at(-1)?.candidates[0]?.finishReason).toBe('STOP')
})

test.each<[string, object, RegExp]>([
  ['an unknown field', { max_tokens: 1 }, /Unknown name "max_tokens": Cannot find field/],
  ['an unknown setting', { generationConfig: { n: 1 } }, /Unknown name "n" at 'generation_config'/],
  [
    'JSON Schema in an OpenAPI schema',
    { tools: [{ functionDeclarations: [{ name: 'a', parameters: { type: 'OBJECT', additionalProperties: false } }] }] },
    /Unknown name "additionalProperties"/,
  ],
  ['a role of another API', { contents: [{ role: 'assistant', parts: [{ text: 'a' }] }] }, /valid role: user, model/],
  ['no parts', { contents: [{ role: 'user', parts: [] }] }, /parts must not be empty/],
  [
    'an unanswered call',
    { contents: [QUESTION, { role: 'model', parts: [{ functionCall: { name: 'a', args: {} } }] }, QUESTION] },
    /number of function response parts/,
  ],
])('%s is refused in the words of the API', async (_, body, words) => {
  const { post } = await start()
  const reply = await post(`/v1beta/models/${MODEL}:generateContent`, { contents: [QUESTION], ...body })
  expect(reply.status).toBe(400)
  const { error } = (await reply.json()) as { error: { code: number; status: string; message: string } }
  expect(error).toMatchObject({
    code: 400,
    status: 'INVALID_ARGUMENT',
    message: expect.stringMatching(words) as string,
  })
})

test('keys are asked for as there', async () => {
  const { ask, url, post } = await start({ apiKey: 'goog-test' })
  expect((await ask()).text).toMatch(/\w/)
  expect((await post(`/v1beta/models/${MODEL}:generateContent`, { contents: [QUESTION] })).status).toBe(403)
  const wrong = await post(`/v1beta/models/${MODEL}:generateContent?key=x`, { contents: [QUESTION] })
  expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('API_KEY_INVALID') as string])
  expect(await (await fetch(`${url}/v1beta/models`)).json()).toMatchObject({ models: [{ name: `models/${MODEL}` }] })
})

test('a blocked prompt has feedback and no candidate, whole and streamed; its prompt is billed', async () => {
  const world = await start({ faults: [{ fault: 'blocked-prompt' }] })
  const replies = [await world.ask(), ...(await chunksOf(world))]
  for (const reply of replies) {
    expect(reply.promptFeedback?.blockReason).toBe('SAFETY')
    expect(reply.candidates).toBeUndefined()
  }
  expect(world.simulator.meter.rows().get(MODEL)).toMatchObject({ requests: 2, output: 0 })
})

test('an answer that safety stops ends with SAFETY', async () => {
  const world = await start({ faults: [{ fault: 'safety', after: 3 }] })
  expect((await chunksOf(world)).at(-1)?.candidates?.[0]).toMatchObject({ finishReason: 'SAFETY' })
})

test('too much to do is 503 UNAVAILABLE, and an error object inside of a stream that was 200', async () => {
  const world = await start({
    faults: [
      { fault: 'overloaded', requests: [1] },
      { fault: 'error-event', after: 60 },
    ],
  })
  await expect(world.ask()).rejects.toMatchObject({
    status: 503,
    message: expect.stringContaining('UNAVAILABLE') as string,
  })
  const path = `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`
  const reply = await world.post(path, {
    contents: [{ role: 'user', parts: [{ text: 'Tell me a long story' }] }],
    generationConfig: { seed: 3 },
  })
  expect(reply.status).toBe(200)
  const text = await reply.text()
  expect(text).toMatch(/data: \{"error":\{"code":503,.*"UNAVAILABLE"\}\}\r\n\r\n$/)
  expect(text).not.toContain('finishReason')
})
