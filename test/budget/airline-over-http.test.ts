import { describe, expect, test, vi } from 'vitest'
import {
  airlineReport,
  airlineRuns,
  hasAirlineRuns,
  type AirlineMessage,
  type AirlineRun,
} from '../support/airline-runs.ts'
import { json, startFakeUpstream, type Answer } from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { airlineFigures, type ReportJson } from '../support/report-figures.ts'
import { runCommand } from '../support/run-command.ts'

/** Runs that are played at the same time. */
const AT_ONCE = 8
const KEY = 'sk-test'

/** Says assistant message k of the run that the system message names, when it is asked for the k-th time. */
function recordedAnswers(runs: ReadonlyMap<string, AirlineRun>): Answer {
  const asked = new Map<string, number>()
  return (request, response) => {
    const { messages } = JSON.parse(request.body) as { readonly messages: readonly AirlineMessage[] }
    const id = messages[0]?.content ?? ''
    const run = runs.get(id) as AirlineRun
    const time = asked.get(id) ?? 0
    asked.set(id, time + 1)
    const turn = run.turns[time] as AirlineRun['turns'][number]
    const message = run.messages[turn.msg]
    const { prompt_tokens, completion_tokens } = turn
    return json(200, {
      id: `chatcmpl-${time}`,
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gpt-4o',
      choices: [{ index: 0, message, finish_reason: message?.tool_calls === undefined ? 'stop' : 'tool_calls' }],
      usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
    })(request, response)
  }
}

const CONFIG = (url: string): string => `
upstreams:
  hosted: { kind: openai, baseUrl: "${url}/v1", retries: 0, breaker: off, ask: as-asked }
models:
  gpt-4o: { upstream: hosted, model: gpt-4o, contextTokens: 128000, price: { inputPerM: 2.5, outputPerM: 10 } }
taskTypes:
  airline: { maxUsd: 25 }
  capped: { maxUsd: 25, maxToolCalls: 6, onLimit: stop }
keys:
  - { name: ci, key: ${KEY}, tenant: acme }
telemetry: { log: off, events: null }
`

interface Reply {
  readonly status: number
  readonly body: {
    readonly choices?: readonly { readonly message: AirlineMessage }[]
    readonly error?: { readonly param: string }
  }
}

async function post(gateway: GatewayProcess, path: string, body: object, headers = {}): Promise<Reply> {
  const reply = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: reply.status, body: (await reply.json()) as Reply['body'] }
}

/** The agent's side: sends each transcript as it was, and in the end what a check of the outcome said. False = it was stopped. */
async function play(gateway: GatewayProcess, run: AirlineRun, type: string): Promise<boolean> {
  const { run_id: id, messages, turns, outcome } = run
  const headers = { 'x-task-id': id, 'x-task-type': type }
  for (const { msg } of turns) {
    const transcript = [{ role: 'system', content: id }, ...messages.slice(0, msg)]
    const { status, body } = await post(
      gateway,
      '/v1/chat/completions',
      { model: 'gpt-4o', max_tokens: 1000, messages: transcript },
      headers,
    )
    if (status === 402) {
      expect(body.error?.param).toBe('max_tool_calls')
      return false
    }
    expect(body.choices?.[0]?.message.content ?? null).toBe(messages[msg]?.content ?? null)
  }
  // The last tool's answer is in no request that the service sees.
  const unseen = messages.at(-1)?.role === 'tool'
  const done = await post(gateway, `/v1/tasks/${id}/complete`, {
    outcome: 'success',
    check: { passed: outcome === 'success' || outcome === 'escalated_right' },
    ...(outcome.startsWith('escalated') ? { escalated: true } : {}),
    ...(unseen ? { tool_calls: messages.filter(({ role }) => role === 'tool').length } : {}),
  })
  expect(done.status).toBe(200)
  return true
}

/** Plays all runs as tasks of a type. */
async function playAll(type: string): Promise<{ readonly gateway: GatewayProcess; readonly stopped: number }> {
  const runs = airlineRuns()
  const upstream = await startFakeUpstream(recordedAnswers(new Map(runs.map((run) => [run.run_id, run]))))
  const gateway = await startGatewayProcess({ config: CONFIG(upstream.url) })
  const queue = [...runs]
  let stopped = 0
  const worker = async (): Promise<void> => {
    for (let run = queue.shift(); run !== undefined; run = queue.shift()) {
      if (!(await play(gateway, run, type))) stopped += 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return { gateway, stopped }
}

async function reportOf(gateway: GatewayProcess, ...flags: readonly string[]): Promise<ReportJson> {
  const args = ['report', 'tasks', '--data-dir', 'data', '--format', 'json', ...flags]
  const { code, out, err } = await runCommand(args, { cwd: gateway.dir })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out) as ReportJson
}

describe.skipIf(!hasAirlineRuns)('152 recorded airline runs through the service (needs ../shared/data/agents)', () => {
  test('"switchyard report tasks" says exactly what the recorded report says, while the service runs and after', async () => {
    const { gateway } = await playAll('airline')
    expect(airlineFigures(await reportOf(gateway, '--cap-tool-calls', '6'))).toEqual(airlineReport())

    gateway.signal('SIGTERM')
    expect(await gateway.exited).toBe(0)
    const after = await reportOf(gateway, '--cap-tool-calls', '6', '--cap-usd', '0.50')
    expect(airlineFigures(after)).toEqual(airlineReport())
    expect(after.all.cost_nano_usd).toBe(22_603_325_000)
    expect(after.cap).toMatchObject({ stopped: 49, completed_stopped: 8, saved_nano_usd: 6_269_395_000 })
  })

  test('a cap of six tool calls in force stops the tasks and saves the money that the report on the past says, to the nano-dollar', async () => {
    const { gateway, stopped } = await playAll('capped')
    expect(stopped).toBe(49)
    // What nobody waits for is written within 20 ms, and a refusal waits for nothing.
    await vi.waitFor(async () => {
      const { all } = await reportOf(gateway)
      expect(all.cost_nano_usd).toBe(22_603_325_000 - 6_269_395_000)
      expect(all.outcomes).toContainEqual(expect.objectContaining({ outcome: 'stopped', tasks: 49 }))
    })
  })
})
