/** OpenRouter behind every dialect: what it says about the thinking goes round over a tool's result, and to nobody else. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  DONE_FRAME,
  frame,
  json,
  startFakeUpstream,
  USAGE_FRAME,
  wantsStream,
  type Answer,
  type FakeUpstream,
} from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { INGRESSES, ingressAgent } from '../support/ingress-agent.ts'

const part = (more: object): object => ({
  id: 'r0',
  format: 'anthropic-claude-v1',
  index: 0,
  type: 'reasoning.text',
  ...more,
})
const DETAILS = [
  part({ text: 'Look it up.', signature: 'EqQB+/c2ln==' }),
  { id: 'e1', format: 'anthropic-claude-v1', index: 1, type: 'reasoning.encrypted', data: 'gAAA#:==' },
]
const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }
const thinks: Answer = (request, response) => {
  if (!wantsStream(request))
    return json(200, {
      id: 'gen-1',
      object: 'chat.completion',
      created: 1,
      model: 'anthropic/claude-sonnet-4.5',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: null,
            reasoning: 'Look it up.',
            reasoning_details: DETAILS,
            tool_calls: [CALL],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    })(request, response)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(
    frame({ role: 'assistant', content: '', reasoning: 'Look ', reasoning_details: [part({ text: 'Look ' })] }) +
      frame({ content: '', reasoning: 'it up.', reasoning_details: [part({ text: 'it up.' })] }) +
      frame({ content: '', reasoning: null, reasoning_details: [part({ signature: 'EqQB+/c2ln==' })] }) +
      frame({ content: '', reasoning_details: [DETAILS[1]] }) +
      frame({ tool_calls: [{ index: 0, ...CALL }] }) +
      frame({}, 'tool_calls') +
      USAGE_FRAME +
      DONE_FRAME,
  )
}
const says: Answer = (request, response) =>
  void (wantsStream(request)
    ? response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(frame({ role: 'assistant', content: 'Rain.' }) + frame({}, 'stop') + USAGE_FRAME + DONE_FRAME)
    : json(200, {
        id: 'gen-2',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Rain.' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
      })(request, response))

let router: FakeUpstream
let other: FakeUpstream
let gateway: (GatewayProcess & { stop(): Promise<void> }) | undefined
beforeAll(async () => {
  router = await startFakeUpstream(thinks, { ownedByTest: false })
  other = await startFakeUpstream(says, { ownedByTest: false })
  gateway = await startGatewayProcess({
    config: `
upstreams:
  openrouter: { kind: openai, baseUrl: "${router.url}/v1", reasoningDetails: true, ask: as-asked, retries: 0 }
  other: { kind: openai, baseUrl: "${other.url}/v1", ask: as-asked, retries: 0 }
models:
  claude: { upstream: openrouter, model: anthropic/claude-sonnet-4.5, price: { inputPerM: 3, outputPerM: 15 } }
  plain: { upstream: other, model: m, price: { inputPerM: 1, outputPerM: 2 } }
routes:
  auto: { small: [ plain ], big: [ claude ], targetBigShare: 0 }
keys: [{ name: ci, key: sk-test, tenant: acme }]
telemetry: { log: off }
`,
    ownedByTest: false,
  })
})
afterAll(async () => {
  await gateway?.stop()
  await Promise.all([router, other].map((each) => each.stop()))
})
beforeEach(() => {
  router.answer = thinks
  for (const each of [router, other]) each.seen.length = 0
})

interface Sent {
  readonly messages: readonly Readonly<Record<string, unknown>>[]
}
const assistantSentTo = ({ seen }: FakeUpstream): Readonly<Record<string, unknown>> | undefined =>
  (JSON.parse(seen.at(-1)?.body ?? '{}') as Sent).messages.find(({ role }) => role === 'assistant')

const MODES = INGRESSES.flatMap((ingress) => [false, true].map((stream) => [ingress, stream] as const))

describe.each(MODES)('%s, streamed: %s', (ingress, stream) => {
  const agent = (): ReturnType<typeof ingressAgent> =>
    ingressAgent(ingress, { url: gateway?.url ?? '', apiKey: 'sk-test', stream })

  test('details come back as they were given, under auto too', async () => {
    const one = agent()
    expect(await one.say('claude', 'What is the weather?')).toMatchObject({ upstream: 'openrouter', calls: 1 })
    router.answer = says
    expect(await one.answerCalls('auto')).toMatchObject({ upstream: 'openrouter', reason: 'sticky', dropped: [] })
    const sent = assistantSentTo(router)
    expect(sent?.['reasoning_details']).toEqual(DETAILS)
    expect(sent).not.toHaveProperty('reasoning_content')
  })

  test('another server does not get them, and the answer says so', async () => {
    const one = agent()
    await one.say('claude', 'What is the weather?')
    expect((await one.answerCalls('plain')).dropped).toContain('messages.signature')
    expect(assistantSentTo(other)).not.toHaveProperty('reasoning_details')
    // Of a text in fragments under a name that it does not know, the client of a stream keeps the last.
    expect(assistantSentTo(other)?.['reasoning_content']).toMatch(/it up\.$/)
  })
})
