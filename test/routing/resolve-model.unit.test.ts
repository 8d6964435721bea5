import { describe, expect, test } from 'vitest'
import { createModelResolver, matchesGlob, type Resolution } from '../../src/routing/resolve-model.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { target } from '../support/fake-steps.ts'
import { readFixture } from '../support/vectors.ts'

const qwen = target('qwen-small', { upstream: 'gpu', model: 'Qwen/Qwen3-8B' })
const gpt = target('gpt-big', { upstream: 'openai', model: 'gpt-5.1', tier: 'frontier' })
const sharedA = target('twin-a', { upstream: 'a', model: 'twin' })
const sharedB = target('twin-b', { upstream: 'b', model: 'twin' })

const resolver = createModelResolver({
  targets: new Map([qwen, gpt, sharedA, sharedB].map((one) => [one.name, one])),
  routes: ['auto', 'coding'],
  aliases: {
    'claude-haiku-*': 'auto',
    'gpt-4o': 'auto:balanced',
    'gpt-4o*': 'gpt-big',
    'cheap-*-model': 'openai/gpt-5.1',
    'gpt-5.1': 'auto:best',
    'qwen-*': 'gpt-big',
  },
})

function refusalOf(name: string, allowed?: ReadonlySet<string>): SwitchyardError {
  try {
    resolver.resolve(name, allowed)
  } catch (error) {
    if (error instanceof SwitchyardError) return error
    throw error
  }
  throw new Error(`${name} was resolved.`)
}

const route = (name: string, mode: string): unknown => ({ kind: 'route', route: name, mode })
const pinned = (to: unknown): unknown => ({ kind: 'target', target: to })

test.each<[string, unknown]>([
  ['auto', route('auto', 'auto')],
  ['auto:cheap', route('auto', 'cheap')],
  ['auto:balanced', route('auto', 'balanced')],
  ['auto:best', route('auto', 'best')],
  ['coding:best', route('coding', 'best')],
  ['gpt-big', pinned(gpt)],
  ['openai/gpt-5.1', pinned(gpt)],
  ['gpu/Qwen/Qwen3-8B', pinned(qwen)],
  ['Qwen/Qwen3-8B', pinned(qwen)],
  ['b/twin', pinned(sharedB)],
  // Aliases: the exact one goes before a pattern, a configured name before either, and an alias before a served name.
  ['claude-haiku-4-5', route('auto', 'auto')],
  ['claude-haiku-', route('auto', 'auto')],
  ['gpt-4o', route('auto', 'balanced')],
  ['gpt-4o-mini', pinned(gpt)],
  ['cheap-big-model', pinned(gpt)],
  ['qwen-small', pinned(qwen)],
  ['qwen-large', pinned(gpt)],
  ['gpt-5.1', route('auto', 'best')],
])('%s means what the configuration says', (name, meaning) => {
  expect(resolver.resolve(name, undefined)).toEqual(meaning satisfies unknown as Resolution)
})

describe('a name that is no model', () => {
  const vectors = readFixture<{ id: string; body?: { model?: unknown } }>('badinput/requests.jsonl').filter(
    ({ id, body }) => id.startsWith('model/') && typeof body?.model === 'string',
  )
  const names = [
    ...vectors.map(({ body }) => body?.model as string),
    'no-such-model',
    '../../admin',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    '',
    ' auto ',
    'AUTO',
    'auto:',
    'auto:constructor',
    'auto:auto',
    'auto:worst',
    'm'.repeat(10_000),
    'auto\r\nFLUSHALL\r\n',
    'auto"} 1\nevil{x="',
    '😀',
    '\u202Eotua',
    '\uD800',
    'twin',
    'gpu/gpt-5.1',
    'openai/',
    '*',
    'xclaude-haiku-4',
    `claude-haiku-${'4'.repeat(244)}`,
  ]

  test.each(names)('is model_not_found, names what is near and echoes nothing harmful (%j)', (name) => {
    const error = refusalOf(name)

    expect(error).toMatchObject({ code: 'model_not_found', status: 404, param: 'model' })
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u)
    expect(error.message).not.toContain('m'.repeat(65))
    expect(error.message.length).toBeLessThan(400)
    expect(error.message.match(/`[^`]*`/g)).toHaveLength(4)
  })

  test('the fixture has such rows', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(4)
  })

  test('the nearest names come first', () => {
    expect(refusalOf('gpt-bog').message).toContain('Nearest: `gpt-big`')
    expect(refusalOf('AUTO:BEST').message).toContain('Nearest: `auto:best`')
    expect(refusalOf('twin').message).toMatch(/`a\/twin`|`twin-a`/)
  })

  test('a character outside the basic plane is not cut in half', () => {
    expect(refusalOf('😀'.repeat(100)).message).toContain(`${'😀'.repeat(64)}…`)
  })
})

describe('a key with a list of models', () => {
  test.each([
    [['auto'], 'auto'],
    [['auto'], 'auto:best'],
    [['auto'], 'gpt-4o'],
    [['auto:cheap'], 'auto:cheap'],
    [['gpt-4o'], 'gpt-4o'],
    [['qwen-small'], 'qwen-small'],
    [['qwen-small'], 'Qwen/Qwen3-8B'],
    [['qwen-small'], 'gpu/Qwen/Qwen3-8B'],
  ])('%j may use %s', (allowed, name) => {
    expect(() => resolver.resolve(name, new Set(allowed))).not.toThrow()
  })

  test.each([
    [['auto'], 'gpt-big'],
    [['auto'], 'openai/gpt-5.1'],
    [['auto:cheap'], 'auto'],
    [['auto:cheap'], 'auto:best'],
    [['qwen-small'], 'auto'],
    [['qwen-small'], 'gpt-4o-mini'],
    [[], 'auto'],
  ])('%j may not use %s', (allowed, name) => {
    expect(refusalOf(name, new Set(allowed))).toMatchObject({ code: 'model_not_allowed', status: 403, param: 'model' })
  })

  test('is shown none of the names it may not use', () => {
    const { message } = refusalOf('gpt-bog', new Set(['qwen-small']))
    expect(message).toContain('qwen-small')
    expect(message).not.toContain('gpt-big')
    expect(message).not.toContain('auto')
  })
})

test('an alias that points nowhere is a mistake found at start', () => {
  const make = (goal: string) => () =>
    createModelResolver({ targets: new Map([['a', target('a')]]), routes: ['auto'], aliases: { x: goal, y: 'auto' } })
  expect(make('nobody')).toThrow('aliases.x: there is no route or model nobody')
  // Not even to another alias: no circles.
  expect(make('y')).toThrow('aliases.x')
})

test.each([
  ['*', '', true],
  ['a*', 'a', true],
  ['a*a', 'a', false],
  ['a*b*c', 'aXbXbc', true],
  ['a*b*c', 'acb', false],
  ['*b*', 'abc', true],
  ['a.c', 'abc', false],
  ['(a+)+*', '(a+)+b', true],
  ['ab*ba', 'aba', false],
])('the pattern %s on %s: %s', (pattern, name, matches) => {
  expect(matchesGlob(pattern, name)).toBe(matches)
})
