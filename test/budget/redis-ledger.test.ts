import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { ledgerContract } from '../support/ledger-contract.ts'
import { ledgerLaws } from '../support/ledger-laws.ts'
import { ledgerScenarios } from '../support/ledger-scenarios.ts'
import { redisDriver } from '../support/redis-driver.ts'
import { NO_REDIS, startRedis, type RedisServer } from '../support/redis-server.ts'

describe.skipIf(NO_REDIS !== undefined)(`with a real Redis${NO_REDIS === undefined ? '' : ` (${NO_REDIS})`}`, () => {
  let server: RedisServer
  let admin: Redis
  beforeAll(async () => {
    server = await startRedis()
    admin = server.client()
  })
  afterAll(() => server?.remove())
  const open = (): ReturnType<typeof redisDriver> => redisDriver(server, admin)

  describe('the redis ledger', () => ledgerContract('redis', open))
  describe('scenarios', () => ledgerScenarios('redis', open))
  test('in any order of steps and crashes the redis ledger adds up like a list of attempts and never passes a limit by itself', () =>
    ledgerLaws(open, 60))
})
