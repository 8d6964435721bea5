/** Commands in process: what they print, what they write, how they end. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { main } from '../../src/main.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly cwd: string
}

async function run(
  args: readonly string[],
  setup: { files?: Record<string, string>; env?: Record<string, string>; isTty?: boolean } = {},
): Promise<Ran> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-commands-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(setup.files ?? {})) writeFileSync(join(cwd, name), text)
  let out = ''
  let err = ''
  const isTty = setup.isTty ?? false
  const code = await main(args, {
    env: setup.env ?? {},
    cwd,
    stdout: { write: (text) => void (out += text), isTty },
    stderr: { write: (text) => void (err += text), isTty },
    onSignal: () => () => {},
  })
  return { code, out, err, cwd }
}

const FILE = `server: { port: 4100 }
upstreams:
  o: { kind: openai, apiKey: env:O_KEY, headers: { x-secret: sk-fake-header } }
models:
  big: { upstream: o, model: gpt-5.1 }
keys:
  - { name: ci, key: sk-fake-literal, requestsPerMinute: 60 }
`
const SECRETS = { O_KEY: 'sk-fake-upstream', SWITCHYARD_ADMIN_KEY: 'sk-fake-admin' }

describe('help', () => {
  test.each([
    [['--port', '0', '--help'], 'switchyard [command] [flags]'],
    [['serve', '--port', '0', '--help'], 'switchyard serve [flags]'],
    [['help', 'check'], 'switchyard check [flags]'],
  ])('%j explains and exits with 0, whatever stands before', async (args, text) => {
    const { code, out, err } = await run(args)
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(text)
  })

  test.each([
    [['--hlep'], 'There is no flag --hlep. Did you mean --help?'],
    [['help', 'chek'], 'There is no command "chek". Did you mean "check"?'],
    [['versoin'], 'There is no command "versoin". Did you mean "version"?'],
    [['something-else'], 'There is no command "something-else". "switchyard help" lists them.'],
    [['check', 'extra'], 'extra'],
    [['check', '--port'], '--port'],
  ])('%j is a usage error on stderr alone', async (args, sentence) => {
    const { code, out, err } = await run(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(sentence)
    expect(err.trim().split('\n')).toHaveLength(1)
  })
})

describe('check', () => {
  test('names the flag, variable or line of every setting, and what follows from them', async () => {
    const { code, out } = await run(['check', '--host', '127.0.0.2'], {
      files: { 'switchyard.yaml': FILE },
      env: SECRETS,
    })
    expect(code).toBe(0)
    expect(out).toMatch(/server\.host = "127\.0\.0\.2" +\(--host\)/)
    expect(out).toMatch(/server\.port = 4100 +\(line 1\)/)
    expect(out).toMatch(/server\.adminKey = "env:SWITCHYARD_ADMIN_KEY" +\(SWITCHYARD_ADMIN_KEY\)/)
    expect(out).toMatch(/server\.drainSeconds = 30 +\(default\)/)
    expect(out).toMatch(/upstreams\.o\.apiKey = "env:O_KEY" +\(line 3\)/)
    expect(out).toContain('key ci: ***, tenant default, 60 requests a minute')
    expect(out).toContain('server-run: maxUsd 1, maxTokens 2000000')
  })

  test('prints no secret, wherever it stands', async () => {
    const { out, err } = await run(['check'], { files: { 'switchyard.yaml': FILE }, env: SECRETS })
    expect(out + err).not.toContain('sk-fake')
    expect(out).toMatch(/keys\.0\.key = \*\*\*/)
  })

  test('a wrong file: every problem on stderr, exit code 2, no secret', async () => {
    const wrong = FILE.replace('port: 4100', 'prot: 1').replace('gpt-5.1', 'gpt-0')
    const { code, out, err } = await run(['check'], { files: { 'switchyard.yaml': wrong }, env: SECRETS })
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain('switchyard.yaml:1: server.prot: there is no such setting. Did you mean "port"?')
    expect(err).not.toContain('sk-fake')
  })

  test.each([
    ['at a terminal', true, {}, true],
    ['where NO_COLOR is set', true, { NO_COLOR: '1' }, false],
    ['in a pipe', false, {}, false],
  ])('colours %s: %s', async (_where, isTty, env, isColoured) => {
    const { out } = await run(['check', '--no-detect'], { isTty, env })
    expect(out.includes('\u001b[')).toBe(isColoured)
  })

  test('without anything says that answers will be simulated', async () => {
    const { code, out } = await run(['check', '--no-detect'])
    expect(code).toBe(0)
    expect(out).toContain('answers are SIMULATED')
  })
})

describe('init', () => {
  const LITELLM =
    'model_list: [{ model_name: a, litellm_params: { model: openai/gpt-4o, api_key: os.environ/K, rpm: 1 } }]\n'

  test('--from writes the translation and lists what has no counterpart', async () => {
    const { code, out, cwd } = await run(['init', '--from', 'litellm.yaml'], { files: { 'litellm.yaml': LITELLM } })
    expect(code).toBe(0)
    expect(out).toContain('line 1: model_list[0].litellm_params.rpm: no counterpart')
    expect(readFileSync(join(cwd, 'switchyard.yaml'), 'utf8')).toContain('apiKey: env:K')
  })

  test.each([
    ['no YAML', 'a: [b\n'],
    ['no settings', '- a\n'],
  ])('--from a file with %s is a usage error and writes nothing', async (_what, text) => {
    const { code, err, cwd } = await run(['init', '--from', 'x.yaml'], { files: { 'x.yaml': text } })
    expect(code).toBe(2)
    expect(err).toContain('Is it the config.yaml of a LiteLLM proxy?')
    expect(() => readFileSync(join(cwd, 'switchyard.yaml'))).toThrow('ENOENT')
  })

  test('--force overwrites, nothing else does', async () => {
    const files = { 'switchyard.yaml': 'mine' }
    expect((await run(['init'], { files })).err).toContain('Use --force to overwrite it')
    const forced = await run(['init', '--force'], { files })
    expect(readFileSync(join(forced.cwd, 'switchyard.yaml'), 'utf8')).toContain('upstreams:')
  })

  test('a place that cannot be written is a usage error', async () => {
    const { code, err } = await run(['init', '--out', 'no/such/folder/x.yaml'])
    expect(code).toBe(2)
    expect(err).toContain('cannot be written')
  })
})

