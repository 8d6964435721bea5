import type { IncomingMessage } from 'node:http'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { Keyring } from '../../src/http/keyring.ts'
import { hashKey } from '../../src/shared/api-key.ts'
import { readTaskHeaders } from '../../src/http/call-headers.ts'
import { checkHead, checkKeylessHead, isLoopbackHost } from '../../src/http/request-guard.ts'
import { ANYBODY } from '../support/fake-steps.ts'

const ACME = { ...ANYBODY, tenant: 'acme', key: 'ci' }
const NOON = Date.parse('2026-11-25T12:00:00Z')
let wallNow = NOON
const keyring = new Keyring({
  entries: [
    { sha256: hashKey('sk-test'), caller: ACME, mayReadMetrics: false, endsAtMs: Infinity },
    { sha256: hashKey('sk-test-metrics'), caller: ACME, mayReadMetrics: true, endsAtMs: NOON + 1000 },
  ],
  anonymous: undefined,
  adminSha256: hashKey('sk-admin'),
  wallNow: () => wallNow,
})

test.each([
  ['Bearer sk-test', undefined],
  ['bearer  sk-test ', undefined],
  [undefined, 'sk-test'],
])('a key is found as %s / %s', (authorization, apiKey) => {
  expect(keyring.authenticate(authorization, apiKey).tenant).toBe('acme')
})

test.each([
  ['', undefined],
  ['Bearer', undefined],
  ['Bearer sk-tes', undefined],
  ['Bearer sk-test2', undefined],
  ['Bearer SK-TEST', undefined],
  ['Basic c2stdGVzdDo=', undefined],
  ['Bearer constructor', undefined],
  ['Bearer sk-wrong, Bearer sk-test', undefined],
  ['Bearer sk-wrong', 'sk-test'],
  [undefined, undefined],
  [undefined, ''],
])('%s / %s is refused, with the same words as every other', (authorization, apiKey) => {
  expect(() => keyring.authenticate(authorization, apiKey)).toThrow(
    expect.objectContaining({
      code: 'invalid_api_key',
      message: expect.stringContaining('missing or unknown') as string,
    }),
  )
})

test('a key is refused from the moment on at which it ends, for everything', () => {
  onTestFinished(() => void (wallNow = NOON))
  wallNow = NOON + 999
  expect(keyring.authenticate(undefined, 'sk-test-metrics').tenant).toBe('acme')
  expect(keyring.mayReadMetrics(undefined, 'sk-test-metrics')).toBe(true)
  wallNow = NOON + 1000
  expect(() => keyring.authenticate(undefined, 'sk-test-metrics')).toThrow('missing or unknown')
  expect(keyring.mayReadMetrics(undefined, 'sk-test-metrics')).toBe(false)
})

test('without a single valid key a keyring that needs one lets nobody in', () => {
  const empty = new Keyring({ entries: [], anonymous: undefined, adminSha256: undefined, wallNow: () => 1 })
  expect(empty.isOpen).toBe(false)
  expect(() => empty.authenticate(undefined, '')).toThrow('missing or unknown')
  expect(() => empty.authenticate('Bearer sk-test', undefined)).toThrow('missing or unknown')
})

test('each of thousands of keys finds its own caller, and nothing that is near one finds any', () => {
  const entries = Array.from({ length: 3000 }, (_, i) => ({
    sha256: hashKey(`sk-test-${i}`),
    caller: { ...ANYBODY, key: String(i) },
    mayReadMetrics: false,
    endsAtMs: Infinity,
  }))
  const many = new Keyring({ entries, anonymous: undefined, adminSha256: undefined, wallNow: () => 1 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2999 }), fc.string({ minLength: 1 }), (i, more) => {
      expect(many.authenticate(undefined, `sk-test-${i}`).key).toBe(String(i))
      expect(() => many.authenticate(undefined, `sk-test-${i}.${more}`)).toThrow('missing or unknown')
    }),
  )
})

test.each([
  ['the admin key', 'Bearer sk-admin', undefined],
  ['the key of a caller', 'Bearer sk-test', 'admin_only'],
  ['an unknown key', 'Bearer sk-wrong', 'invalid_api_key'],
  ['no key', undefined, 'invalid_api_key'],
])('%s is the admin: refused with %s', (_whose, authorization, code) => {
  const ask = (): void => keyring.requireAdmin(authorization, undefined)
  if (code === undefined) expect(ask).not.toThrow()
  else expect(ask).toThrow(expect.objectContaining({ code }))
})

