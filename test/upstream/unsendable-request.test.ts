/** A request that a model cannot be told is refused before anything is sent: it costs nothing, and another model may take it. */
import { expect, test } from 'vitest'
import { say, startFakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'

test('what cannot be said there costs nothing, and a fallback that can be told answers', async () => {
  const google = await startFakeUpstream(say('never'))
  const engine = await startFakeUpstream(say('Hello'))
  const gateway = await startGatewayProcess({
    config: `
upstreams:
  google: { kind: google, baseUrl: "${google.url}", retries: 0 }
  engine: { kind: vllm, replicas: ["${engine.url}"], retries: 0 }
models:
  alone: { upstream: google, model: gemini-3-flash-preview, price: { inputPerM: 1, outputPerM: 1 } }
  helped: { upstream: google, model: gemini-3-flash-preview, price: { inputPerM: 1, outputPerM: 1 }, fallbacks: [engine] }
  engine: { upstream: engine, model: m, price: { inputPerM: 1, outputPerM: 1 } }
keys: [ { name: ci, key: sk-test } ]
telemetry: { log: off }
`,
  })
  const headers = { authorization: 'Bearer sk-test', 'content-type': 'application/json', 'x-task-id': 't-1' }
  const chat = (model: string): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }], logit_bias: { '1': 1 }, user: 'u' }),
    })

  const refused = await chat('alone')
  expect(refused.status).toBe(400)
  expect(await refused.json()).toMatchObject({ error: { code: 'unsupported_parameter', param: 'logit_bias' } })
  const task = await (await fetch(`${gateway.url}/v1/tasks/t-1`, { headers })).json()
  expect(task).toMatchObject({ spent: { nano_usd: 0 }, held_nano_usd: 0, unresolved_nano_usd: 0 })

  const answered = await chat('helped')
  expect(await answered.json()).toMatchObject({ choices: [{ message: { content: 'Hello' } }] })
  expect(answered.headers.get('x-route-reason')).toBe('fallback')
  // Named by the model that answered, not only by the reader of the request.
  expect(answered.headers.get('x-switchyard-dropped')).toBe('user')
  expect(google.seen).toHaveLength(0)
})
