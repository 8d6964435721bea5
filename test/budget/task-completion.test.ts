import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { moneyConfig, moneyWorld, startSimulatedProvider, type MoneyWorld } from '../support/money-world.ts'
import { runCommand } from '../support/run-command.ts'

let world: MoneyWorld
let stop: () => Promise<void>

beforeAll(async () => {
  const { simulator, url } = await startSimulatedProvider()
  const gateway: GatewayProcess & { stop(): Promise<void> } = await startGatewayProcess({
    config: moneyConfig(url),
    env: { TEST_ADMIN_KEY: 'sk-admin-test' },
    ownedByTest: false,
  })
  world = moneyWorld(simulator, () => gateway)
  stop = async () => {
    await gateway.stop()
    await simulator.close()
  }
})
afterAll(() => stop())

async function complete(id: string, body: object): Promise<{ readonly status: number; readonly body: object }> {
  const reply = await world.admin('POST', `/v1/tasks/${id}/complete`, body, { authorization: 'Bearer sk-test' })
  return { status: reply.status, body: (await reply.json()) as object }
}

async function outcomes(): Promise<readonly string[]> {
  const args = ['report', 'tasks', '--data-dir', 'data', '--format', 'json']
  const { out } = await runCommand(args, { cwd: world.gateway.dir })
  const report = JSON.parse(out) as { readonly all: { readonly outcomes: readonly { readonly outcome: string }[] } }
  return report.all.outcomes.map(({ outcome }) => outcome)
}

test('a check that fails after the task has ended makes a silent failure known, and nothing changes it afterwards', async () => {
  await world.chat({ max_tokens: 5 }, { 'x-task-id': 'late' })
  await complete('late', { outcome: 'success' })
  expect(await outcomes()).toEqual(['unverified'])
  const judged = await complete('late', { outcome: 'success', check: { passed: false } })
  expect(judged).toMatchObject({ status: 200, body: { state: 'failed' } })
  expect(await outcomes()).toEqual(['silent_failure'])
  expect(await complete('late', { outcome: 'success', check: { passed: true } })).toMatchObject({ status: 410 })
  expect((await world.chat({}, { 'x-task-id': 'late' })).status).toBe(410)
})

test('tool calls that no request showed are said at the end; a smaller number takes nothing back', async () => {
  const transcript = [
    { role: 'user', content: 'Look.' },
    {
      role: 'assistant',
      content: null,
      tool_calls: ['a', 'b'].map((id) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } })),
    },
    { role: 'tool', tool_call_id: 'a', content: '1' },
    { role: 'tool', tool_call_id: 'b', content: '2' },
  ]
  for (const [id, said, counted] of [
    ['more', 3, 3],
    ['less', 1, 2],
  ] as const) {
    await world.chat({ max_tokens: 5, messages: transcript }, { 'x-task-id': id })
    const done = await complete(id, { outcome: 'success', tool_calls: said })
    expect(done.body).toMatchObject({ spent: { tool_calls: counted } })
  }
})

test.each([
  [{ outcome: 'success', escalated: 'yes' }, 'escalated'],
  [{ outcome: 'success', tool_calls: -1 }, 'tool_calls'],
  [{ outcome: 'success', tool_calls: 1.5 }, 'tool_calls'],
])('%o is refused by name', async (body, param) => {
  await world.chat({ max_tokens: 5 }, { 'x-task-id': 'refused' })
  expect(await complete('refused', body)).toMatchObject({ status: 400, body: { error: { param } } })
})
