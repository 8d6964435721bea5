/**
 * Requests that are odd but that agents do send, from each of the three APIs to each kind of upstream: they reach it with nothing lost,
 * or are refused by name before anything is sent.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakePng } from '../support/fake-image.ts'
import { startFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { INGRESSES, type Ingress } from '../support/stream-callers.ts'

let upstream: FakeUpstream
let gateway: Awaited<ReturnType<typeof startGatewayProcess>>

const EGRESSES = ['engine', 'anthropic', 'google', 'codex'] as const

beforeAll(async () => {
  upstream = await startFakeUpstream(undefined, { ownedByTest: false })
  const { url } = upstream
  const model = 'capabilities: [tools, images], contextTokens: 100000000, price: { inputPerM: 1, outputPerM: 5 }'
  gateway = await startGatewayProcess({
    ownedByTest: false,
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
    config: `
upstreams:
  engine: { kind: vllm, replicas: ["${url}"], retries: 0, breaker: off }
  claude: { kind: anthropic, baseUrl: "${url}", apiKey: env:TEST_UPSTREAM_KEY, retries: 0, breaker: off }
  gemini: { kind: google, baseUrl: "${url}", apiKey: env:TEST_UPSTREAM_KEY, retries: 0, breaker: off }
  codex: { kind: openai, replicas: ["${url}/v1"], retries: 0, breaker: off }
models:
  engine: { upstream: engine, model: m, ${model} }
  anthropic: { upstream: claude, model: claude-sonnet-4-5, tier: frontier, ${model} }
  google: { upstream: gemini, model: gemini-2.5-flash, tier: frontier, ${model} }
  codex: { upstream: codex, model: gpt-5-codex, api: responses, ${model} }
keys:
  - { name: ci, key: "sk-test", tenant: acme }
`,
  })
})

afterAll(async () => {
  await gateway.stop()
  await upstream.stop()
})

type Fields = Readonly<Record<string, unknown>>

const PATHS: Readonly<Record<Ingress, string>> = {
  chat: '/v1/chat/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
}

/** What became of a request: the body that reached the upstream, or the code and place of the refusal. */
async function fateOf(
  ingress: Ingress,
  model: string,
  body: Fields,
): Promise<{ readonly sent?: string; readonly refused?: string }> {
  const before = upstream.seen.length
  const more = ingress === 'messages' ? { max_tokens: 100 } : {}
  const response = await fetch(`${gateway.url}${PATHS[ingress]}`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ model, ...more, ...body }),
  })
  const text = await response.text()
  const sent = upstream.seen[before]?.body
  if (sent !== undefined) return { sent }
  expect(response.status, text).toBeGreaterThanOrEqual(400)
  expect(response.status, text).toBeLessThan(500)
  const { error } = JSON.parse(text) as {
    error: { message: string; code?: string; param?: string; details?: { error_code: string; param: string } }
  }
  expect(error.message.length).toBeGreaterThan(20)
  return { refused: `${error.code ?? error.details?.error_code} ${error.param ?? error.details?.param}` }
}

/** A conversation in the words of an API. */
function talk(ingress: Ingress, turns: readonly (readonly [string, unknown])[]): Fields {
  const items = turns.map(([role, content]) => ({ role, content }))
  return ingress === 'responses' ? { input: items } : { messages: items }
}
function tools(ingress: Ingress, names: readonly string[]): Fields {
  const parameters = { type: 'object', properties: {} }
  switch (ingress) {
    case 'chat':
      return { tools: names.map((name) => ({ type: 'function', function: { name, parameters } })) }
    case 'messages':
      return { tools: names.map((name) => ({ name, input_schema: parameters })) }
    case 'responses':
      return { tools: names.map((name) => ({ type: 'function', name, parameters, strict: false })) }
    default:
      return ingress satisfies never
  }
}
function image(ingress: Ingress, url: string): Fields {
  switch (ingress) {
    case 'chat':
      return { type: 'image_url', image_url: { url } }
    case 'responses':
      return { type: 'input_image', image_url: url }
    case 'messages': {
      const [, media_type, data] = /^data:(.*?);base64,(.*)$/.exec(url) ?? []
      return { type: 'image', source: data === undefined ? { type: 'url', url } : { type: 'base64', media_type, data } }
    }
    default:
      return ingress satisfies never
  }
}
/** A call with its result, as history. */
function called(ingress: Ingress, id: string, args: string, name = 'weather'): readonly Fields[] {
  switch (ingress) {
    case 'chat':
      return [
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id, type: 'function', function: { name, arguments: args } }],
        },
        { role: 'tool', tool_call_id: id, content: 'RESULT' },
      ]
    case 'responses':
      return [
        { type: 'function_call', call_id: id, name, arguments: args },
        { type: 'function_call_output', call_id: id, output: 'RESULT' },
      ]
    case 'messages':
      return [
        { role: 'assistant', content: [{ type: 'tool_use', id, name, input: JSON.parse(args) as unknown }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'RESULT' }] },
      ]
    default:
      return ingress satisfies never
  }
}

