import { PLAIN, reply, saying, stream } from '../scripts.ts'
import { holds, same, type Row } from '../row.ts'
import { CHAT_CREATE, thread } from '../sources.ts'
import { refuses, succeeds } from '../verdicts.ts'
import type { Probe } from '../probe.ts'

type Body = Readonly<Record<string, unknown>>
const SCHEMA = {
  type: 'object',
  properties: {
    city: { type: 'string', enum: ['Zürich', '東京'], description: 'A "city"\u2028or none' },
    at: { anyOf: [{ type: 'number', minimum: 0.1 }, { type: 'null' }] },
  },
  required: ['city'],
  additionalProperties: false,
}
const NASTY = 'é🌍 \u2028\u2029 \u0000\u001f \\ " </script> ‮'

/** A row about what reaches the upstream of a request with `more` in it. */
function forwards(
  name: string,
  promise: string,
  source: string,
  more: (probe: Probe) => object,
  check: (body: Body, raw: string) => void,
): Row {
  return {
    id: `request/${name}`,
    dialect: 'chat',
    promise,
    source,
    upstream: PLAIN,
    check: async (probe) => {
      const answer = await probe.stream(more(probe))
      const seen = probe.upstream.seen[0]
      holds(seen !== undefined, `the request never reached the upstream (status ${answer.status})`)
      check(seen.body, seen.raw)
    },
  }
}

const failing = (status: number, headers: Readonly<Record<string, string>> = {}): Row['upstream'] & object =>
  reply(status, JSON.stringify({ error: { message: 'no', type: 'x', param: null, code: null } }), headers)

