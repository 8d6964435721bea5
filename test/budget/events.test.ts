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
