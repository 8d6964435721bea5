/** Pictures of the documentation: each that a page shows is there, each that is there is shown, and none needs anything from outside. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const DOCS = new URL('../../docs/', import.meta.url)
const IMAGES = new URL('images/', DOCS)

const shown = readdirSync(DOCS)
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) =>
    [...readFileSync(new URL(name, DOCS), 'utf8').matchAll(/!\[[^\]]+\]\(images\/([^)]+)\)/g)].map(([, file]) => file),
  )

test('pages show what is there, and all of it', () => {
  expect(shown.length).toBeGreaterThan(0)
  expect(new Set(shown)).toEqual(new Set(readdirSync(IMAGES)))
})

test.each(readdirSync(IMAGES))('%s stands alone', (file) => {
  const svg = readFileSync(new URL(file, IMAGES), 'utf8')
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n$/)
  expect(svg).not.toMatch(/NaN|Infinity|undefined|<script|href=|url\(/)
  expect(svg.length).toBeLessThan(20_000)
})
