/** The cascade against the real process: what the small model says is checked before the caller sees it. */
import { expect, test } from 'vitest'
import { frame, json, say, startFakeUpstream, wantsStream, type Answer } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'

const ENV = { TEST_UPSTREAM_KEY: 'sk-upstream-test' }
const SCHEMA = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] }

/** A gateway whose `auto` always begins at the small model. */
async function gatewayWith(small: Answer, cascade = '', big: Answer = say('{"id":7}')) {
  const [engine, hosted] = [await startFakeUpstream(small), await startFakeUpstream(big)]
  const config = configFor({ small: engine.url, big: hosted.url }).replace(
    'targetBigShare: 0.3',
    `targetBigShare: 0${cascade}`,
  )
  return { gateway: await startGatewayProcess({ config, env: ENV }), engine, hosted }
}

async function ask(gateway: GatewayProcess, body: object) {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'ping' }], ...body }),
  })
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() }
}

test('JSON that does not fit its schema goes on to the big model, with both calls on the bill', async () => {
  const { gateway, engine, hosted } = await gatewayWith(say('{"id":"seven"}'))
  const body = { response_format: { type: 'json_schema', json_schema: { name: 'order', schema: SCHEMA } } }
  const reply = await ask(gateway, body)
  expect(reply.headers).toMatchObject({
    'x-route': 'frontier',
    'x-route-reason': 'escalated',
    'x-escalation-reason': 'json',
    'x-attempts': '2',
    // 5 and 7 tokens at 0.05 and 0.20, then at 1 and 10 dollars per million.
    'x-cost-usd': '0.00007665',
  })
  expect(reply.text).toContain('{\\"id\\":7}')
  expect([engine.seen.length, hosted.seen.length]).toEqual([1, 1])
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(metrics).toContain('switchyard_escalations_total{reason="json"} 1')
})

test('an answer with nothing wrong stays, and so does a wrong one where the cascade is off or the cheap side was asked for', async () => {
  const good = await gatewayWith(say('Paris.'))
  expect((await ask(good.gateway, {})).headers).toMatchObject({ 'x-route': 'local', 'x-attempts': '1' })
  const off = await gatewayWith(say(''), ', cascade: off')
  expect((await ask(off.gateway, {})).headers['x-route']).toBe('local')
  const cheap = await gatewayWith(say(''))
  expect((await ask(cheap.gateway, { model: 'auto:cheap' })).headers['x-route']).toBe('local')
})

test('a call of a tool that was not offered goes on', async () => {
  const call = { id: 'c1', type: 'function', function: { name: 'drop_table', arguments: '{}' } }
  const { gateway } = await gatewayWith((request, response) =>
    wantsStream(request)
      ? void response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(
            `${frame({ role: 'assistant', tool_calls: [{ index: 0, ...call }] })}${frame({}, 'tool_calls')}data: [DONE]\n\n`,
          )
      : json(200, {
          id: 'x',
          object: 'chat.completion',
          created: 1,
          model: 'm',
          choices: [
            {
              index: 0,
              message: { role: 'assistant', content: null, tool_calls: [call] },
              finish_reason: 'tool_calls',
            },
          ],
          usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
        })(request, response),
  )
  const tools = [{ type: 'function', function: { name: 'get_order', parameters: SCHEMA } }]
  expect((await ask(gateway, { tools })).headers['x-escalation-reason']).toBe('tools')
})

test('a stream that begins as a refusal is stopped at the engine, and the caller sees the big model’s alone', async () => {
  const { gateway, engine } = await gatewayWith((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frame({ role: 'assistant', content: '' }))
    response.write(frame({ content: "I'm sorry, but I can't" }))
    response.write(frame({ content: ' help with that.' }))
    // More than a caller of a refusal would want to wait for.
    const timer = setInterval(() => response.write(frame({ content: ' Please understand.' })), 5)
    response.once('close', () => clearInterval(timer))
  })
  const reply = await ask(gateway, { stream: true })
  expect(reply.headers).toMatchObject({ 'x-route': 'frontier', 'x-escalation-reason': 'refusal' })
  expect(reply.text).not.toContain('sorry')
  expect(reply.text).toContain('[DONE]')
  await engine.seen[0]?.aborted
})

