/** Configurations that are shown to users start: every YAML block of the documents, and what `switchyard init` writes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { init } from '../../src/cli/init.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'

const ROOT = new URL('../../', import.meta.url)
const DOCS = readdirSync(new URL('docs/', ROOT), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.md'),
)
const PAGES = ['README.md', 'ARCHITECTURE.md', ...DOCS.map((name) => `docs/${name}`)]
const BLOCKS = PAGES.flatMap((page) =>
  [...readFileSync(new URL(page, ROOT), 'utf8').matchAll(/^```ya?ml\n([^]*?)^```$/gm)].map(
    ([, text = ''], index) => [`${page}, block ${index + 1}`, text] as const,
  ),
)
const ENV = {
  OPENAI_API_KEY: 'sk-fake-openai',
  CI_KEY: 'sk-fake-ci',
  SWITCHYARD_ADMIN_KEY: 'sk-fake-admin',
  REDIS_URL: 'redis://127.0.0.1:6379',
}

function folder(): string {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-documented-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  return cwd
}

function load(text: string): Promise<Config> {
  const cwd = folder()
  writeFileSync(join(cwd, 'switchyard.yaml'), text)
  return loadConfig({}, { env: ENV, cwd, enginePorts: [] })
}

test('there are blocks to check', () => {
  expect(BLOCKS.map(([name]) => name)).toContain('docs/configuration.md, block 1')
})

test.each(BLOCKS)('%s starts, and every setting in it does something', async (_name, text) => {
  const config = await load(text)
  expect(config.targets.size).toBeGreaterThan(0)
  expect(config.remarks).toEqual([])
})

async function example(): Promise<string> {
  const cwd = folder()
  const quiet = { write: () => {}, isTty: false }
  await init.run([], { env: {}, cwd, stdout: quiet, stderr: quiet, onSignal: () => () => {} })
  return readFileSync(join(cwd, 'switchyard.yaml'), 'utf8')
}

test('what init writes starts as it is', async () => {
  expect((await load(await example())).targets.has('qwen-small')).toBe(true)
})

test('what init has commented out starts too, once it is uncommented', async () => {
  const whole = (await example())
    .replace(/^(\s*)# (?=(?:adminKey|openai|gpt-big|keys):|  \S|  - )/gm, '$1')
    .replace('big: [qwen-small]', 'big: [gpt-big]')
  const config = await load(whole)
  expect([...config.targets.keys()]).toEqual(['qwen-small', 'gpt-big'])
  expect(config.upstreams.find(({ name }) => name === 'openai')?.breaker).toEqual({ failures: 5, openMs: 10_000 })
  expect(config.keys.map(({ name }) => name)).toEqual(['ci'])
  expect(config.remarks).toEqual([])
})
