/**
 * Streams of every provider's own wire that break or are odd, through the real process and each of the three streaming APIs. The rows
 * are in `fixtures/badinput/streams/`: which frames a provider sends, how its connection ends, and what a caller has to see.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startByteUpstream, type ByteScript, type ByteUpstream } from '../support/byte-upstream.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { askStream, endMarkOf, INGRESSES, type Ingress, type Seen } from '../support/stream-callers.ts'
import { randomCuts } from '../support/stream-rows.ts'

/** One by its name, a frame as it is, `{repeat, times}` = one many times, or `{raw}` = bytes that are no frame. */
type Sent = string | Readonly<Record<string, unknown>>

interface Row {
  readonly id: string
  readonly send: readonly Sent[]
  readonly delivery?: 'each_byte' | 'random'
  readonly end?: ByteScript['end']
  /** Names of the tools that were offered. */
  readonly tools?: readonly string[]
  readonly expect: {
    /** Code of the error it ends with; absent = it ends well. */
    readonly error?: string
    /** Status of an error before anything was said. */
    readonly http?: number
    readonly content?: string
    readonly finish?: string
    /** Id (`*` = any), name and arguments of each call. */
    readonly calls?: readonly (readonly [string, string, string])[]
    readonly distinctIds?: boolean
    /** Tokens in and out. */
    readonly usage?: readonly [number, number]
  }
}
interface Wire {
  readonly frames: Readonly<Record<string, Sent>>
  readonly rows: readonly Row[]
}

const WIRES = ['openai-chat', 'anthropic', 'google', 'tgi', 'tgi-generate', 'openai-responses'] as const
/** Wires that have no tools: what would come back of them is refused before it is asked for. */
const WITHOUT_TOOLS: ReadonlySet<string> = new Set(['tgi-generate'])

let upstream: ByteUpstream
let gateway: Awaited<ReturnType<typeof startGatewayProcess>>

beforeAll(async () => {
  upstream = await startByteUpstream()
  const { url } = upstream
  const more = 'retries: 0, breaker: off, timeouts: { connectMs: 1000, firstByteMs: 1500, idleMs: 700, totalMs: 30000 }'
  const model = 'contextTokens: 100000, price: { inputPerM: 1, outputPerM: 5 }'
  gateway = await startGatewayProcess({
    ownedByTest: false,
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
    config: `
upstreams:
  engine: { kind: vllm, replicas: ["${url}"], ${more} }
  claude: { kind: anthropic, baseUrl: "${url}", apiKey: env:TEST_UPSTREAM_KEY, ${more} }
  gemini: { kind: google, baseUrl: "${url}", apiKey: env:TEST_UPSTREAM_KEY, ${more} }
  tgi: { kind: tgi, replicas: ["${url}"], ${more} }
  codex: { kind: openai, replicas: ["${url}/v1"], ${more} }
models:
  openai-chat: { upstream: engine, model: m, capabilities: [tools], ${model} }
  anthropic: { upstream: claude, model: claude-sonnet-4-5, tier: frontier, ${model} }
  google: { upstream: gemini, model: gemini-2.5-flash, tier: frontier, ${model} }
  tgi: { upstream: tgi, model: served, capabilities: [tools], ${model} }
  tgi-generate: { upstream: tgi, model: served, api: generate, ${model} }
  openai-responses: { upstream: codex, model: gpt-5-codex, api: responses, ${model} }
keys:
  - { name: ci, key: "sk-test", tenant: acme }
`,
  })
})

afterAll(async () => {
  await gateway.stop()
  await upstream.stop()
})

function bytesOf(sent: Sent | undefined, frames: Wire['frames']): string {
  if (sent === undefined) throw new Error('A frame of an unknown name.')
  if (typeof sent === 'string') return bytesOf(frames[sent], frames)
  if (typeof sent['repeat'] === 'string') return bytesOf(sent['repeat'], frames).repeat(Number(sent['times']))
  if (typeof sent['raw'] === 'string') return sent['raw']
  const name = typeof sent['type'] === 'string' ? `event: ${sent['type']}\n` : ''
  return `${name}data: ${JSON.stringify(sent)}\n\n`
}

function scriptsOf({ send, delivery, end = 'fin' }: Row, frames: Wire['frames']): readonly ByteScript[] {
  const body = Buffer.from(send.map((each) => bytesOf(each, frames)).join(''))
  const script = (cuts: readonly number[]): ByteScript => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body,
    cuts,
    pausesMs: [],
    end,
  })
  if (delivery === 'each_byte') return [script(Array.from(body.keys()))]
  if (delivery === 'random') return Array.from({ length: 20 }, (_, run) => script(randomCuts(body.length, run + 1)))
  return [script([])]
}

function judge(ingress: Ingress, { expect: wanted }: Row, seen: Seen): void {
  expect(seen.errorCode, seen.text).toBe(wanted.error)
  if (wanted.http === undefined) expect(seen.status, seen.text).toBe(seen.terminal === 'http_error' ? seen.status : 200)
  else expect([seen.terminal, seen.status], seen.text).toEqual(['http_error', wanted.http])
  expect(seen.content.get(0) ?? '', seen.text).toBe(wanted.content ?? '')
  expect(seen.text).not.toContain('SECRET')
  if (wanted.error !== undefined) {
    expect(seen.terminal).not.toBe('done')
    if (wanted.content !== undefined) expect(seen.terminal).toBe('error_then_close')
    expect(seen.text).not.toContain(endMarkOf(ingress))
    expect([...seen.finish.keys()], 'no invented finish').toEqual([])
    return
  }
  expect(seen.terminal, seen.text).toBe('done')
  expect(seen.finish.get(0)).toBe(wanted.finish)
  expect(seen.calls.map(({ name, arguments: args }) => [name, args])).toEqual(
    (wanted.calls ?? []).map(([, name, args]) => [name, args]),
  )
  for (const [at, [id]] of (wanted.calls ?? []).entries()) if (id !== '*') expect(seen.calls[at]?.id).toBe(id)
  if (wanted.distinctIds === true) expect(new Set(seen.calls.map(({ id }) => id)).size).toBe(seen.calls.length)
  if (wanted.usage !== undefined) expect([seen.usage?.input, seen.usage?.output]).toEqual(wanted.usage)
}

describe.each(WIRES)('%s', (wire) => {
  const { frames, rows } = JSON.parse(
    readFileSync(new URL(`../fixtures/badinput/streams/${wire}.json`, import.meta.url), 'utf8'),
  ) as Wire

  describe.each(INGRESSES)('read through %s', (ingress) => {
    test.each(rows.map((row) => [row.id, row] as const))('%s', async (_id, row) => {
      for (const script of scriptsOf(row, frames)) {
        upstream.script = script
        const tools = WITHOUT_TOOLS.has(wire) ? [] : (row.tools ?? ['weather'])
        judge(ingress, row, await askStream(gateway.url, ingress, { model: wire, tools }))
      }
    })
  })
})

test('after all of them the process is the same one, with nothing in flight and nothing of a provider in its log', async () => {
  expect(gateway.child.exitCode).toBeNull()
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(page).toMatch(/switchyard_upstream_inflight\{[^}]*\} 0/)
  expect(page).toMatch(/^switchyard_budget_held_usd 0$/m)
  for (const secret of ['sk-SECRET-123', 'sk-upstream-test', 'sk-test']) expect(gateway.output()).not.toContain(secret)
})
