import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { main } from '../../src/main.ts'

/** Runs a command line in process, in an empty folder. */
async function run(
  args: readonly string[],
  files: Record<string, string> = {},
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string; cwd: string }> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-cli-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
  let out = ''
  let err = ''
  const code = await main(args, {
    env,
    cwd,
    stdout: { write: (text) => void (out += text), isTty: false },
    stderr: { write: (text) => void (err += text), isTty: false },
    onSignal: () => () => {},
  })
  return { code, out, err, cwd }
}

test.each([
  [['--help']],
  [['help']],
  [['serve', '--help']],
  [['check', '-h']],
  [['init', '--help']],
  [['simulate', '--help']],
  [['help', 'serve']],
])('%j explains and exits with 0', async (args) => {
  const { code, out, err } = await run(args)
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('switchyard')
})

test('the version is that of the package', async () => {
  expect((await run(['version'])).out.trim()).toBe(
    (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version,
  )
})

test.each([
  [['chek'], 'There is no command "chek". Did you mean "check"?'],
  [['check', '--prot', '1'], 'There is no flag --prot. Did you mean --port?'],
  [['--prt', '1'], 'There is no flag --prt. Did you mean --port?'],
  [['check', '--config', 'nowhere.yaml'], 'there is no such file. Write one with "switchyard init".'],
])('%j is a usage error that suggests what was meant', async (args, sentence) => {
  const { code, err } = await run(args)
  expect(code).toBe(2)
  expect(err).toContain(sentence)
})

test('check prints what is in force, with every secret masked', async () => {
  const file = `upstreams: { o: { kind: openai, apiKey: env:O_KEY } }
models: { big: { upstream: o, model: gpt-5.1 } }
routes: { auto: { small: [big], big: [big] } }
keys: [{ name: ci, key: env:CI_KEY, tenant: acme }]
`
  const { code, out } = await run(
    ['check'],
    { 'switchyard.yaml': file },
    { O_KEY: 'sk-fake-one', CI_KEY: 'sk-fake-two' },
  )
  expect(code).toBe(0)
  expect(out).toMatch(/model big: gpt-5\.1 at o, frontier.*\$1\.25 in, \$10 out per million tokens/)
  expect(out).not.toContain('sk-fake')
})

test('init writes an example that check accepts, and does not overwrite', async () => {
  const { code, cwd } = await run(['init'])
  expect(code).toBe(0)
  const example = readFileSync(join(cwd, 'switchyard.yaml'), 'utf8')
  expect((await run(['check', '--no-detect'], { 'switchyard.yaml': example })).code).toBe(0)
  const again = await run(['init'], { 'switchyard.yaml': 'mine' })
  expect(again.code).toBe(2)
  expect(readFileSync(join(again.cwd, 'switchyard.yaml'), 'utf8')).toBe('mine')
})

test('a wrong configuration stops serve before it listens', async () => {
  const { code, err } = await run(['serve'], { 'switchyard.yaml': 'server: { prot: 1 }\n' })
  expect(code).toBe(2)
  expect(err).toContain('Did you mean "port"?')
})