const asked = (ingress: Ingress, items: readonly Fields[]): Fields => ({
  [ingress === 'responses' ? 'input' : 'messages']: [{ role: 'user', content: 'x' }, ...items],
})

interface Case {
  readonly body: (ingress: Ingress) => Fields | undefined
  /** What must be among the bytes that the upstream gets. */
  readonly keeps: readonly string[]
  /** Place that a refusal names, by egress; `all` = every one. */
  readonly refused?: Readonly<Record<string, RegExp>>
}
const url = 'https://pictures.example.com/a.png'
const CASES: Readonly<Record<string, Case>> = {
  'a picture by address': {
    body: (i) => talk(i, [['user', [image(i, url)]]]),
    keeps: [url],
    refused: { google: /^unsupported_parameter .*image_url\.url$/ },
  },
  'a picture at a private address': {
    body: (i) => talk(i, [['user', [image(i, 'http://169.254.169.254/a.png')]]]),
    keeps: [],
    refused: { all: /^invalid_value .*(?:image_url|url)$/ },
  },
  'a picture of 20 MB': {
    body: (i) => talk(i, [['user', [image(i, `data:image/png;base64,${fakePng(20_000_000).toString('base64')}`)]]]),
    keeps: ['iVBORw0KGgo'],
    refused: { anthropic: /^string_above_max_length messages\[0\]\.content\[0\]$/ },
  },
  'a system message in the middle': {
    body: (i) =>
      talk(i, [
        ['user', 'ONE'],
        ['assistant', 'TWO'],
        ['system', 'RULES'],
        ['user', 'THREE'],
      ]),
    keeps: ['ONE', 'TWO', 'RULES', 'THREE'],
  },
  'a system message at the end': {
    body: (i) =>
      talk(i, [
        ['user', 'ONE'],
        ['system', 'RULES'],
      ]),
    keeps: ['ONE', 'RULES'],
  },
  'a system message alone': { body: (i) => talk(i, [['system', 'RULES']]), keeps: ['RULES'] },
  'an empty text': { body: (i) => talk(i, [['user', '']]), keeps: [], refused: { anthropic: / (messages|input)$/ } },
  'an empty list': {
    body: (i) => talk(i, [['user', []]]),
    keeps: [],
    refused: { all: /^empty_array .*\[0\]\.content$/ },
  },
  'an empty answer between others': {
    body: (i) =>
      talk(i, [
        ['user', 'ONE'],
        ['assistant', ''],
        ['user', 'THREE'],
      ]),
    keeps: ['ONE', 'THREE'],
  },
  'the beginning of an answer': {
    body: (i) =>
      talk(i, [
        ['user', 'ONE'],
        ['assistant', 'PREFILL'],
      ]),
    keeps: ['PREFILL'],
  },
  '128 tools': {
    body: (i) => ({
      ...talk(i, [['user', 'x']]),
      ...tools(
        i,
        Array.from({ length: 128 }, (_, n) => `tool_${n}`),
      ),
    }),
    keeps: ['"tool_0"', '"tool_127"'],
  },
  'a name of 129 letters': {
    body: (i) => ({ ...talk(i, [['user', 'x']]), ...tools(i, ['n'.repeat(129)]) }),
    keeps: [],
    refused: { all: /^string_above_max_length tools\[0\]\.(?:function\.)?name$/ },
  },
  'arguments in the history that are no JSON': {
    body: (i) => (i === 'messages' ? undefined : asked(i, called(i, 'c1', '{city: Köln}'))),
    keeps: ['{city: Köln}', 'RESULT'],
    refused: { google: /^unsupported_value .*arguments$/ },
  },
  'a call in the history of a tool that is not offered': {
    body: (i) => ({ ...tools(i, ['clock']), ...asked(i, called(i, 'c1', '{"city":"Köln"}')) }),
    keeps: ['"weather"', 'Köln', 'RESULT', '"clock"'],
  },
}

describe.each(Object.entries(CASES))('%s', (_what, { body, keeps, refused = {} }) => {
  const cells = INGRESSES.flatMap((ingress) => EGRESSES.map((egress) => [ingress, egress] as const))
  test.each(cells.filter(([ingress]) => body(ingress) !== undefined))('from %s to %s', async (ingress, egress) => {
    const fate = await fateOf(ingress, egress, body(ingress) as Fields)
    const place = refused[egress] ?? refused['all']
    if (place !== undefined) expect(fate.refused).toMatch(place)
    else {
      expect(fate.refused).toBeUndefined()
      for (const each of keeps) expect(fate.sent).toContain(each)
    }
  })
})
