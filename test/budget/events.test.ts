import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startMoneyWorld } from '../support/money-world.ts'

test("a task's calls and its end stand in the event log and on its own page, without a prompt or a key", async () => {
  const world = await startMoneyWorld({ config: '' })
  await world.chat(
    { max_tokens: 20, messages: [{ role: 'user', content: 'the secret word' }] },
    { 'x-task-id': 'run 1' },
  )
  await world.chat({ max_tokens: 20 }, { 'x-task-id': 'other' })
  await world.chat({ max_tokens: 20, stream: true }, { 'x-task-id': 'run 1' }).then((reply) => reply.text())
  const key = { authorization: 'Bearer sk-test' }
  await world.admin('POST', '/v1/tasks/run%201/complete', { outcome: 'success', check: { passed: true } }, key)
  const reply = await world.admin('GET', '/v1/tasks/run%201/events', undefined, key)
  expect(reply.headers.get('content-type')).toContain('application/jsonl')
  const lines = (await reply.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines).toMatchObject([
    { run_id: 'run 1', step: 1, type: 'model_call', model: 'paid', tenant: 'acme' },
    { run_id: 'run 1', step: 2, type: 'model_call', model: 'paid' },
    { run_id: 'run 1', final: 'success' },
  ])
  expect(lines[0]?.['tokens_out']).toBeGreaterThan(0)
  const task = await world.task('run%201')
  expect(lines[2]?.['cost_usd']).toBe(task.spent.usd)
  const sse = await world.admin('GET', '/v1/tasks/run%201/events', undefined, { ...key, accept: 'text/event-stream' })
  expect(await sse.text()).toMatch(/^data: \{"run_id":"run 1","step":1,/)
  expect(
    (await world.admin('GET', '/v1/tasks/run%201/events', undefined, { authorization: 'Bearer sk-other' })).status,
  ).toBe(404)
  expect(readFileSync(`${world.gateway.dir}/data/events.jsonl`, 'utf8')).not.toMatch(/secret word|sk-test/)
})

test('tools that a client runs are steps between the calls that asked for them and the ones that bring their results', async () => {
  const world = await startMoneyWorld({ config: '' })
  const task = { 'x-task-id': 'tools' }
  const user = { role: 'user', content: 'how is the weather?' }
  const given = '{"city":"the secret town"}'
  const asked = {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: given } }],
  }
  const result = { role: 'tool', tool_call_id: 'c1', content: 'rain' }
  await world.chat({ max_tokens: 20, messages: [user] }, task)
  await new Promise((resolve) => setTimeout(resolve, 60))
  await world.chat({ max_tokens: 20, messages: [user, asked, result] }, task)
  // Whoever sends the transcript again has run no tool again.
  await world.chat({ max_tokens: 20, messages: [user, asked, result] }, task)
  // An answer that was given elsewhere.
  const other = { ...asked, tool_calls: [{ id: 'c2', type: 'function', function: { name: 'map', arguments: '{}' } }] }
  await world.chat({ max_tokens: 20, messages: [user, user, other, { ...result, tool_call_id: 'c2' }] }, task)
  const reply = await world.admin('GET', '/v1/tasks/tools/events', undefined, { authorization: 'Bearer sk-test' })
  const text = await reply.text()
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.map(({ step, type, tool }) => [step, type, tool])).toEqual([
    [1, 'model_call', undefined],
    [2, 'tool_call', 'weather'],
    [3, 'model_call', undefined],
    [4, 'model_call', undefined],
    [5, 'tool_call', 'map'],
    [6, 'model_call', undefined],
  ])
  expect(lines[1]).toMatchObject({
    run_id: 'tools',
    tenant: 'acme',
    input: createHash('sha256').update(given).digest('hex'),
  })
  expect(lines[1]?.['latency_ms']).toBeGreaterThanOrEqual(50)
  expect(lines[1]?.['latency_ms']).toBeLessThan(5000)
  expect(lines[4]?.['latency_ms']).toBeNull()
  expect(text).not.toContain('secret town')
})
