/** What a checked configuration becomes: where each setting comes from, what is hidden, what is left to defaults. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { loadConfig, type ConfigFlags } from '../../src/config/load.ts'

const FILE = `server:
  port: 4100
upstreams:
  gpu: { kind: vllm, replicas: ["http://127.0.0.1:8000"], headers: { x-team: env:TEAM, x-plain: sk-fake-plain } }
models:
  small: { upstream: gpu, model: m }
keys:
  - { name: literal, key: sk-fake-literal }
`
const ENV = { TEAM: 'sk-fake-team' }

function load(text: string, flags: ConfigFlags = {}, env: Record<string, string> = ENV): Promise<Config> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-resolved-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'switchyard.yaml'), text)
  return loadConfig(flags, { env, cwd, enginePorts: [] })
}

function fromOf(config: Config, setting: string): string | undefined {
  return config.provenance.find((each) => each.setting === setting)?.from
}

describe('each setting says where it comes from', () => {
  test.each<[string, ConfigFlags, Record<string, string>, string, string]>([
    ['a flag', { port: '0' }, { SWITCHYARD_PORT: '9' }, 'server.port', '--port'],
    ['a variable', {}, { SWITCHYARD_PORT: '9' }, 'server.port', 'SWITCHYARD_PORT'],
    ['an empty variable', {}, { SWITCHYARD_PORT: '' }, 'server.port', 'line 2'],
    ['the file', {}, {}, 'server.port', 'line 2'],
    ['a place inside one line', {}, {}, 'upstreams.gpu.kind', 'line 4'],
    ['an entry of a list', {}, {}, 'keys.0.name', 'line 8'],
    ['a default', {}, {}, 'server.drainSeconds', 'default'],
    ['a variable over nothing', {}, { SWITCHYARD_DATA_DIR: '/tmp/x' }, 'dataDir', 'SWITCHYARD_DATA_DIR'],
    ['a log flag', { log: 'off' }, {}, 'telemetry.log', '--log'],
    ['the admin key', {}, { SWITCHYARD_ADMIN_KEY: 'sk-fake-admin' }, 'server.adminKey', 'SWITCHYARD_ADMIN_KEY'],
  ])('%s', async (_what, flags, env, setting, from) => {
    expect(fromOf(await load(FILE, flags, { ...ENV, ...env }), setting)).toBe(from)
  })

  test('what was found on this machine', async () => {
    const config = await load('server: { port: 4100 }\n', {}, {})
    expect(fromOf(config, 'upstreams.simulator.kind')).toBe('found')
    expect(fromOf(config, 'server.port')).toBe('line 1')
  })
})

test('a variable wins over the file, for the admin key as for everything', async () => {
  const file = FILE.replace('server:', 'server:\n  adminKey: env:OTHER')
  const config = await load(file, {}, { ...ENV, OTHER: 'sk-fake-other', SWITCHYARD_ADMIN_KEY: 'sk-fake-admin' })
  expect(config.server.adminKey?.reveal()).toBe('sk-fake-admin')
})

test('no secret is printed, serialised or listed, and each is still sent', async () => {
  const config = await load(FILE)
  const shown = [JSON.stringify(config), inspect(config, { depth: 20, showHidden: false }), String(config)].join('\n')
  expect(shown).not.toContain('sk-fake')
  expect({ ...config.upstreams[0]?.headers }).toEqual({ 'x-team': 'sk-fake-team', 'x-plain': 'sk-fake-plain' })
})

test('a header whose secret has changed can be told from the old one', async () => {
  const seen = async (team: string): Promise<string> =>
    JSON.stringify((await load(FILE, {}, { TEAM: team })).upstreams[0]?.headers)
  expect(await seen('a')).not.toBe(await seen('b'))
  expect(await seen('a')).toBe(await seen('a'))
})

test('a configuration cannot be changed afterwards', async () => {
  const config = await load(FILE)
  expect(() => Object.assign(config.server, { port: 1 })).toThrow(TypeError)
  expect(() => (config.upstreams[0]!.replicas as string[]).push('x')).toThrow(TypeError)
})

test.each<[string, string, string, string]>([
  ['one model is both sides', '', 'small', 'small'],
  ['local models are small, hosted ones big', '  big: { upstream: hosted, model: gpt-5.1 }\n', 'small', 'big'],
])('without routes %s', async (_what, more, small, big) => {
  const text = FILE.replace('models:', 'models:\n' + more.trimEnd()).replace(
    'upstreams:',
    'upstreams:\n  hosted: { kind: openai, apiKey: env:TEAM }',
  )
  expect((await load(text)).routes['auto']).toMatchObject({ small: [small], big: [big] })
})

test('--simulate starts with any file: its names stay usable and mean auto, nothing of it is contacted', async () => {
  const config = await load(`${FILE}aliases: { "gpt-*": small, cheap: "auto:cheap" }\n`, { simulate: true }, {})
  expect(config.upstreams.map(({ kind }) => kind)).toEqual(['simulated'])
  expect(config.aliases).toEqual({ small: 'auto', 'gpt-*': 'auto', cheap: 'auto:cheap' })
  expect(config.keys.map(({ name }) => name)).toEqual(['literal'])
})

test('a misspelt variable is remarked on, another program’s is not', async () => {
  const config = await load(FILE, {}, { ...ENV, SWITCHYARD_PROT: '1', SWITCHYARD_BILLING_KEY: 'x', PORT: '1' })
  const remarks = config.remarks.filter((remark) => remark.includes('variable'))
  expect(remarks).toEqual(['the variable SWITCHYARD_PROT means nothing here; is it SWITCHYARD_PORT?'])
})

test.each([
  ['a hosted server without a key', 'kind: openai', true],
  ['one with a key', 'kind: openai, apiKey: env:TEAM', false],
  ['one with its own header', 'kind: openai, headers: { Authorization: env:TEAM }', false],
  ['an engine of our own', 'kind: openai, baseUrl: "http://127.0.0.1:8080/v1"', false],
])('%s: whether there is a remark', async (_what, upstream, isRemarked) => {
  const config = await load(`upstreams: { u: { ${upstream} } }\nmodels: { m: { upstream: u, model: gpt-5.1 } }\n`)
  expect(config.remarks.some((remark) => remark.startsWith('upstreams.u has no apiKey'))).toBe(isRemarked)
})

test('anchors and merge keys work', async () => {
  const text = `upstreams: { gpu: { kind: vllm, replicas: ["http://127.0.0.1:8000"] } }
models:
  a: &base { upstream: gpu, model: a, contextTokens: 1000 }
  b: { <<: *base, model: b }
`
  const config = await load(text)
  expect(config.targets.get('b')).toMatchObject({ model: 'b', contextTokens: 1000 })
})

test('settings that do nothing yet are named with their lines, where somebody wrote them', async () => {
  const text = `${FILE}telemetry:\n  log: stdout\n  capturePrompts: true\n`
  const line = text.split('\n').findIndex((each) => each.startsWith('telemetry:')) + 1
  expect((await load(text)).remarks).toContain(
    `checked, but without effect in this version: telemetry.capturePrompts (line ${line + 2})`,
  )
  expect((await load(`${FILE}cache: { mode: semantic }\n`)).remarks).toContain(
    'cache.mode: semantic does what "exact" does in this version',
  )
  expect((await load(FILE)).remarks.some((remark) => remark.includes('without effect'))).toBe(false)
})

describe('keys and tenants', () => {
  const now = (): number => Date.parse('2026-11-25T12:00:00Z')
  const resolved = async (text: string): Promise<Config> => {
    const cwd = mkdtempSync(join(tmpdir(), 'switchyard-resolved-'))
    onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
    writeFileSync(join(cwd, 'switchyard.yaml'), FILE.replace(/keys:[^]*$/, '') + text)
    return loadConfig({}, { env: ENV, cwd, now })
  }

  test('limits become nano-dollars and counts, days the moment at which they begin in UTC', async () => {
    const { keys, tenants } = await resolved(`keys:
  - { name: all, key: sk-fake-1, maxUsdPerDay: 20, maxUsdPerMonth: 0.1, requestsPerMinute: 1, tokensPerMinute: 2, concurrency: 3, expiresAt: 2027-01-31, canTopUp: true }
  - { name: zone, key: sk-fake-2, expiresAt: "2027-01-31T12:00:00+02:00" }
  - { name: none, key: sk-fake-3 }
tenants: { default: { maxUsdPerDay: 0.000000001 } }
`)
    expect(keys[0]).toMatchObject({
      limits: {
        maxUsdPerDay: 20_000_000_000,
        maxUsdPerMonth: 100_000_000,
        requestsPerMinute: 1,
        tokensPerMinute: 2,
        concurrency: 3,
      },
      expiresAtMs: Date.parse('2027-01-31T00:00:00Z'),
      canTopUp: true,
    })
    expect(keys[1]?.expiresAtMs).toBe(Date.parse('2027-01-31T10:00:00Z'))
    expect(new Set(Object.values(keys[2]?.limits ?? { missing: true }))).toEqual(new Set([undefined]))
    expect(keys[2]).toMatchObject({ expiresAtMs: undefined, canTopUp: false })
    expect(tenants).toEqual({ default: { maxUsdPerDay: 1 } })
  })

  test('what is no mistake but may be one is remarked: an end that has passed, a tenant that no key has', async () => {
    const { remarks } = await resolved(`keys: [{ name: old, key: sk-fake-1, tenant: acme, expiresAt: 2026-11-25 }]
tenants: { acne: { maxUsdPerDay: 1 }, default: {}, acme: {} }
`)
    expect(remarks).toContain('keys.0.expiresAt has passed (2026-11-25): the key "old" is refused')
    expect(remarks.filter((each) => each.startsWith('tenants.') && !each.includes('enforced'))).toEqual([
      'tenants.acne: no key of this file is of this tenant (is "acme" meant?); it counts for made keys',
    ])
  })

  test('a caller that has the admin key is remarked, without the key', async () => {
    const text = FILE.replace('sk-fake-literal', 'env:ADMIN').replace('server:', 'server:\n  adminKey: env:ADMIN')
    const { remarks } = await load(text, {}, { ...ENV, ADMIN: 'sk-fake-admin' })
    expect(remarks).toContain('keys.0.key is the admin key too: whoever calls with it can also make and revoke keys')
    expect(remarks.join()).not.toContain('sk-fake')
  })

  test('an address beyond loopback needs a key of the file or a made one', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'switchyard-resolved-'))
    onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
    writeFileSync(join(cwd, 'switchyard.yaml'), FILE.replace(/keys:[^]*$/, ''))
    const asked: string[] = []
    const load = (has: boolean): Promise<Config> =>
      loadConfig({ host: '0.0.0.0' }, { env: ENV, cwd, hasMadeKeys: (dir) => asked.push(dir) > 0 && has })
    await expect(load(false)).rejects.toThrow('make one with "switchyard keys create"')
    expect((await load(true)).server.host).toBe('0.0.0.0')
    expect(asked).toEqual([join(cwd, 'data'), join(cwd, 'data')])
  })
})

test("models that chat completions do not serve are asked through the Responses API at OpenAI's own address", async () => {
  const { targets } = await load(`upstreams:
  open: { kind: openai, apiKey: env:TEAM }
  azure: { kind: openai, apiKey: env:TEAM, baseUrl: "https://example.openai.azure.com/openai/v1" }
models:
  codex: { upstream: open, model: gpt-5-codex, price: { inputPerM: 1, outputPerM: 1 } }
  forced: { upstream: open, model: gpt-5-codex, api: chat, price: { inputPerM: 1, outputPerM: 1 } }
  plain: { upstream: open, model: gpt-4o, price: { inputPerM: 1, outputPerM: 1 } }
  chosen: { upstream: open, model: gpt-4o, api: responses, price: { inputPerM: 1, outputPerM: 1 } }
  elsewhere: { upstream: azure, model: gpt-5-codex, price: { inputPerM: 1, outputPerM: 1 } }
keys:
  - { name: literal, key: sk-fake-literal }
`)
  const apis = Object.fromEntries([...targets].map(([name, { api }]) => [name, api]))
  expect(apis).toEqual({
    codex: 'responses',
    forced: undefined,
    plain: undefined,
    chosen: 'responses',
    elsewhere: undefined,
  })
  expect(targets.get('codex')?.capabilities.has('audio')).toBe(false)
})
