/** Zero configuration against real servers on loopback, which replay what real engines answered. */
import { createServer, type Server } from 'node:http'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { loadConfig, type ConfigFlags } from '../../src/config/load.ts'

interface Recorded {
  readonly name: string
  readonly request: { readonly path: string }
  readonly response: { readonly status: number; readonly body: string }
}

/** Recorded answers to GETs of an engine, by path. */
function recorded(file: string): Answers {
  const rows = readFileSync(new URL(`../fixtures/recorded/${file}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const row = rows.map((line) => JSON.parse(line) as Recorded).find(({ name }) => name === 'models_list')
  if (row === undefined) throw new Error(`${file} holds no models_list`)
  return { [row.request.path]: { status: row.response.status, body: row.response.body } }
}

type Answers = Readonly<Record<string, { readonly status: number; readonly body: string } | 'never'>>

const json = (body: unknown): { status: number; body: string } => ({ status: 200, body: JSON.stringify(body) })
const list = (...ids: string[]): { status: number; body: string } =>
  json({ object: 'list', data: ids.map((id) => ({ id, object: 'model', owned_by: 'library' })) })

const VLLM = recorded('vllm-0.32.0.jsonl')
const LLAMA = recorded('llamacpp-b11549.jsonl')
const OLLAMA: Answers = {
  '/v1/models': list('nomic-embed-text:latest', 'qwen3:8b', 'llama3.3:70b'),
  '/api/version': json({ version: '0.11.4' }),
}
const LM_STUDIO: Answers = { '/v1/models': list('gemma'), '/api/v0/models': json({ data: [{ id: 'gemma' }] }) }
const SGLANG: Answers = { '/v1/models': list('glm'), '/get_model_info': json({ model_path: 'zai/glm' }) }
const TGI: Answers = {
  '/info': json({ model_id: 'tgi-model', max_total_tokens: 4096 }),
  '/v1/models': list('tgi-model'),
}

/** A server on a free port; the paths it was asked for are in `seen`. */
async function serve(answers: Answers, seen: string[] = []): Promise<number> {
  const server: Server = createServer((request, response) => {
    seen.push(request.url ?? '')
    const answer = answers[request.url ?? '']
    if (answer === 'never') return
    response.writeHead(answer?.status ?? 404, { 'content-type': 'application/json' })
    response.end(answer?.body ?? '{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function load(ports: readonly number[], env: Record<string, string> = {}, flags: ConfigFlags = {}): Promise<Config> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-detect-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  return loadConfig(flags, { env, cwd, enginePorts: ports })
}

const kinds = (config: Config): readonly string[] => [...new Set([...config.targets.values()].map((each) => each.kind))]

describe('an engine that says what it is becomes an upstream and nothing is simulated', () => {
  test.each([
    ['vLLM, as recorded', VLLM, 'vllm', 'smollm2', 1024],
    ['llama.cpp, as recorded', LLAMA, 'openai', 'smollm2', 2048],
    ['Ollama', OLLAMA, 'openai', 'qwen3:8b', undefined],
    ['LM Studio', LM_STUDIO, 'openai', 'gemma', undefined],
    ['SGLang', SGLANG, 'openai', 'glm', undefined],
  ])('%s', async (_name, answers, kind, model, contextTokens) => {
    const port = await serve(answers)
    const config = await load([port])
    const [target] = config.targets.values()
    expect(target).toMatchObject({ kind, model, tier: 'local', price: { inputPerM: 0, outputPerM: 0, source: 'file' } })
    if (contextTokens !== undefined) expect(target?.contextTokens).toBeGreaterThan(0)
    expect(config.upstreams[0]?.replicas).toEqual([`http://127.0.0.1:${port}/v1`])
    expect(config.routes['auto']).toMatchObject({ small: [target?.name], big: [target?.name] })
    expect(kinds(config)).toEqual([kind])
  })
})

test('every chat model of an engine can be asked for by name, embedding models cannot', async () => {
  const config = await load([await serve(OLLAMA)])
  expect([...config.targets.values()].map(({ name, model }) => [name, model])).toEqual([
    ['local-ollama', 'qwen3:8b'],
    ['local-ollama-llama3.3-70b', 'llama3.3:70b'],
  ])
})

test('two engines of one kind are two upstreams', async () => {
  const config = await load([await serve(VLLM), await serve(VLLM)])
  expect(config.upstreams).toHaveLength(2)
  expect(config.routes['auto']?.small).toHaveLength(2)
})

describe('what does not say that it is an engine is left alone', () => {
  test.each<[string, Answers]>([
    ['a list of models without a mark', { '/v1/models': list('who-knows') }],
    ['a mark without a list of models', { '/api/version': json({ version: '1' }) }],
    ['a page of HTML', { '/v1/models': { status: 200, body: '<html>vllm</html>' } }],
    ['an engine that wants a key', { '/v1/models': { status: 401, body: '{"error":"Unauthorized"}' } }],
    ['an empty list', { '/v1/models': json({ data: [] }), '/api/version': json({ version: '1' }) }],
    ['a list of something else', { '/v1/models': json({ data: [1, null, { id: 7, owned_by: 'vllm' }] }) }],
    [
      'a list without an end',
      { '/v1/models': json({ data: [{ id: 'm', owned_by: 'vllm' }], padding: 'x'.repeat(2_000_000) }) },
    ],
    ['a name that would move the cursor', { '/v1/models': json({ data: [{ id: 'a\u001b[2Jb', owned_by: 'vllm' }] }) }],
  ])('%s', async (_name, answers) => {
    const config = await load([await serve(answers)])
    expect(kinds(config)).toEqual(['simulated'])
  })
})

