/** The page of settings says what the schema says: the same settings, one row each, with the same defaults. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configSchema, namesAt } from '../../src/config/schema.ts'
import { isWithoutEffect } from '../../src/config/without-effect.ts'

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
const rows = [...page.matchAll(/^\| `([^`]+)` +\| (.*?) +\| (.*?) +\|$/gm)].map(
  ([, setting = '', byDefault = '', meaning = '']) => ({ setting, byDefault, meaning }),
)

/** The smallest file that has one of everything. */
const SMALLEST = {
  upstreams: { NAME: { kind: 'openai', gpu: { usdPerHour: 1 } } },
  models: { NAME: { upstream: 'NAME', model: 'm' } },
  routes: { NAME: {} },
  taskTypes: { NAME: {} },
  intents: { NAME: {} },
  keys: [{ name: 'a', key: 'b' }],
}
const REQUIRED = [
  'upstreams.NAME.kind',
  'upstreams.NAME.gpu.usdPerHour',
  'models.NAME.upstream',
  'models.NAME.model',
  'keys[].name',
  'keys[].key',
]

/** Settings that hold the rates of a price once more: one row says so for all of them. */
const REPEATED = ['tiers', 'serviceTiers', 'changes']

/** Every setting of the schema that holds no others, as the page writes it. */
function settings(path: readonly string[] = []): readonly (readonly string[])[] {
  return namesAt(path).flatMap((name) => {
    const here = [...path, name]
    if (REPEATED.includes(name)) return [here]
    for (const inside of [here, [...here, 'NAME'], [...here, '0']]) {
      // A list is no mapping with the key NAME, nor the other way round.
      if (inside.at(-1) === (name === 'keys' ? 'NAME' : '0')) continue
      if (namesAt(inside).length > 0) return settings(inside)
    }
    return [here]
  })
}

function written(path: readonly string[]): string {
  return path.join('.').replace('keys.0.', 'keys[].')
}

function defaultOf(path: readonly string[]): unknown {
  let at: unknown = configSchema.parse(SMALLEST)
  for (const step of path) at = (at as Record<string, unknown> | undefined)?.[step]
  return at
}

test('the page has exactly the settings of the schema, one row each', () => {
  const inSchema = settings().map(written)
  expect(inSchema.length).toBeGreaterThan(60)
  expect(rows.map(({ setting }) => setting).toSorted()).toEqual(inSchema.toSorted())
})

test.each(settings().map((path) => [written(path), path] as const))(
  'the default of %s is as documented',
  (name, path) => {
    const documented = rows.find(({ setting }) => setting === name)?.byDefault ?? ''
    if (REQUIRED.includes(name)) return expect(documented).toBe('required')
    const value = defaultOf(path)
    const isEmpty =
      value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
    // A default in words is for what is worked out later or left out; a value stands in code.
    expect(documented).toMatch(isEmpty ? /^[^`]+$/ : /^`[^`]+`$/)
    if (!isEmpty) expect(documented).toBe(`\`${String(value)}\``)
  },
)

test.each(rows.map(({ setting, meaning }) => [setting, meaning] as const))(
  'the page says of %s whether it does something yet',
  (setting, meaning) => {
    expect(isWithoutEffect(setting.replace('[]', '.0'))).toBe(meaning.endsWith('later release'))
  },
)

test('what the page says in one row about tiers holds: they have the rates of the price itself', () => {
  const price = ['models', 'NAME', 'price']
  const rates = namesAt(price).filter((name) => !REPEATED.includes(name))
  expect(namesAt([...price, 'tiers', 'NAME'])).toEqual(['aboveInputTokens', ...rates])
  expect(namesAt([...price, 'serviceTiers', 'NAME'])).toEqual([...rates, 'tiers'])
  expect(namesAt([...price, 'changes', 'NAME'])).toEqual(['from', ...rates, 'tiers', 'serviceTiers'])
})
