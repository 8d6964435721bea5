import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ADMIN_PREFIX, inputOf, requestOf } from '../../src/control/http-route.ts'

test('what the client puts into a path, a query or a body is what the server finds, whatever the characters', () => {
  const routes = [
    { method: 'POST', path: '/keys/:key/rotate' },
    { method: 'DELETE', path: '/keys/:key' },
  ] as const
  fc.assert(
    fc.property(
      fc.constantFrom(...routes),
      // The two names that keys may not have, as an address cannot hold them.
      fc.string({ unit: 'grapheme', minLength: 1 }).filter((key) => key !== '.' && key !== '..'),
      fc.string({ unit: 'grapheme' }),
      (route, key, note) => {
        const { path, body } = requestOf(route, { key, note, nothing: undefined })
        const url = new URL(path, 'http://127.0.0.1')
        const params = { key: decodeURIComponent(url.pathname.split('/')[4] ?? '') }
        const query = Object.fromEntries(url.searchParams)
        expect(url.pathname.startsWith(`${ADMIN_PREFIX}/keys/`)).toBe(true)
        expect(inputOf(params, query, body === undefined ? undefined : JSON.parse(body))).toEqual({ key, note })
      },
    ),
  )
})

test('a name of the path wins over the same name in the body, so that an address means what it says', () => {
  expect(inputOf({ key: 'a' }, {}, { key: 'b', grace_seconds: 1 })).toEqual({ key: 'a', grace_seconds: 1 })
})

test.each([null, [], 'text', 1])('a body that is no object (%j) stays what it is, to be refused', (body) => {
  expect(inputOf({ key: 'a' }, {}, body)).toBe(body)
})