test('a server that accepts and never answers costs at most the deadline, and does not hide another', async () => {
  const silent = await serve({ '/v1/models': 'never', '/info': 'never' })
  const started = performance.now()
  const config = await load([silent, await serve(VLLM)])
  expect(performance.now() - started).toBeLessThan(1500)
  expect(kinds(config)).toEqual(['vllm'])
})

describe('what is found together', () => {
  test('an engine and an OpenAI key: small is the engine, big is hosted', async () => {
    const config = await load([await serve(LLAMA)], { OPENAI_API_KEY: 'sk-test' })
    expect(config.routes['auto']).toMatchObject({ small: ['local-llamacpp'], big: ['openai-big'] })
    expect(config.targets.get('openai-big')?.price?.source).toContain('genai-prices')
  })

  test('an OpenAI key alone: a small and a big model of its book', async () => {
    const config = await load([], { OPENAI_API_KEY: 'sk-test' })
    expect(config.routes['auto']).toMatchObject({ small: ['openai-small'], big: ['openai-big'] })
    expect(kinds(config)).toEqual(['openai'])
  })

  test('an Anthropic key alone: a small and a big model of its book', async () => {
    const config = await load([], { ANTHROPIC_API_KEY: 'sk-ant-fake' })
    expect(config.routes['auto']).toMatchObject({ small: ['anthropic-small'], big: ['anthropic-big'] })
    expect(config.upstreams[0]).toMatchObject({ kind: 'anthropic', replicas: ['https://api.anthropic.com/v1'] })
    for (const name of ['anthropic-small', 'anthropic-big']) {
      expect(config.targets.get(name)).toMatchObject({ tier: 'frontier' })
      expect(config.targets.get(name)?.price?.source).toContain('genai-prices')
    }
    expect(JSON.stringify(config)).not.toContain('sk-ant-fake')
  })

  test('an Anthropic key beside an OpenAI key: both are on both sides', async () => {
    const config = await load([], { ANTHROPIC_API_KEY: 'sk-ant-fake', OPENAI_API_KEY: 'sk-test' })
    expect(config.routes['auto']).toMatchObject({
      small: ['openai-small', 'anthropic-small'],
      big: ['openai-big', 'anthropic-big'],
    })
  })

  test('an Anthropic key for another place is not used', async () => {
    const env = { ANTHROPIC_API_KEY: 'sk-ant-fake', ANTHROPIC_BASE_URL: 'http://127.0.0.1:4000' }
    const config = await load([], env)
    expect(kinds(config)).toEqual(['simulated'])
    expect(config.remarks.join()).toContain('ANTHROPIC_BASE_URL is not https://api.anthropic.com')
  })

  test('TGI and a key of Google: TGI is the small side, Google the big one', async () => {
    const config = await load([await serve(TGI)], { GEMINI_API_KEY: 'sk-test' })
    expect(config.routes['auto']).toMatchObject({ small: ['local-tgi'], big: ['google-big'] })
    expect(config.targets.get('local-tgi')).toMatchObject({ kind: 'tgi', model: 'tgi-model', contextTokens: 4096 })
  })

  test('TGI beside vLLM: both are used', async () => {
    expect(kinds(await load([await serve(TGI), await serve(VLLM)])).toSorted()).toEqual(['tgi', 'vllm'])
  })
})

test.each([
  'http://127.0.0.1:4000/v1',
  'http://localhost:4000/v1',
  'https://proxy.example.com/v1',
  'https://api.openai.com.example.com/v1',
  'https://eu.api.openai.com/v1',
  'no address',
])('with OPENAI_BASE_URL=%s the key is not used anywhere', async (url) => {
  const config = await load([], { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: url })
  expect(kinds(config)).toEqual(['simulated'])
  expect(config.remarks.join()).toContain('neither is used')
})

test('with OPENAI_BASE_URL at OpenAI the key is used there', async () => {
  const config = await load([], { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: 'https://api.openai.com/v1' })
  expect(config.upstreams[0]?.replicas).toEqual(['https://api.openai.com/v1'])
})

test.each<[string, ConfigFlags, Record<string, string>]>([
  ['--no-detect', { noDetect: true }, {}],
  ['SWITCHYARD_DETECT=off', {}, { SWITCHYARD_DETECT: 'off' }],
  ['--simulate', { simulate: true }, {}],
])('with %s no port is touched', async (_name, flags, env) => {
  const seen: string[] = []
  const config = await load([await serve(VLLM, seen)], env, flags)
  expect(seen).toEqual([])
  expect(kinds(config)).toEqual(['simulated'])
})