test('metrics are for the admin key and for keys that say so', () => {
  expect(keyring.mayReadMetrics('Bearer sk-admin', undefined)).toBe(true)
  expect(keyring.mayReadMetrics('Bearer sk-test', undefined)).toBe(false)
  expect(keyring.mayReadMetrics(undefined, undefined)).toBe(false)
})

function head(
  headers: Record<string, string>,
  raw: readonly string[] = Object.entries(headers).flat(),
): IncomingMessage {
  return { headers, rawHeaders: [...raw] } as unknown as IncomingMessage
}

test('a steering header sent twice is refused, whichever of the two Node would have kept', () => {
  expect(() => checkHead(head({}, ['Authorization', 'Bearer a', 'authorization', 'Bearer b']))).toThrow(/sent twice/)
  expect(() => checkHead(head({}, ['Host', 'a', 'HOST', 'b']))).toThrow(/sent twice/)
  for (const name of ['Session-Id', 'X-LiteLLM-Trace-Id', 'X-Claude-Code-Session-Id'])
    expect(() => checkHead(head({}, [name, 'a', name, 'b']))).toThrow(/sent twice/)
  expect(() => checkHead(head({}, ['Cookie', 'a', 'Cookie', 'b']))).not.toThrow()
})

test('compressed bodies and floods of headers are refused', () => {
  expect(() => checkHead(head({ 'content-encoding': 'gzip' }))).toThrow(/Compressed/)
  expect(() => checkHead(head({ 'content-encoding': 'Identity' }))).not.toThrow()
  expect(() =>
    checkHead(
      head(
        {},
        Array.from({ length: 402 }, () => 'x'),
      ),
    ),
  ).toThrow(/at most 200/)
})

test.each(['localhost', 'LOCALHOST:4000', '127.0.0.1:4000', '127.9.8.7', '[::1]:4000', '[::1]'])(
  '%s is a loopback name',
  (host) => {
    expect(isLoopbackHost(host)).toBe(true)
  },
)

test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '[::2]', '10.0.0.1', 'x@localhost', ''])(
  '%s is not',
  (host) => {
    expect(isLoopbackHost(host)).toBe(false)
  },
)

test('without keys a web page cannot use the service: neither cross-site nor by DNS rebinding', () => {
  const allowed = new Set(['http://localhost:3000'])
  expect(() => checkKeylessHead(head({ host: 'localhost:4000', origin: 'https://evil.example' }), allowed)).toThrow(
    /web pages/,
  )
  expect(() => checkKeylessHead(head({ host: 'evil.example' }), allowed)).toThrow(/loopback/)
  expect(() => checkKeylessHead(head({ host: 'localhost:4000', origin: 'null' }), allowed)).toThrow(/web pages/)
  expect(() =>
    checkKeylessHead(head({ host: 'localhost:4000', origin: 'http://localhost:3000' }), allowed),
  ).not.toThrow()
  expect(() => checkKeylessHead(head({ host: '127.0.0.1:4000' }), allowed)).not.toThrow()
})

test('of several task ids the first in the documented order counts', () => {
  const headers = { 'session-id': 's', 'x-litellm-trace-id': 't' }
  expect(readTaskHeaders(headers, 'm').id).toBe('t')
  expect(readTaskHeaders({ ...headers, 'x-task-id': 'x' }, 'm').id).toBe('x')
  expect(readTaskHeaders({}, 'm').id).toBe('m')
})

test.each(['1e309', '1e2', '-1', '1, 100', 'NaN', '0x10', '', ' 1', '1.0000000001', '9999999'])(
  'the budget "%s" is refused by name',
  (value) => {
    expect(() => readTaskHeaders({ 'x-task-budget-usd': value }, undefined)).toThrow(/x-task-budget-usd/)
  },
)

test('a budget is read exactly', () => {
  expect(readTaskHeaders({ 'x-task-budget-usd': '0.000000001' }, undefined).budgetUsd).toBe(1)
  expect(readTaskHeaders({ 'x-task-budget-usd': '25' }, undefined).budgetUsd).toBe(25_000_000_000)
})
