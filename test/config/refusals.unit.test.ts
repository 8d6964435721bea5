/** Configurations that parse but cannot work: each is refused before the start, in sentences. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { loadConfig, type ConfigFlags } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'

const GOOD = `server: { port: 4100 }
upstreams:
  gpu: { kind: vllm, replicas: ["http://127.0.0.1:8000"] }
models:
  small: { upstream: gpu, model: m, tier: local }
routes:
  auto: { small: [small], big: [small] }
`

function folder(): string {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-refusal-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  return cwd
}

function load(text: string, flags: ConfigFlags = {}, env: Record<string, string> = {}): Promise<Config> {
  const cwd = folder()
  writeFileSync(join(cwd, 'switchyard.yaml'), text)
  return loadConfig(flags, { env, cwd, enginePorts: [] })
}

async function refusal(text: string, flags: ConfigFlags = {}, env: Record<string, string> = {}): Promise<string> {
  const thrown: unknown = await load(text, flags, env).then(
    () => 'accepted',
    (error: unknown) => error,
  )
  // Anything else would end the process with a stack trace and exit code 1.
  expect(thrown).toBeInstanceOf(ConfigError)
  return (thrown as ConfigError).message.replaceAll(/^.*switchyard\.yaml/gm, 'FILE')
}

const gpu = (more: string): string => GOOD.replace('kind: vllm,', `kind: vllm, ${more},`)
const model = (more: string): string => GOOD.replace('model: m,', `model: m, ${more},`)

const served = (upstream: string, more: string): string =>
  GOOD.replace(/gpu: \{.*\}/, `gpu: { ${upstream} }`).replace(
    'model: m,',
    `model: m, price: { inputPerM: 1, outputPerM: 1 }, ${more},`,
  )
const TGI = 'kind: tgi, replicas: ["http://127.0.0.1:8000"]'
const CLAUDE = 'kind: anthropic, apiKey: env:KEY'
const HAS = 'it has tools, json_schema, logprobs'

test.each<[string, string, string]>([
  [
    'raw prompts of a provider that takes messages alone',
    served(CLAUDE, 'capabilities: [tools, completions]'),
    'FILE:5: models.small.capabilities.1: models of kind anthropic cannot be asked for completions. Remove it; it has tools, images, json_schema.',
  ],
  [
    'raw prompts over TGI’s chat route',
    served(TGI, 'capabilities: [completions]'),
    `models.small.capabilities.0: models of kind tgi cannot be asked for completions. Remove it, or add api: generate; ${HAS}, images.`,
  ],
  [
    'tools over TGI’s native route',
    served(TGI, 'api: generate, capabilities: [tools]'),
    'models of kind tgi with api: generate cannot be asked for tools. Remove it; it has json_schema, logprobs, completions.',
  ],
  [
    'embeddings over the Responses API',
    served('kind: openai, apiKey: env:KEY', 'api: responses, capabilities: [embeddings]'),
    'models of kind openai with api: responses cannot be asked for embeddings. Remove it; it has tools,',
  ],
  [
    'an embedder of Google by its name',
    served('kind: google, apiKey: env:KEY', 'extraBody: {}').replace('model: m,', 'model: gemini-embedding-001,'),
    'FILE:5: models.small.model: by its name gemini-embedding-001 makes embeddings, which kind google has none of here. Use an upstream of kind openai for it;',
  ],
])('capabilities that a wire has no words for: %s', async (_, text, sentence) => {
  expect(await refusal(text, {}, { KEY: 'sk-test' })).toContain(sentence)
})

test('a wire’s own capabilities are taken for granted, and raw prompts go to TGI’s native route', async () => {
  const { targets } = await load(served(TGI, 'api: generate'))
  expect([...(targets.get('small')?.capabilities ?? [])]).toEqual(['json_schema', 'logprobs', 'completions'])
  const named = await load(served(TGI, 'extraBody: {}').replace('model: m,', 'model: intfloat/e5-mistral-7b-chat,'))
  expect(named.targets.get('small')?.capabilities.has('tools')).toBe(true)
})

test.each<[string, string, string]>([
  [
    'an address that is none',
    GOOD.replace('http://127.0.0.1:8000', 'http://:::'),
    'FILE:3: upstreams.gpu.replicas.0: write an http:// or https:// address',
  ],
  [
    'a password in an address',
    GOOD.replace('//127', '//me:sk-test@127'),
    'FILE:3: upstreams.gpu.replicas.0: a name or password does not belong into an address; write apiKey: env:NAME.',
  ],
  [
    'a query in an address',
    GOOD.replace(':8000', ':8000/?key=1'),
    'FILE:3: upstreams.gpu.replicas.0: an address here has neither "?" nor "#"',
  ],
  [
    'a time that no timer holds',
    gpu('timeouts: { totalMs: 99999999999 }'),
    'FILE:3: upstreams.gpu.timeouts.totalMs: it is too large; the most is 2147483647.',
  ],
  [
    'a header name that is none',
    gpu('headers: { "a b": x }'),
    'FILE:3: upstreams.gpu.headers.a b: this is no name of an HTTP header.',
  ],
  [
    'a header of ours',
    gpu('headers: { Host: x }'),
    'FILE:3: upstreams.gpu.headers.Host: this header is set by the service itself. Remove it.',
  ],
  [
    'a header twice',
    gpu('headers: { X-A: x, x-a: y }'),
    'FILE:3: upstreams.gpu.headers.x-a: this header stands twice. Remove one.',
  ],
  [
    'a header with a line break',
    gpu('headers: { x-a: "1\\r\\nx-b: 2" }'),
    'FILE:3: upstreams.gpu.headers.x-a: its value holds characters that no HTTP header may carry.',
  ],
  [
    'any page as origin',
    GOOD.replace('port: 4100', 'allowedOrigins: ["*"]'),
    'FILE:1: server.allowedOrigins.0: write the origin of a page as browsers send it',
  ],
  [
    'an origin with a path',
    GOOD.replace('port: 4100', 'allowedOrigins: ["https://a.example/"]'),
    'FILE:1: server.allowedOrigins.0: write the origin of a page as browsers send it',
  ],
  [
    'a fixed field that multiplies the price',
    model('extraBody: { best_of: 4 }'),
    'FILE:5: models.small.extraBody.best_of: this field belongs to the request itself. Remove it.',
  ],
  [
    'a passed field that is a second cap on the output',
    gpu('passFields: [top_a, n_predict]'),
    'FILE:3: upstreams.gpu.passFields.1: n_predict decides what a request costs',
  ],
  [
    'an address for what runs in this process',
    GOOD.replace(
      'kind: vllm, replicas: ["http://127.0.0.1:8000"]',
      'kind: simulated, baseUrl: "http://127.0.0.1:1/v1"',
    ),
    'FILE:3: upstreams.gpu.baseUrl: kind simulated runs in this process and has no address.',
  ],
  [
    'a limit of write calls that nothing counts',
    `${GOOD}taskTypes: { shop: { maxWriteCalls: 1 } }\n`,
    'taskTypes.shop.maxWriteCalls: nobody has said which tools write. Name them in writeTools, as in ["refund*"].',
  ],
  [
    'servers and no model',
    'upstreams: { gpu: { kind: vllm, replicas: ["http://127.0.0.1:8000"] } }\n',
    'FILE: models: there is none, so that no request could be answered.',
  ],
  [
    'a fixed field that is priced',
    model('extraBody: { max_tokens: 1 }'),
    'FILE:5: models.small.extraBody.max_tokens: this field belongs to the request itself. Remove it.',
  ],
  [
    'a model as its own fallback',
    model('fallbacks: [small]'),
    'FILE:5: models.small.fallbacks: a model cannot stand in for itself.',
  ],
  [
    'a fallback to nothing',
    model('fallbacks: [smal]'),
    'FILE:5: models.small.fallbacks.0: there is no model "smal". Did you mean "small"?',
  ],
  [
    'a route named like a model',
    GOOD.replace('  auto:', '  small: { small: [small] }\n  auto:'),
    'FILE:7: routes.small: a model has this name already. Rename one of them.',
  ],
  [
    'a model named like a route',
    GOOD.replace('  small:', '  auto:').replaceAll('[small]', '[auto]'),
    'FILE:5: models.auto: a model may not be called auto',
  ],
  [
    'an alias that is never used',
    `${GOOD}aliases: { small: auto }\n`,
    'FILE:8: aliases.small: a model or route has this name already, so the alias would never be used. Remove it.',
  ],
  [
    'two aims of one route',
    GOOD.replace('big: [small]', 'big: [small], targetBigShare: 0.3, costQuality: 0.5'),
    'FILE:7: routes.auto.costQuality: targetBigShare and costQuality exclude each other. Keep one.',
  ],
  [
    'a route to nowhere',
    GOOD.replace('small: [small], big: [small]', 'fallback: tier'),
    'FILE:7: routes.auto: it names no model. List some under small and big.',
  ],
  [
    'a key for no model',
    `${GOOD}keys: [{ name: a, key: sk-test, models: [auto:cheep] }]\n`,
    'FILE:8: keys.0.models.0: there is no model "auto:cheep". Did you mean "auto:cheap"?',
  ],
  [
    'an end that is no date',
    `${GOOD}keys: [{ name: a, key: sk-test, expiresAt: tomorrow }]\n`,
    'FILE:8: keys.0.expiresAt: write a day or a time with its zone, as in "2027-01-31" or "2027-01-31T12:00:00Z".',
  ],
  [
    'an end on a day that there is not',
    `${GOOD}keys:\n  - name: a\n    key: sk-test\n    expiresAt: 2027-02-30\n`,
    'FILE:11: keys.0.expiresAt: write a day or a time',
  ],
  [
    'an end without a zone',
    `${GOOD}keys: [{ name: a, key: sk-test, expiresAt: "2027-01-31T12:00:00" }]\n`,
    'FILE:8: keys.0.expiresAt: write a day or a time with its zone',
  ],
  [
    'a key for no call at all',
    `${GOOD}keys: [{ name: a, key: sk-test, concurrency: 0 }]\n`,
    'FILE:8: keys.0.concurrency: it is too small; the least is 1.',
  ],
  [
    'a misspelt limit of a key',
    `${GOOD}keys: [{ name: a, key: sk-test, maxUsdPerMoth: 1 }]\n`,
    'FILE:8: keys.0.maxUsdPerMoth: there is no such setting. Did you mean "maxUsdPerMonth"?',
  ],
  [
    'a misspelt limit of a tenant',
    `${GOOD}tenants:\n  acme: { maxUsdPerday: 1 }\n`,
    'FILE:9: tenants.acme.maxUsdPerday: there is no such setting. Did you mean "maxUsdPerDay"?',
  ],
  [
    'less than nothing for a tenant',
    `${GOOD}tenants:\n  acme: { maxUsdPerDay: -1 }\n`,
    'FILE:9: tenants.acme.maxUsdPerDay: it is too small; the least is 0.',
  ],
  [
    'more for a tenant than integers hold',
    `${GOOD}tenants:\n  acme: { maxUsdPerDay: 1.0e+10 }\n`,
    'FILE:9: tenants.acme.maxUsdPerDay: it is too large; the most is 9000000.',
  ],
  [
    'a tenant that is a number',
    `${GOOD}tenants: { acme: 20 }\n`,
    'FILE:8: tenants.acme: it must be an object, not a number.',
  ],
  [
    'two places at once',
    gpu('baseUrl: "http://127.0.0.1:8000"'),
    'FILE:3: upstreams.gpu.replicas: baseUrl and replicas exclude each other. Keep one.',
  ],
  [
    'no place at all',
    GOOD.replace(', replicas: ["http://127.0.0.1:8000"]', ''),
    'FILE:3: upstreams.gpu.replicas: it is missing; list the servers',
  ],
  [
    'an OpenAI address without /v1',
    GOOD.replace(
      'kind: vllm, replicas: ["http://127.0.0.1:8000"]',
      'kind: openai, replicas: ["http://127.0.0.1:1/v1", "http://127.0.0.1:2"]',
    ),
    'FILE:3: upstreams.gpu.replicas.1: the address of kind openai ends in /v1. Write http://127.0.0.1:2/v1.',
  ],
  ['an unknown tag', GOOD.replace('4100', '!number 4100'), 'FILE:1: this is not valid YAML: Unresolved tag: !number.'],
  ['anchors in a circle', 'a: &a [ *a ]\n', 'FILE'],
  [
    'anchors that explode',
    [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdef'.split('').map((name, i) => `${name}: &${name} [${`*${'abcde'[i]},`.repeat(9)}]`),
    ].join('\n'),
    'FILE: its anchors make no sense: Excessive alias count',
  ],
  ['a name twice', `${GOOD}server: {}\n`, 'FILE:8: this name stands twice in the same place. Remove one "server".'],
  ['a prototype', '__proto__: { server: { port: 1 } }\n', 'FILE:1: __proto__: there is no such setting.'],
  ['nothing but a list under a section', 'server: []\n', 'FILE:1: server: it must be an object, not a list.'],
])('%s is refused', async (_what, text, sentence) => {
  expect(await refusal(text)).toContain(sentence)
})

test('kind anthropic refuses its own priced fields and an address with /v1', async () => {
  const text = `upstreams:
  claude: { kind: anthropic, baseUrl: "https://api.anthropic.com/v1", apiKey: env:K, passFields: [mcp_servers] }
models:
  big: { upstream: claude, model: claude-sonnet-5, extraBody: { cache_control: {} } }
`
  const problems = await refusal(text, {}, { K: 'sk-ant-fake' })
  expect(problems).toContain("the address of kind anthropic is the server's root. Write https://api.anthropic.com.")
  expect(problems).toContain('mcp_servers decides what a request costs')
  expect(problems).toContain('models.big.extraBody.cache_control: this field belongs to the request itself.')
})

describe.each(['embedded'])('kind %s', (kind) => {
  test('is known, and refused by name', async () => {
    const text = GOOD.replace('kind: vllm, replicas: ["http://127.0.0.1:8000"]', `kind: ${kind}`)
    expect(await refusal(text)).toContain(
      `FILE:3: upstreams.gpu.kind: kind ${kind} is not supported yet. Supported are openai, anthropic, google, vllm, tgi, simulated.`,
    )
  })
})

test.each<[string, string, string]>([
  [
    'an address of Google with a version',
    'kind: google, baseUrl: "https://g.example.com/v1beta"',
    "the address of kind google is the server's root. Write https://g.example.com.",
  ],
  ['TGI without servers', 'kind: tgi', 'upstreams.gpu.replicas: it is missing; list the servers'],
  [
    'TGI with a version',
    'kind: tgi, replicas: ["http://127.0.0.1:3000/v1"]',
    "the address of kind tgi is the server's root. Write http://127.0.0.1:3000.",
  ],
  [
    "Azure's deployments without a version",
    'kind: openai, baseUrl: "https://x.openai.azure.com/openai"',
    'the address of kind openai ends in /v1.',
  ],
  [
    'a version that is none',
    'kind: openai, baseUrl: "https://x.openai.azure.com/openai", apiVersion: new',
    'write a version of Azure, as in "2024-10-21" or "preview"',
  ],
  [
    'a version elsewhere',
    'kind: vllm, apiVersion: preview, replicas: ["http://127.0.0.1:8000"]',
    'upstreams.gpu.apiVersion: only kind openai has it (for Azure). Remove it.',
  ],
  [
    'pictures fetched for a kind that takes addresses',
    'kind: vllm, fetchImages: [pictures.example.com], replicas: ["http://127.0.0.1:8000"]',
    'upstreams.gpu.fetchImages: only kind google wants pictures as bytes',
  ],
  [
    'pictures from anywhere',
    'kind: google, fetchImages: ["*"]',
    'write a host, as in "pictures.example.com" or "*.example.com"',
  ],
])('%s is refused by name', async (_what, settings, sentence) => {
  expect(await refusal(GOOD.replace('kind: vllm, replicas: ["http://127.0.0.1:8000"]', settings))).toContain(sentence)
})

test('the native route is for TGI alone, and a Google model takes few fixed fields', async () => {
  expect(await refusal(model('api: generate'))).toContain(
    'models.small.api: only models of kind tgi have the native route',
  )
  const google = model('extraBody: { cachedContent: x }').replace(
    'kind: vllm, replicas: ["http://127.0.0.1:8000"]',
    'kind: google',
  )
  expect(await refusal(google)).toContain('models of kind google take safetySettings, labels, generationConfig here')
})

test('the Responses API is for OpenAI alone, and what costs there is no fixed field', async () => {
  expect(await refusal(model('api: responses'))).toContain(
    'models.small.api: only models of kind openai have the Responses API',
  )
  const openAi = (settings: string): string =>
    model(settings).replace(
      'kind: vllm, replicas: ["http://127.0.0.1:8000"]',
      'kind: openai, replicas: ["http://127.0.0.1:8000/v1"]',
    )
  const text = openAi('api: responses, extraBody: { background: true }')
  expect(await refusal(text)).toContain('models.small.extraBody.background: this field belongs to the request itself')
  await expect(load(openAi('extraBody: { background: true }'))).resolves.toBeDefined()
})

describe('a secret', () => {
  test.each<[string, Record<string, string>, string]>([
    ['env:NAME', {}, 'the environment variable NAME is not set. Set it, or remove this setting.'],
    ['env:NAME', { NAME: '  ' }, 'the environment variable NAME is not set.'],
    [
      'env:NAME',
      { NAME: 'sk-\ntest' },
      'the key holds characters that no HTTP header may carry, such as a line break.',
    ],
    ['env:NAME', { NAME: 'sk-tést' }, 'the key holds characters that no HTTP header may carry'],
    ['file:nowhere', {}, 'cannot be read (ENOENT). Check its path and rights.'],
    ['file:.', {}, 'cannot be read (EISDIR). Check its path and rights.'],
  ])('%s with %j is refused, and never printed', async (reference, env, sentence) => {
    const text = await refusal(gpu(`apiKey: "${reference}"`), {}, env)
    expect(text).toContain(`FILE:3: upstreams.gpu.apiKey: `)
    expect(text).toContain(sentence)
    expect(text).not.toContain('sk-')
  })

  test('is read from a file without its last line break', async () => {
    const cwd = folder()
    writeFileSync(join(cwd, 'key'), 'sk-test-file\n')
    writeFileSync(join(cwd, 'switchyard.yaml'), gpu('apiKey: "file:key"'))
    const config = await loadConfig({}, { env: {}, cwd })
    expect(config.upstreams[0]?.apiKey?.reveal()).toBe('sk-test-file')
  })
})

test('a folder in place of a file is refused', async () => {
  const cwd = folder()
  mkdirSync(join(cwd, 'switchyard.yaml'))
  await expect(loadConfig({}, { env: {}, cwd })).rejects.toThrow('the file cannot be read (EISDIR).')
})

test.each<[string, ConfigFlags, Record<string, string>, string]>([
  ['a flag', { port: 'many' }, { SWITCHYARD_PORT: '1' }, '--port: server.port: it must be a number, not a string.'],
  ['a variable', {}, { SWITCHYARD_PORT: '70000' }, 'SWITCHYARD_PORT: server.port: it is too large; the most is 65535.'],
  ['a host flag', { host: '0.0.0.0' }, {}, '--host: server.host: without "keys" only a loopback address is allowed'],
])('a problem of %s names that, not a line of the file', async (_what, flags, env, sentence) => {
  expect(await refusal(GOOD, flags, env)).toMatch(sentence)
})

describe('names that the router understands are accepted', () => {
  test.each(['auto', 'auto:cheap', 'auto:balanced', 'auto:best', 'small', 'gpu/m', 'm'])(
    'an alias to %s',
    async (name) => {
      expect((await load(`${GOOD}aliases: { "gpt-*": "${name}" }\n`)).aliases).toEqual({ 'gpt-*': name })
    },
  )
  test.each(['auto', 'auto:cheap', 'small', 'gpu/m', 'm', 'gpt-x'])('a key for %s', async (name) => {
    const text = `${GOOD}aliases: { gpt-x: auto }\nkeys: [{ name: a, key: sk-test, models: ["${name}"] }]\n`
    expect((await load(text)).keys[0]?.models).toEqual([name])
  })
})

describe('intents', () => {
  const ask = (intents: string): Promise<string> => refusal(`${GOOD}intents:\n${intents}`)

  test.each([
    ['  refunds: { route: big }', 'it has no examples and is not built in'],
    ['  maths: { examples: [two and two] }', 'this is a built-in intent, which has its own'],
    ['  refunds: { examples: [money back], route: huge }', 'write small, big or a model.'],
    [
      '  a: { examples: [money back] }\n  b: { examples: [" Money back"] }',
      'the same sentence is an example of "a" already',
    ],
    ['  Refunds!: { examples: [money back] }', 'Refunds!'],
    ['  refunds: { examples: [""] }', 'intents.refunds.examples'],
    [
      `  ${Array.from({ length: 201 }, (_, i) => `i${i}: { examples: [say ${i}] }`).join('\n  ')}`,
      'there are 201 of your own; 200 are possible',
    ],
  ])('%.60s', async (intents, sentence) => expect(await ask(intents)).toContain(sentence))

  test('of your own need the encoder, a rule for a built-in one does not', async () => {
    const without = `${GOOD}encoder: { enabled: off }\n`
    expect(await refusal(`${without}intents: { refunds: { examples: [money back] } }`)).toContain(
      'intents of your own need the encoder',
    )
    const { intents } = await load(`${without}intents: { maths: { route: big } }`)
    expect(intents).toEqual([{ name: 'maths', examples: [], route: 'big' }])
  })
})
