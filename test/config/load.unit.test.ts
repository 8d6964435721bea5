import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { loadConfig, type ConfigFlags } from '../../src/config/load.ts'

const GOOD = `server: { port: 4100 }
upstreams:
  gpu: { kind: vllm, replicas: ["http://127.0.0.1:8000"] }
models:
  small: { upstream: gpu, model: m, tier: local }
routes:
  auto: { small: [small], big: [small] }
`

function load(text: string | undefined, flags: ConfigFlags = {}, env: Record<string, string> = {}): Promise<Config> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-config-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  if (text !== undefined) writeFileSync(join(cwd, 'switchyard.yaml'), text)
  return loadConfig(flags, { env, cwd, enginePorts: [] })
}

/** The sentences of a refused configuration, without the file's folder. */
async function refusal(text: string, flags: ConfigFlags = {}, env: Record<string, string> = {}): Promise<string> {
  const error: unknown = await load(text, flags, env).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error, 'the configuration was accepted').toBeInstanceOf(Error)
  return (error as Error).message.replaceAll(/^.*switchyard\.yaml/gm, 'switchyard.yaml')
}

describe('a wrong configuration is refused with setting, line and fix', () => {
  test.each([
    [
      'an unknown setting',
      GOOD.replace('port: 4100', 'prot: 4100'),
      'switchyard.yaml:1: server.prot: there is no such setting. Did you mean "port"?',
    ],
    [
      'an unknown section',
      `${GOOD}upstream: {}\n`,
      'switchyard.yaml:8: upstream: there is no such setting. Did you mean "upstreams"?',
    ],
    [
      'a wrong type',
      GOOD.replace('4100', '"many"'),
      'switchyard.yaml:1: server.port: it must be a number, not a string.',
    ],
    [
      'a port out of range',
      GOOD.replace('4100', '70000'),
      'switchyard.yaml:1: server.port: it is too large; the most is 65535.',
    ],
    [
      'a misspelt kind',
      GOOD.replace('vllm', 'vlm'),
      'switchyard.yaml:3: upstreams.gpu.kind: it must be one of vllm, tgi, openai, anthropic, google, simulated, embedded. Did you mean "vllm"?',
    ],
    [
      'a kind without an adapter',
      GOOD.replace('kind: vllm', 'kind: embedded'),
      'switchyard.yaml:3: upstreams.gpu.kind: kind embedded is not supported yet.',
    ],
    [
      'a model of no upstream',
      GOOD.replace('upstream: gpu', 'upstream: gpuu'),
      'switchyard.yaml:5: models.small.upstream: there is no upstream "gpuu". Did you mean "gpu"?',
    ],
    [
      'a route to no model',
      GOOD.replace('big: [small]', 'big: [smal]'),
      'routes.auto.big.0: there is no model "smal". Did you mean "small"?',
    ],
    [
      'an alias to nothing',
      `${GOOD}aliases: { gpt: atuo }\n`,
      'switchyard.yaml:8: aliases.gpt: it points to "atuo", which is neither a route nor a model. Did you mean "auto"?',
    ],
    [
      'a replica with /v1',
      GOOD.replace(':8000"', ':8000/v1"'),
      "the address of kind vllm is the server's root. Write http://127.0.0.1:8000.",
    ],
    [
      'an unset variable',
      GOOD.replace('kind: vllm,', 'kind: vllm, apiKey: env:NOT_SET,'),
      'upstreams.gpu.apiKey: the environment variable NOT_SET is not set.',
    ],
    [
      'a secret in clear text',
      GOOD.replace('kind: vllm,', 'kind: vllm, apiKey: sk-test,'),
      'write it as env:NAME or file:PATH',
    ],
    [
      'an open address without keys',
      GOOD.replace('port: 4100', 'host: 0.0.0.0'),
      'switchyard.yaml:1: server.host: without "keys" only a loopback address is allowed, and 0.0.0.0 is none.',
    ],
    [
      'a hosted model without a price',
      GOOD.replace('kind: vllm, replicas: ["http://127.0.0.1:8000"]', 'kind: openai').replace(
        'model: m, tier: local',
        'model: no-such-model',
      ),
      'the price book does not know no-such-model. Add price:',
    ],
    [
      'two keys that are the same',
      `${GOOD}keys: [{ name: a, key: sk-test }, { name: b, key: sk-test }]\n`,
      'keys.1.name: the key or its name is the same as of "a".',
    ],
    [
      'an unsafe limit',
      `${GOOD}keys: [{ name: a, key: sk-test, requestsPerMinute: 99999999999999999999 }]\n`,
      'keys.0.requestsPerMinute',
    ],
    ['redis without its address', `${GOOD}store: { kind: redis }\n`, 'store.kind: redis needs its address.'],
    [
      'an address in the file',
      `${GOOD}store: { kind: redis, url: "redis://:pw@h" }\n`,
      'write it as env:NAME or file:PATH',
    ],
    ['an address of nothing', `${GOOD}store: { url: env:REDIS_URL }\n`, 'store.url: only kind redis has an address.'],
    [
      'an address that is none',
      `${GOOD}store: { kind: redis, url: env:REDIS_URL }\n`,
      'store.url: what it points to is no address of a Redis.',
    ],
    ['a name twice', `${GOOD}server: {}\n`, 'switchyard.yaml:8: this name stands twice in the same place.'],
    ['broken YAML', 'server: { port: 4100\n', 'this is not valid YAML'],
    ['no settings at all', '- 1\n', 'the file must hold settings'],
  ])('%s', async (_what, text, sentence) => {
    expect(await refusal(text, {}, { REDIS_URL: 'not an address' })).toContain(sentence)
  })

  test('all problems are told at once', async () => {
    const text = await refusal(GOOD.replace('port: 4100', 'prot: 1, hots: x').replace('kind: vllm', 'kind: vlm'))
    expect(text.split('\n')).toHaveLength(3)
  })
})

