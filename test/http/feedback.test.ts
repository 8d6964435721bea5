/** Feedback over HTTP: a real service, OpenAI's SDK, and the file on the disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { expect, onTestFinished, test } from 'vitest'
import { say, startFakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'
import { runCommand } from '../support/run-command.ts'

const ENV = { TEST_UPSTREAM_KEY: 'sk-upstream-test' }
const SECRET = 'the-corrected-answer-nobody-keeps'

test('feedback counts once, changes, stays its tenant’s own, outlives kill -9, and is exported and forgotten', async () => {
  const upstream = await startFakeUpstream(say('Hello'))
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-feedback-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const config = configFor({ small: upstream.url }, '  - { name: other, key: "sk-other", tenant: initech }\n')
  const start = (): ReturnType<typeof startGatewayProcess> => startGatewayProcess({ config, env: ENV, dir })
  const clientOf = (url: string, apiKey: string): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
  let gateway = await start()
  const client = clientOf(gateway.url, 'sk-test')
  const ask = async (): Promise<string> => {
    const call = client.chat.completions.create(
      { model: 'auto', messages: [{ role: 'user', content: 'What is a prompt?' }] },
      { headers: { 'x-task-id': 'job-7' } },
    )
    return String((await call.withResponse()).response.headers.get('x-request-id'))
  }
  const [first, second] = [await ask(), await ask()]

  const body = { request_id: first, corrected: SECRET }
  const given = await client.post('/feedback', { body })
  expect(given).toMatchObject({ object: 'feedback', request_id: first, quality: 0, corrected: true, revision: 1 })
  expect(await client.post('/feedback', { body })).toEqual(given)
  expect(await client.post('/feedback', { body: { task_id: 'job-7', success: true } })).toMatchObject({ requests: 2 })

  const stranger = clientOf(gateway.url, 'sk-other')
  for (const [param, id] of [
    ['request_id', first],
    ['task_id', 'job-7'],
  ] as const)
    await expect(stranger.post('/feedback', { body: { [param]: id, success: false } })).rejects.toMatchObject({
      status: 404,
      param,
    })
  await expect(clientOf(gateway.url, 'sk-wrong').post('/feedback', { body })).rejects.toMatchObject({ status: 401 })

  gateway.signal('SIGKILL')
  await gateway.exited
  gateway = await start()
  const again = clientOf(gateway.url, 'sk-test')
  expect(await again.post('/feedback', { body })).toEqual(given)
  expect(await again.post('/feedback', { body: { request_id: first, quality: 0.25 } })).toMatchObject({ revision: 2 })

  const data = join(dir, 'data')
  const files = readdirSync(data).filter((name) => name.startsWith('feedback.sqlite'))
  expect(files).toContain('feedback.sqlite')
  for (const name of files) {
    expect(statSync(join(data, name)).mode & 0o777).toBe(0o600)
    const bytes = readFileSync(join(data, name)).toString('latin1')
    expect([bytes.includes(SECRET), bytes.includes('What is a prompt?')]).toEqual([false, false])
  }
  const exported = async (): Promise<readonly Record<string, unknown>[]> => {
    const { out } = await runCommand(['export', '--tenant', 'acme', '--data-dir', data], { cwd: dir, env: ENV })
    const lines = out.split('\n').filter((line) => line !== '')
    return lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ type }) => /^(decision|feedback)$/.test(String(type)))
  }
  const decisions = (await exported()).filter(({ type }) => type === 'decision')
  expect(new Map(decisions.map(({ id, quality }) => [id, quality]))).toEqual(
    new Map([
      [first, 0.25],
      [second, 1],
    ]),
  )
  const forgot = await runCommand(['forget', '--tenant', 'acme', '--yes', '--data-dir', data], { cwd: dir, env: ENV })
  expect(forgot.code).toBe(0)
  expect(await exported()).toEqual([])
  await expect(again.post('/feedback', { body })).rejects.toMatchObject({ status: 404 })
})