test('a stream with an ordinary beginning flows at once', async () => {
  let letGo = (): void => {}
  const { gateway } = await gatewayWith((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frame({ role: 'assistant', content: '' }) + frame({ content: 'The' }))
    letGo = () => response.end(`${frame({ content: ' end' })}${frame({}, 'stop')}data: [DONE]\n\n`)
  })
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'auto', stream: true, messages: [{ role: 'user', content: 'ping' }] }),
  })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  // The first word arrives while the engine is still writing.
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toContain('The')
  letGo()
  let rest = ''
  for (let read = await reader.read(); !read.done; read = await reader.read())
    rest += Buffer.from(read.value).toString()
  expect(rest).toContain(' end')
})

test('with verify: whole a stream is checked before its first byte', async () => {
  const { gateway } = await gatewayWith(say('{"id":', '"seven"}'), ', cascade: { verify: whole }')
  const body = {
    stream: true,
    response_format: { type: 'json_schema', json_schema: { name: 'order', schema: SCHEMA } },
  }
  const reply = await ask(gateway, body)
  expect(reply.headers['x-escalation-reason']).toBe('json')
  expect(reply.text).not.toContain('seven')
})

test('log-probabilities are asked for where a limit is set, and not shown to a caller who did not ask', async () => {
  const choice = (logprob: number) => ({
    index: 0,
    message: { role: 'assistant', content: 'yes' },
    logprobs: { content: [{ token: 'yes', logprob, bytes: null, top_logprobs: [] }] },
    finish_reason: 'stop',
  })
  const answer = (logprob: number): Answer =>
    json(200, {
      id: 'x',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [choice(logprob)],
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    })
  const unsure = await gatewayWith(answer(-2.5), ', cascade: { minLogprob: -1 }')
  expect((await ask(unsure.gateway, {})).headers['x-escalation-reason']).toBe('logprob')
  expect(JSON.parse(unsure.engine.seen[0]?.body ?? '{}')).toMatchObject({ logprobs: true })
  const sure = await gatewayWith(answer(-0.1), ', cascade: { minLogprob: -1 }')
  const reply = await ask(sure.gateway, {})
  expect(reply.headers['x-route']).toBe('local')
  expect(reply.text).not.toContain('-0.1')
})

test('a second opinion that differs escalates, one that agrees does not, and its call is on the bill', async () => {
  const second = await startFakeUpstream(say('The answer is 12.'))
  const start = async (answer: string) => {
    const [engine, hosted] = [await startFakeUpstream(say(answer)), await startFakeUpstream(say('12, surely'))]
    const config = configFor({ small: engine.url, big: hosted.url })
      .replace('targetBigShare: 0.3', 'targetBigShare: 0, cascade: { secondOpinions: [second] }')
      .replace(
        'models:',
        `  other: { kind: vllm, replicas: ["${second.url}"] }
models:
  second: { upstream: other, model: other-model, tier: local, price: { inputPerM: 0.05, outputPerM: 0.20 } }`,
      )
    return await startGatewayProcess({ config, env: ENV })
  }
  const agreed = await ask(await start('#### 12'), {})
  expect(agreed.headers).toMatchObject({ 'x-route': 'local', 'x-attempts': '2', 'x-cost-usd': '0.0000033' })
  const differed = await ask(await start('#### 13'), {})
  expect(differed.headers).toMatchObject({
    'x-route': 'frontier',
    'x-escalation-reason': 'disagreement',
    'x-attempts': '3',
  })
})

test('a stream that flows from its beginning is not asked for log-probabilities, and shows none', async () => {
  const { gateway, engine } = await gatewayWith(say('yes'), ', cascade: { minLogprob: -1 }')
  const reply = await ask(gateway, { stream: true })
  expect(reply.headers['x-route']).toBe('local')
  expect(JSON.parse(engine.seen[0]?.body ?? '{}')).not.toHaveProperty('logprobs')
})