describe('precedence', () => {
  test('flag, then environment, then file, then default', async () => {
    expect((await load(GOOD, { port: '4300' }, { SWITCHYARD_PORT: '4200' })).server.port).toBe(4300)
    expect((await load(GOOD, {}, { SWITCHYARD_PORT: '4200' })).server.port).toBe(4200)
    expect((await load(GOOD)).server.port).toBe(4100)
    expect((await load(GOOD.replace('server: { port: 4100 }', ''))).server.port).toBe(4000)
  })

  test('a wrong flag is named like the setting that it sets', async () => {
    expect(await refusal(GOOD, { port: 'many' })).toContain('server.port: it must be a number')
  })
})

test('secrets show themselves nowhere', async () => {
  const config = await load(
    GOOD.replace('kind: vllm,', 'kind: vllm, apiKey: env:A_KEY,') + 'keys: [{ name: a, key: env:B_KEY }]\n',
    {},
    { A_KEY: 'sk-fake-upstream', B_KEY: 'sk-fake-caller' },
  )
  const shown = JSON.stringify(config) + (await import('node:util')).inspect(config, { depth: 10 })
  expect(shown).not.toContain('sk-fake')
  expect(config.upstreams[0]?.apiKey?.reveal()).toBe('sk-fake-upstream')
})

test('a JSON file is read as well', async () => {
  const json = JSON.stringify({
    upstreams: { gpu: { kind: 'vllm', replicas: ['http://127.0.0.1:1'] } },
    models: { small: { upstream: 'gpu', model: 'm' } },
  })
  expect([...(await load(json)).targets.keys()]).toEqual(['small'])
})

describe('zero configuration', () => {
  const engine = (port: number, answers: Record<string, unknown>) => (url: string) =>
    Promise.resolve(url.startsWith(`http://127.0.0.1:${port}/`) ? answers[new URL(url).pathname] : undefined)
  const find = (answers: Record<string, unknown>, env: Record<string, string> = {}): Promise<Config> => {
    const cwd = mkdtempSync(join(tmpdir(), 'switchyard-config-'))
    onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
    return loadConfig({}, { env, cwd, enginePorts: [8000], fetcher: engine(8000, answers) })
  }
  const VLLM = { '/v1/models': { data: [{ id: 'qwen', owned_by: 'vllm', max_model_len: 4096 }] } }
  const LLAMA = { '/v1/models': { data: [{ id: 'smollm2', owned_by: 'llamacpp', meta: { n_ctx: 2048 } }] } }

  test('nothing real: the simulator, and it says so', async () => {
    const config = await find({})
    expect([...config.targets.values()].map((target) => target.kind)).toEqual(['simulated', 'simulated'])
    expect(config.origins.join()).toContain('SIMULATED')
  })

  test.each([
    ['vLLM', VLLM, { kind: 'vllm', model: 'qwen', contextTokens: 4096 }],
    ['llama.cpp', LLAMA, { kind: 'openai', model: 'smollm2', contextTokens: 2048 }],
  ])('%s on loopback is used and nothing is simulated', async (_name, answers, expected) => {
    const config = await find(answers)
    const targets = [...config.targets.values()]
    expect(targets[0]).toMatchObject({ ...expected, tier: 'local' })
    expect(targets.some((target) => target.kind === 'simulated')).toBe(false)
  })

  test('an open port that does not say what it is is not an engine', async () => {
    const config = await find({ '/v1/models': { data: [{ id: 'who-knows', owned_by: 'somebody' }] } })
    expect([...config.targets.values()].every((target) => target.kind === 'simulated')).toBe(true)
  })

  test('an OpenAI key alone gives a small and a big model of its book', async () => {
    const config = await find({}, { OPENAI_API_KEY: 'sk-fake-openai' })
    expect(config.routes['auto']).toMatchObject({ small: ['openai-small'], big: ['openai-big'] })
    expect([...config.targets.values()].every((target) => target.price !== undefined)).toBe(true)
  })

  test('a Gemini key alone gives a small and a big model of the price book, and beside OpenAI both are tried', async () => {
    const config = await find({}, { GEMINI_API_KEY: 'fake' })
    expect(config.routes['auto']).toMatchObject({ small: ['google-small'], big: ['google-big'] })
    expect(config.upstreams).toMatchObject([
      { kind: 'google', replicas: ['https://generativelanguage.googleapis.com/v1beta'] },
    ])
    expect([...config.targets.values()].every((target) => target.price !== undefined)).toBe(true)
    const both = await find({}, { GEMINI_API_KEY: 'fake', OPENAI_API_KEY: 'sk-fake-openai' })
    expect(both.routes['auto']).toMatchObject({ big: ['openai-big', 'google-big'] })
  })

  test('an engine and a key: small is the engine, big is hosted', async () => {
    const config = await find(VLLM, { OPENAI_API_KEY: 'sk-fake-openai' })
    expect(config.routes['auto']).toMatchObject({ small: ['local-vllm'], big: ['openai-big'] })
  })

  test('--simulate wins over what is real', async () => {
    const config = await load(GOOD, { simulate: true })
    expect([...config.targets.keys()]).toEqual(['sim-small', 'sim-big'])
  })
})
