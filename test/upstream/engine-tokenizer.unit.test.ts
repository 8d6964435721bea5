import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Target } from '../../src/gateway/steps.ts'
import { EngineTokenizer } from '../../src/upstream/engine-tokenizer.ts'
import type { UpstreamOptions } from '../../src/upstream/options.ts'
import { chatRequest, target } from '../support/fake-steps.ts'
import { readFixture } from '../support/vectors.ts'

interface Recorded {
  readonly name: string
  readonly request?: { readonly body: unknown }
  readonly response?: { readonly body?: string }
}
const recorded = readFixture<Recorded>('recorded/vllm-0.32.0.jsonl').find((row) => row.name === 'tokenize')
const never = new AbortController().signal
const SLACK = 16

interface Seen {
  readonly url: string | undefined
  readonly authorization: string | undefined
  readonly body: unknown
}

async function engine(
  answer: (response: ServerResponse) => void,
  deadlineMs = 5000,
): Promise<{ readonly tokenizer: EngineTokenizer; readonly seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push({
        url: request.url,
        authorization: request.headers.authorization,
        body: JSON.parse(Buffer.concat(chunks).toString()),
      })
      answer(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const upstream: UpstreamOptions = {
    name: 'gpu',
    kind: 'vllm',
    replicas: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`],
    apiKey: { reveal: () => 'test-key' },
    headers: {},
    timeouts: { connectMs: 1000, firstByteMs: 1000, idleMs: 1000, totalMs: 1000 },
    retries: 0,
    breaker: 'off',
    ask: 'auto',
    passFields: [],
  }
  const tokenizer = new EngineTokenizer([upstream], deadlineMs)
  onTestFinished(async () => {
    await tokenizer.close()
    server.closeAllConnections()
    server.close()
  })
  return { tokenizer, seen }
}

const vllm: Target = target('small', { kind: 'vllm', upstream: 'gpu', model: 'smollm2' })
const request = chatRequest({ messages: [{ role: 'user', content: 'Name three colours.' }] })
const json = (body: string) => (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(body)

test("vLLM's recorded answer gives the prompt's tokens, asked as it was recorded", async () => {
  const { tokenizer, seen } = await engine(json(recorded?.response?.body ?? ''))
  expect(await tokenizer.refine(request, vllm, never)).toBe(34 + SLACK)
  expect(seen).toEqual([{ url: '/tokenize', authorization: 'Bearer test-key', body: recorded?.request?.body }])
})

test("tools and the operator's fields go along, since the template may print them", async () => {
  const { tokenizer, seen } = await engine(json('{"count":50,"tokens":[]}'))
  const extraBody = { chat_template_kwargs: { enable_thinking: false } }
  await tokenizer.refine({ ...request, tools: [{ kind: 'function', name: 'f' }] }, { ...vllm, extraBody }, never)
  expect(seen[0]?.body).toMatchObject({ ...extraBody, tools: [{ type: 'function', function: { name: 'f' } }] })
})

test.each([
  ['an error', (response: ServerResponse) => void response.writeHead(500).end('{"count":1}')],
  ['what is not JSON', json('<html>')],
  ['no count', json('{"tokens":[1,2]}')],
  ['a count that cannot be', json('{"count":-3}')],
])('%s leaves the cheap bound standing', async (_name, answer) => {
  const { tokenizer } = await engine(answer)
  expect(await tokenizer.refine(request, vllm, never)).toBeUndefined()
})

test('an engine that does not answer in time leaves the cheap bound standing', async () => {
  const { tokenizer, seen } = await engine(() => {}, 300)
  expect(await tokenizer.refine(request, vllm, never)).toBeUndefined()
  expect(seen).toHaveLength(1)
})

test.each<readonly [string, typeof request, Target]>([
  [
    'a picture, which counts as one mark there',
    chatRequest({ messages: [{ role: 'user', content: [{ type: 'image', url: 'https://example.com/a.png' }] }] }),
    vllm,
  ],
  ['gpt-oss, whose prompt another library writes', request, { ...vllm, model: 'openai/gpt-oss-20b' }],
  ['fields that a caller was let through', { ...request, passed: { add_generation_prompt: false } }, vllm],
  ['another kind of server', request, { ...vllm, kind: 'openai' }],
  ['an upstream that is gone', request, { ...vllm, upstream: 'other' }],
])('%s is not asked for', async (_name, asked, at) => {
  const { tokenizer, seen } = await engine(json('{"count":5}'))
  expect(await tokenizer.refine(asked, at, never)).toBeUndefined()
  expect(seen).toEqual([])
})
