import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { namesAt } from '../../src/config/schema.ts'

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')

/** Every place of the file that has settings of its own, with the name that stands for any key. */
const PLACES: readonly (readonly string[])[] = [
  [],
  ['server'],
  ['store'],
  ['upstreams', 'x'],
  ['upstreams', 'x', 'timeouts'],
  ['upstreams', 'x', 'breaker'],
  ['upstreams', 'x', 'gpu'],
  ['models', 'x'],
  ['models', 'x', 'price'],
  ['routes', 'x'],
  ['routes', 'x', 'cache'],
  ['taskTypes', 'x'],
  ['retention'],
  ['keys', '0'],
  ['keys', '0', 'compat'],
  ['cache'],
  ['telemetry'],
]

test.each(PLACES.map((place) => [place.join('.') || 'the top', place] as const))(
  'every setting of %s is documented',
  (_name, place) => {
    const names = namesAt(place)
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) expect(page, `${place.join('.')}.${name}`).toMatch(new RegExp(`[\`.]${name}\\b`))
  },
)
