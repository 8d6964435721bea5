import type { Fields } from './fields.ts'

/** Says whether a value somewhere in a body is what is looked for. */
export type Mark = (value: unknown, place: string) => boolean

/** A text, alone or inside of another. */
export function says(text: string): Mark {
  return (value) => typeof value === 'string' && value.includes(text)
}

export function is(wanted: string | number | boolean, at: RegExp = /(?:)/): Mark {
  return (value, place) => value === wanted && at.test(place)
}

/** Where a mark stands in a body, as `messages[user].content`; the places of a list count as one, unless a role tells them apart. */
export function placesOf(body: unknown, mark: Mark): readonly string[] {
  const found = new Set<string>()
  walk(body, '', (value, place) => {
    if (mark(value, place)) found.add(place)
  })
  return [...found]
}

function walk(value: unknown, place: string, visit: (value: unknown, place: string) => void): void {
  if (Array.isArray(value))
    for (const each of value as readonly unknown[]) walk(each, `${place}[${roleOf(each)}]`, visit)
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value as Fields))
      walk(inner, place === '' ? name : `${place}.${name}`, visit)
  else visit(value, place)
}

function roleOf(value: unknown): string {
  const { role } = (value ?? {}) as { role?: unknown }
  return typeof role === 'string' ? role : ''
}