describe('simulate', () => {
  const files = { 'bad.json': '{oops', 'unknown.json': '[{ "fault": "x" }]', 'strange.json': '[{ "fault": "safety" }]' }
  test.each([
    [['--port', 'abc'], '--port must be a number from 0 to 65535.'],
    [['--port', '70000'], '--port must be a number from 0 to 65535.'],
    [['--speed', 'fast'], '--speed must be a number from 0 to 1000000.'],
    [['--price', '1'], '--price takes two to five figures, as in --price 0.05,0.20 or '],
    [['--price', '1,'], '--price must be a number from 0 to 1000000.'],
    [['--faults', 'none.json'], 'none.json cannot be used (ENOENT'],
    [['--faults', 'bad.json'], 'bad.json cannot be used ('],
    [['--faults', 'unknown.json'], 'cannot be used (Unknown fault "x". There are: delay,'],
    [['--outcomes', 'bad.json'], 'bad.json cannot be used ('],
    [['--key', 'sk-fake'], '--key takes env:NAME, and the variable must be set.'],
    [['--flavour', 'mistral'], '--flavour must be one of openai, vllm, anthropic, google, tgi.'],
    [['--faults', 'strange.json'], '--faults: Flavour vllm has no fault "safety". It has: delay,'],
    [['--profile', 'slow'], '--profile must be one of instant,'],
  ])('%j is a usage error in one sentence', async (args, sentence) => {
    const { code, err } = await run(['simulate', ...args], { files })
    expect(err).toContain(sentence)
    expect(err.trim().split('\n')).toHaveLength(1)
    expect(code).toBe(2)
  })
})

describe('keys', () => {
  test.each<[readonly string[], string]>([
    [['keys'], 'Say what to do with keys: create, list, revoke, rotate.'],
    [['keys', 'creat'], 'There is no "keys creat". Did you mean "create"?'],
    [['keys', 'constructor'], 'There is no "keys constructor".'],
    [['keys', 'create'], '--name is missing.'],
    [['keys', 'create', '--nam', 'a'], 'There is no flag --nam. Did you mean --name?'],
    [['keys', 'create', '--name', 'a', '--concurrency', 'many'], '--concurrency must be a number, not "many".'],
    [
      ['keys', 'create', '--name', 'a', '--concurrency', '0'],
      '--concurrency: it must be a whole number of at least 1.',
    ],
    [['keys', 'create', '--name', 'a', '--max-usd-per-day', '1e3'], '--max-usd-per-day must be a number, not "1e3".'],
    [['keys', 'create', '--name', 'a', '--expires-at', '2020-01-01'], '--expires-at: 2020-01-01 is in the past.'],
    [['keys', 'create', '--name', 'a', '--models', 'auto,'], '--models: '],
    [['keys', 'rotate'], 'Name the NAME of the key to rotate.'],
    [['keys', 'rotate', 'a', '--grace', '99999999'], '--grace: it must be whole seconds between 0 and 2592000.'],
    [['keys', 'revoke', 'a', 'b'], 'Name only one'],
    [['keys', 'revoke', 'a'], 'There is no made key "a". "switchyard keys list" shows those that there are.'],
    [['keys', 'list', '--url', 'http://127.0.0.1:1'], '--url needs the admin key: set SWITCHYARD_ADMIN_KEY'],
    [['keys', 'list', '--url', 'http://127.0.0.1:1', '--admin-key-file', 'no'], 'cannot be read (ENOENT)'],
  ])('%j is a usage error on one line of stderr', async (args, sentence) => {
    const { code, out, err } = await run(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(sentence)
    expect(err.trim().split('\n')).toHaveLength(1)
  })

  test('need no secret of the configuration file, only its data directory and its names', async () => {
    const files = { 'switchyard.yaml': `${FILE}dataDir: ./elsewhere\n`.replace('sk-fake-literal', 'env:NOT_SET') }
    const made = await run(['keys', 'create', '--name', 'cd', '--json'], { files })
    expect(made.err).toContain(`No service runs on ${join(made.cwd, 'elsewhere')}`)
    expect(JSON.parse(made.out)).toMatchObject({ name: 'cd', requires_key_from_now_on: false })
    const { out } = await run(['keys', 'list'], { files })
    expect(out.split('\n')).toEqual([
      'name  prefix         tenant   state   expires  limits',
      'ci    (in the file)  default  active  -        60 requests/min',
      '',
    ])
  })

  test('create prints the key alone on stdout, so that a script can take it', async () => {
    const { code, out, err } = await run(['keys', 'create', '--name', 'cd', '--models', 'auto,big', '--models', 'x'])
    expect(code).toBe(0)
    expect(out).toMatch(/^sk-sy-[\w-]{43}\n$/)
    expect(err).toContain('This is the first key: from now on callers need one')
    expect(err).not.toContain(out.trim().slice(14))
  })

  test('a wrong file is a configuration error', async () => {
    const { code, err } = await run(['keys', 'list'], { files: { 'switchyard.yaml': 'dataDirr: x\n' } })
    expect([code, err]).toEqual([2, expect.stringContaining('dataDirr: there is no such setting.')])
  })
})
