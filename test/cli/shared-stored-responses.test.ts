/** Stored responses of a tenant whose books are in Redis: they lie at the gateway that answered, and are forgotten gateway by gateway. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { say, startFakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { NO_REDIS, startRedis } from '../support/redis-server.ts'
import { runCommand, type CommandResult } from '../support/run-command.ts'

const ADMIN = { TEST_ADMIN_KEY: 'sk-admin-test' }
const SECRET = 'the stapler is red'
/** Begun by one tenant and still wanted by another. */
const OTHERS = 'the desk is blue'

const config = (upstream: string): string => `
server: { adminKey: env:TEST_ADMIN_KEY }
store: { kind: redis, url: env:REDIS_URL }
upstreams:
  up: { kind: openai, baseUrl: "${upstream}/v1", ask: as-asked, retries: 0, breaker: off }
models:
  paid: { upstream: up, model: small, price: { inputPerM: 1, outputPerM: 10 } }
keys:
  - { name: ci, key: sk-test, tenant: acme, store: true }
  - { name: other, key: sk-other, tenant: globex, store: true }
telemetry: { log: off, events: ./data/events.jsonl }
`

interface Place {
  readonly gateway: GatewayProcess
  /** Whether any file of its data directory has these words. */
  has(text: string): boolean
  store(key: string, input: string): Promise<string>
  status(key: string, id: string): Promise<number>
  run(...args: readonly string[]): Promise<CommandResult>
}

async function twoPlaces(): Promise<readonly [Place, Place]> {
  const redis = await startRedis()
  onTestFinished(() => redis.remove())
  const { url } = await startFakeUpstream(say('Noted'))
  const env = { ...ADMIN, REDIS_URL: redis.url }
  const place = async (): Promise<Place> => {
    const dir = mkdtempSync(join(tmpdir(), 'switchyard-shared-stored-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const gateway = await startGatewayProcess({ config: config(url), env, dir })
    const headers = (key: string): Record<string, string> => ({
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
    })
    return {
      gateway,
      has: (text) =>
        readdirSync(dir, { recursive: true, withFileTypes: true }).some(
          (entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text),
        ),
      async store(key, input) {
        const body = JSON.stringify({ model: 'paid', input, max_output_tokens: 20 })
        const reply = await fetch(`${gateway.url}/v1/responses`, { method: 'POST', headers: headers(key), body })
        const response = (await reply.json()) as { id: string; store: boolean }
        expect(response).toMatchObject({ store: true })
        return response.id
      },
      async status(key, id) {
        const reply = await fetch(`${gateway.url}/v1/responses/${id}`, { headers: headers(key) })
        await reply.text()
        return reply.status
      },
      run: (...args) => runCommand(args, { cwd: dir, env }),
    }
  }
  return Promise.all([place(), place()])
}

const FORGET = ['forget', '--tenant', 'acme', '--yes', '--json']

describe.skipIf(NO_REDIS !== undefined)(`with a real Redis${NO_REDIS === undefined ? '' : ` (${NO_REDIS})`}`, () => {
  test.each(['while the gateway runs', 'while it is stopped'])(
    'forgetting takes the stored responses of a tenant out of the gateway that it goes through, %s; the next one has to be told too',
    async (when) => {
      const [a, b] = await twoPlaces()
      const here = [await a.store('sk-test', SECRET), await a.store('sk-test', SECRET)]
      const there = await b.store('sk-test', SECRET)
      const kept = await a.store('sk-other', OTHERS)
      if (when === 'while it is stopped') {
        a.gateway.signal('SIGTERM')
        expect(await a.gateway.exited).toBe(0)
      }
      const first = await a.run(...FORGET)
      expect([first.code, JSON.parse(first.out)]).toMatchObject([0, { attempts: 3, responses: 2 }])
      expect(first.err).toContain('other gateways')
      expect([a.has(SECRET), a.has(OTHERS)]).toEqual([false, true])
      if (when === 'while the gateway runs') {
        for (const id of here) expect(await a.status('sk-test', id)).toBe(404)
        expect(await a.status('sk-other', kept)).toBe(200)
      }
      // The file of the other gateway is its own.
      expect(b.has(SECRET)).toBe(true)
      expect(await b.status('sk-test', there)).toBe(200)
      const second = await b.run(...FORGET)
      expect([second.code, JSON.parse(second.out)]).toMatchObject([0, { attempts: 0, responses: 1 }])
      expect(b.has(SECRET)).toBe(false)
      expect(await b.status('sk-test', there)).toBe(404)
    },
    30_000,
  )
})
