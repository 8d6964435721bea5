/**
 * A real llama.cpp server with a real model behind the gateway: shape, usage, cost and cancellation, not words. It is installed from
 * PyPI, so it runs where SWITCHYARD_ENGINE_TEST=1 allows that (the CI script does) and skips itself elsewhere.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGatewayProcess } from '../support/gateway-process.ts'

const isAllowed = process.env['SWITCHYARD_ENGINE_TEST'] === '1'
const hasPip = spawnSync('python3', ['-c', 'import venv, ensurepip'], { stdio: 'ignore' }).status === 0
const why = isAllowed
  ? hasPip
    ? ''
    : ' (skipped: python3 with pip is missing)'
  : ' (skipped: set SWITCHYARD_ENGINE_TEST=1 to install and run a real engine)'

describe.skipIf(!isAllowed || !hasPip)(`a real llama.cpp${why}`, () => {
  let engine: ChildProcess
  let engineUrl = ''
  let gateway: Awaited<ReturnType<typeof startGatewayProcess>>

  beforeAll(async () => {
    engine = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../scripts/engine-cpu.ts', import.meta.url)), '--port', '0'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    for await (const line of createInterface({ input: engine.stdout as NodeJS.ReadableStream })) {
      engineUrl = /^engine listening on (\S+)$/.exec(line)?.[1] ?? ''
      if (engineUrl !== '') break
    }
    if (engineUrl === '') throw new Error('The engine did not start.')
    gateway = await startGatewayProcess({
      config: `upstreams: { cpu: { kind: openai, baseUrl: "${engineUrl}/v1" } }
models: { smol: { upstream: cpu, model: smollm2, tier: local, contextTokens: 1024, price: { inputPerM: 1, outputPerM: 2 } } }
routes: { auto: { small: [smol], big: [smol] } }
keys: [{ name: ci, key: sk-test }]
`,
      ownedByTest: false,
    })
  }, 300_000)

  afterAll(async () => {
    await gateway.stop()
    engine.kill('SIGTERM')
  })

  const ask = (body: object, signal?: AbortSignal): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'auto',
        temperature: 0,
        messages: [{ role: 'user', content: 'Name three colours.' }],
        ...body,
      }),
      ...(signal === undefined ? {} : { signal }),
    })
  /** Requests that the engine is working on. */
  const working = async (): Promise<number> => {
    const page = await (await fetch(`${engineUrl}/metrics`)).text()
    return Number(/requests_processing (\d+)/.exec(page)?.[1] ?? -1)
  }

  test('a whole answer has text, true usage and the price of it', async () => {
    const response = await ask({ max_tokens: 8 })
    const body = (await response.json()) as {
      choices: { message: { content: string }; finish_reason: string }[]
      usage: { prompt_tokens: number; completion_tokens: number; cost: number }
    }
    expect(response.status).toBe(200)
    expect(body.choices[0]?.message.content.length).toBeGreaterThan(0)
    expect(body.choices[0]?.finish_reason).toBe('length')
    expect(body.usage.completion_tokens).toBe(8)
    const cost = (body.usage.prompt_tokens * 1 + 8 * 2) / 1e6
    expect(Number(response.headers.get('x-cost-usd'))).toBeCloseTo(cost, 9)
  })

  test('a stream arrives in pieces and ends with usage and [DONE]', async () => {
    const text = await (await ask({ max_tokens: 8, stream: true, stream_options: { include_usage: true } })).text()
    expect(text.split('"content":').length).toBeGreaterThan(4)
    expect(text).toMatch(/"completion_tokens":8[^]*\[DONE\]\n\n$/)
  })

  test.each([true, false])('a caller that leaves frees the engine (stream: %s)', async (stream) => {
    const abort = new AbortController()
    const answer = ask({ max_tokens: 900, stream }, abort.signal).then((response) => response.text())
    await expect.poll(working, { timeout: 10_000 }).toBeGreaterThan(0)
    await sleep(200)
    abort.abort()
    await answer.catch(() => {})
    await expect.poll(working, { timeout: 3000 }).toBe(0)
  })

  test('a prompt longer than the context is refused as such', async () => {
    const response = await ask({ messages: [{ role: 'user', content: 'word '.repeat(20_000) }] })
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
      400,
      'context_length_exceeded',
    ])
  })
})