export const REQUEST_ROWS: readonly Row[] = [
  forwards(
    'max-tokens',
    'The caller’s output limit reaches the upstream, under either of its names.',
    thread('mozilla-ai/any-llm#817', 'pull'),
    () => ({ max_tokens: 17 }),
    (body) => same(body['max_tokens'] ?? body['max_completion_tokens'], 17, 'limit'),
  ),
  forwards(
    'max-completion-tokens',
    'So does `max_completion_tokens`.',
    thread('mozilla-ai/any-llm#817', 'pull'),
    () => ({ max_completion_tokens: 19 }),
    (body) => same(body['max_completion_tokens'] ?? body['max_tokens'], 19, 'limit'),
  ),
  forwards(
    'sampling',
    'Sampling settings reach the upstream, zero among them.',
    CHAT_CREATE,
    () => ({ temperature: 0, top_p: 0.25, seed: 7, stop: ['\n\n', '###'], presence_penalty: 0.5 }),
    (body) =>
      same(
        ['temperature', 'top_p', 'seed', 'stop', 'presence_penalty'].map((name) => body[name]),
        [0, 0.25, 7, ['\n\n', '###'], 0.5],
        'settings',
      ),
  ),
  forwards(
    'tool-schemas',
    'Tool schemas reach the upstream unchanged, `strict` among them.',
    thread('envoyproxy/ai-gateway#2232'),
    () => ({
      tools: [{ type: 'function', function: { name: 'weather', description: 'x', strict: true, parameters: SCHEMA } }],
    }),
    (body) => {
      const tool = (body['tools'] as { function: { strict?: unknown; parameters: unknown } }[] | undefined)?.[0]
      same(tool?.function.parameters, SCHEMA, 'schema')
      same(tool?.function.strict, true, 'strict')
    },
  ),
  forwards(
    'response-format',
    'A `response_format` with a schema reaches the upstream unchanged.',
    thread('BerriAI/litellm#38269'),
    () => ({ response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: SCHEMA } } }),
    (body) => {
      const format = body['response_format'] as { json_schema?: { strict?: unknown; schema?: unknown } } | undefined
      same([format?.json_schema?.strict, format?.json_schema?.schema], [true, SCHEMA], 'strict and schema')
    },
  ),
  forwards(
    'unicode',
    'Text of messages reaches the upstream character by character, control characters and U+2028 too.',
    thread('sidorares/json-bigint#84'),
    (probe) => ({ messages: [{ role: 'user', content: `${probe.prompt}${NASTY}` }] }),
    (body) =>
      holds(String((body['messages'] as { content: unknown }[])[0]?.content).endsWith(NASTY), 'the text was changed'),
  ),
  forwards(
    'tool-history',
    'Tool calls and results of earlier turns reach the upstream unchanged, every digit of their numbers too.',
    thread('earendil-works/pi#8943'),
    (probe) => ({ messages: history(probe.prompt) }),
    (body) => {
      const messages = body['messages'] as ReturnType<typeof history>
      const [was, is] = [history(''), messages]
      same(is[1]?.tool_calls?.[0]?.function.arguments, was[1]?.tool_calls?.[0]?.function.arguments, 'arguments')
      same(is[1]?.tool_calls?.[0]?.id, was[1]?.tool_calls?.[0]?.id, 'id of the call')
      same([is[2]?.tool_call_id, is[2]?.content], [was[2]?.tool_call_id, was[2]?.content], 'result')
    },
  ),
  forwards(
    'nothing-invented',
    'Fields that the caller left out are not sent as null.',
    thread('BerriAI/litellm#21474', 'pull'),
    () => ({}),
    (body) =>
      same(
        Object.keys(body).filter((name) => body[name] === null),
        [],
        'fields that are null',
      ),
  ),
  {
    id: 'request/lone-surrogate',
    dialect: 'chat',
    promise: 'Half a surrogate pair in a request is served or refused with 4xx: it is no server error.',
    source: thread('headroomlabs-ai/headroom#3134', 'pull'),
    upstream: PLAIN,
    check: async (probe) => {
      const raw = JSON.stringify(probe.body({ stream: true })).replace('Say hello.', 'Say hello. \\ud83d')
      const answer = await probe.stream({}, { raw })
      holds(answer.status < 500, `status ${answer.status}`)
    },
  },
  {
    id: 'error/not-json',
    dialect: 'chat',
    promise: 'A request that is not JSON gets 400 in the API’s envelope.',
    source: thread('askalf/dario#1231', 'pull'),
    check: async (probe) => refuses(await probe.stream({}, { raw: '{"model": "x", "messages": [' }), 400),
  },
  {
    id: 'error/no-messages',
    dialect: 'chat',
    promise: 'A request without messages gets a 4xx in the API’s envelope, streamed or not.',
    source: CHAT_CREATE,
    check: async (probe) => {
      const answer = await probe.stream({}, { raw: JSON.stringify({ model: probe.target.model, stream: true }) })
      refuses(answer)
      holds(answer.status < 500, `status ${answer.status} for a fault of the caller`)
    },
  },
  {
    id: 'error/429',
    dialect: 'chat',
    promise: 'A 429 of the upstream stays a 429, with its `retry-after`.',
    source: thread('api7/aisix#144'),
    upstream: failing(429, { 'retry-after': '7' }),
    check: async (probe) => {
      const answer = await probe.stream()
      refuses(answer, 429)
      same(answer.headers['retry-after'], '7', 'retry-after')
    },
  },
  {
    id: 'error/stream-status',
    dialect: 'chat',
    promise: 'An upstream that refuses a stream with 400 is a 4xx for the caller, not a 200 with an error in it.',
    source: thread('Oaklight/llm-rosetta#346', 'pull'),
    upstream: failing(400),
    check: async (probe) => {
      const answer = await probe.stream()
      refuses(answer)
      holds(answer.status < 500, `status ${answer.status} for a fault of the request`)
    },
  },
  {
    id: 'error/400-once',
    dialect: 'chat',
    promise: 'What a retry cannot mend is sent once.',
    source: thread('Augustas11/macprovider#762'),
    upstream: failing(400),
    check: async (probe) => {
      await probe.stream()
      same(probe.upstream.seen.length, 1, 'requests that reached the upstream')
    },
  },
  {
    id: 'error/500-envelope',
    dialect: 'chat',
    promise: 'A server error of the upstream is a 5xx in the API’s envelope, and tried a few times at most.',
    source: thread('decolua/9router#3051', 'pull'),
    upstream: failing(500),
    check: async (probe) => {
      const answer = await probe.stream()
      refuses(answer)
      holds(answer.status >= 500, `status ${answer.status}`)
      holds(probe.upstream.seen.length <= 6, `${probe.upstream.seen.length} tries`)
    },
  },
  {
    id: 'error/200-with-error-body',
    dialect: 'chat',
    promise: 'A JSON error with status 200 is an error.',
    source: thread('MiXaiLL76/auto_ai_router#149', 'pull'),
    upstream: failing(200),
    check: async (probe) => refuses(await probe.stream()),
  },
  {
    id: 'error/recovers',
    dialect: 'chat',
    promise: 'A model that has failed serves the next request.',
    source: thread('defilantech/LLMKube#453'),
    upstream: (turn) =>
      /again/.test(JSON.stringify(turn.body['messages'])) ? stream(...saying('Hello'))(turn) : failing(500)(turn),
    check: async (probe) => {
      await probe.stream()
      const again = { messages: [{ role: 'user', content: `${probe.prompt} again` }] }
      succeeds(await probe.stream(again), 'Hello')
    },
  },
]

interface Past {
  readonly role: string
  readonly content: string | null
  readonly tool_calls?: readonly { id: string; type: string; function: { name: string; arguments: string } }[]
  readonly tool_call_id?: string
}
function history(prompt: string): readonly Past[] {
  const args = '{ "id": 2512292042121000001, "x": 1.0, "e": "\\u00e9" }'
  return [
    { role: 'user', content: prompt },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'save', arguments: args } }],
    },
    { role: 'tool', tool_call_id: 'call_a', content: '{"ok": 9007199254740993}' },
    { role: 'user', content: 'Go on.' },
  ]
}
