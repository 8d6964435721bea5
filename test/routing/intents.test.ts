/** Intents against the real process: ten sentences each are learned in the background, and a rule sends what looks like them where it says. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { say, startFakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'

const ENV = { TEST_UPSTREAM_KEY: 'sk-upstream-test' }
const INTENTS = `
intents:
  refunds:
    route: big
    examples:
      - I want my money back for the broken kettle
      - Please refund my last order
      - how long does a refund take to reach my card
      - The refund for order 5521 has not arrived
      - can I return the jacket and get my money back
      - You charged me twice, refund one of them
      - I would like to be reimbursed for the cancelled trip
      - Where is my refund?
      - I returned the shoes a week ago and still have no money
      - give me back what I paid for the subscription
  opening-hours:
    examples:
      - When do you open on Sundays?
      - Are you open on public holidays
      - what time does the shop close today
      - Is the store in Leeds open now?
      - opening hours please
      - until when can I come by on Friday
      - Do you close for lunch?
      - What are your business hours?
      - how late are you open tonight
      - Is the branch open on New Year's Eve?
`

async function ask(gateway: GatewayProcess, content: string, model = 'auto'): Promise<Headers> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content }] }),
  })
  await response.text()
  return response.headers
}

/** Resolves when the process has said it. */
async function said(gateway: GatewayProcess, what: string): Promise<void> {
  await expect.poll(() => gateway.output(), { timeout: 60_000, interval: 50 }).toContain(what)
}

test(
  'own intents are learned, labelled and routed; what is none of them keeps its built-in name',
  { timeout: 120_000, skip: !existsSync(new URL('../../router-models/minilm-l6/onnx', import.meta.url)) },
  async () => {
    const [engine, hosted] = [await startFakeUpstream(say('ok')), await startFakeUpstream(say('ok'))]
    const config = configFor(
      { small: engine.url, big: hosted.url },
      `encoder: { deadlineMs: 20000 }${INTENTS}`,
    ).replace('targetBigShare: 0.3', 'targetBigShare: 0, cascade: off')
    const gateway = await startGatewayProcess({ config, env: ENV })
    await said(gateway, 'learned 2 of your own')

    const refund = await ask(gateway, 'hello, I still wait for the refund of my toaster')
    expect(Object.fromEntries(refund)).toMatchObject({
      'x-route': 'frontier',
      'x-route-reason': 'intent',
      'x-route-intent': 'refunds',
    })
    const hours = await ask(gateway, 'what are the opening hours on Saturday?')
    expect(Object.fromEntries(hours)).toMatchObject({ 'x-route': 'local', 'x-route-intent': 'opening-hours' })
    const foreign = await ask(gateway, 'Write a poem about autumn leaves in four stanzas.')
    expect(Object.fromEntries(foreign)).toMatchObject({ 'x-route': 'local', 'x-route-intent': 'creative_writing' })

    // Who asks for the cheap side gets it, and of a model by name nobody asks what is wanted.
    expect((await ask(gateway, 'Please refund my order', 'auto:cheap')).get('x-route')).toBe('local')
    expect((await ask(gateway, 'Please refund my order', 'small')).has('x-route-intent')).toBe(false)

    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    expect(metrics).toContain('switchyard_route_decisions_total{tier="frontier",reason="intent",intent="refunds"} 1')
  },
)

test('a built-in intent can have a rule, without the encoder too', async () => {
  const [engine, hosted] = [await startFakeUpstream(say('ok')), await startFakeUpstream(say('ok'))]
  const config = configFor(
    { small: engine.url, big: hosted.url },
    'encoder: { enabled: off }\nintents: { maths: { route: big } }',
  ).replace('targetBigShare: 0.3', 'targetBigShare: 0, cascade: off')
  const gateway = await startGatewayProcess({ config, env: ENV })
  const sum = await ask(gateway, 'Solve the equation 4x + 7 = 35. What is x?')
  expect(Object.fromEntries(sum)).toMatchObject({ 'x-route-reason': 'intent', 'x-route-intent': 'maths' })
  expect((await ask(gateway, 'good morning')).get('x-route')).toBe('local')
})
