import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { Caller } from '../../src/gateway/steps.ts'
import { ConnectionCallers } from '../../src/http/connection-callers.ts'
import { Keyring } from '../../src/http/keyring.ts'
import { hashKey } from '../../src/shared/api-key.ts'

const callerNamed = (key: string): Caller => ({ key }) as Caller
const ringOf = (...keys: readonly string[]): Keyring =>
  new Keyring({
    entries: keys.map((key) => ({
      sha256: hashKey(key),
      caller: callerNamed(key),
      mayReadMetrics: false,
      endsAtMs: Infinity,
    })),
    anonymous: undefined,
    adminSha256: undefined,
    wallNow: () => 1,
  })
const asks = (socket: Socket, key: string): IncomingMessage =>
  ({ socket, headers: { authorization: `Bearer ${key}` } }) as unknown as IncomingMessage

test('each request of a connection gets the caller of the key that it carries', () => {
  const callers = new ConnectionCallers()
  const ring = ringOf('sk-test-a', 'sk-test-b')
  const [one, other] = [new Socket(), new Socket()]
  for (const [socket, key] of [
    [one, 'sk-test-a'],
    [one, 'sk-test-a'],
    [other, 'sk-test-b'],
    [one, 'sk-test-b'],
    [one, 'sk-test-a'],
  ] as const) {
    expect(callers.authenticate(ring, asks(socket, key)).key).toBe(key)
  }
})

test('a key that left the keyring is refused on a connection that used it before', () => {
  const callers = new ConnectionCallers()
  const socket = new Socket()
  callers.authenticate(ringOf('sk-test-a', 'sk-test-b'), asks(socket, 'sk-test-a'))
  expect(() => callers.authenticate(ringOf('sk-test-b'), asks(socket, 'sk-test-a'))).toThrow(/missing or unknown/)
})

test('a refusal is not remembered as an entry, and an entry does not cover another header', () => {
  const callers = new ConnectionCallers()
  const ring = ringOf('sk-test-a')
  const socket = new Socket()
  expect(() => callers.authenticate(ring, asks(socket, 'sk-test-wrong'))).toThrow()
  expect(() => callers.authenticate(ring, asks(socket, 'sk-test-wrong'))).toThrow()
  callers.authenticate(ring, asks(socket, 'sk-test-a'))
  expect(() => callers.authenticate(ring, asks(socket, 'sk-test-wrong'))).toThrow()
  expect(() =>
    callers.authenticate(ring, {
      socket,
      headers: { 'x-api-key': 'Bearer sk-test-a' },
    } as unknown as IncomingMessage),
  ).toThrow()
})
