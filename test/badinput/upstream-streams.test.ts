/**
 * Byte streams of broken and merely odd upstreams through the real process: cut anywhere, every legal framing, every kind of end,
 * errors before and inside the stream, odd chunks, wrong usage. What a caller must see last is the row's `expect.terminal`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startByteUpstream, type ByteScript, type ByteUpstream } from '../support/byte-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'
import { readFixture } from '../support/vectors.ts'

interface Row {
  readonly id: string
  readonly upstream: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly delivery:
      string | readonly number[] | { readonly timing_ms?: readonly number[]; readonly byte_every_ms?: number }
    readonly end: ByteScript['end']
    readonly body_b64?: string
    readonly gen?: {
      readonly fn: string
      readonly bytes?: number
      readonly unit?: string
      readonly times?: number
      readonly count?: number
    } | null
  }
  readonly expect: {
    readonly outcome: string
    readonly terminal: string | readonly string[]
    readonly content?: string
    readonly finish_reason?: string
    readonly http_status?: number | readonly number[]
    readonly error_code?: string | null
    readonly choices?: readonly (readonly [string, string])[]
  }
}

const SECRETS = ['sk-SECRET-123', 'upstream says no', '502 Bad Gateway', 'MidStreamFallbackError']
/** Rows for other wire dialects than OpenAI chat. */
const isOtherDialect = (row: Row): boolean => row.id.startsWith('anthropic/')
const rows = readFixture<Row>('badinput/sse.jsonl').filter((row) => !isOtherDialect(row))

let upstream: ByteUpstream
let gateway: Awaited<ReturnType<typeof startGatewayProcess>>

beforeAll(async () => {
  upstream = await startByteUpstream()
  gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url })
      .replaceAll('idleMs: 2000', 'idleMs: 700')
      .replaceAll('firstByteMs: 2000', 'firstByteMs: 900'),
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
    ownedByTest: false,
  })
})

afterAll(async () => {
  await gateway.stop()
  await upstream.stop()
})

interface Seen {
  readonly status: number
  readonly text: string
  readonly content: ReadonlyMap<number, string>
  readonly finish: ReadonlyMap<number, string>
  readonly terminal: '[DONE]' | 'error_then_close' | 'http_error' | 'cut'
  readonly errorCode: string | undefined
}

async function ask(url = gateway.url): Promise<Seen> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'small', stream: true, messages: [{ role: 'user', content: 'ping' }] }),
  })
  const text = await response.text()
  const content = new Map<number, string>()
  const finish = new Map<number, string>()
  let errorCode: string | undefined
  let last = 'cut' as Seen['terminal']
  if (response.status !== 200) {
    const body = JSON.parse(text) as { error: { code: string } }
    return { status: response.status, text, content, finish, terminal: 'http_error', errorCode: body.error.code }
  }
  for (const event of text.split('\n\n')) {
    const data = event.startsWith('data: ') ? event.slice(6) : undefined
    if (data === undefined) continue
    if (data === '[DONE]') {
      last = '[DONE]'
      continue
    }
    const chunk = JSON.parse(data) as {
      error?: { code: string }
      choices?: { index: number; delta: { content?: string | null }; finish_reason: string | null }[]
    }
    if (chunk.error !== undefined) {
      errorCode = chunk.error.code
      last = 'error_then_close'
      continue
    }
    for (const choice of chunk.choices ?? []) {
      content.set(choice.index, (content.get(choice.index) ?? '') + (choice.delta.content ?? ''))
      if (choice.finish_reason !== null) finish.set(choice.index, choice.finish_reason)
    }
  }
  return { status: 200, text, content, finish, terminal: last, errorCode }
}

function allowedTerminals(row: Row): readonly string[] {
  const listed = typeof row.expect.terminal === 'string' ? [row.expect.terminal] : row.expect.terminal
  return listed.flatMap((each) => {
    if (each === 'http_error_or_error_frame') return ['http_error', 'error_then_close']
    // Something that could not be decoded at all is an error before anything was sent.
    if (each === 'error_then_close' && row.expect.outcome === 'policy') return ['http_error', 'error_then_close']
    return [each]
  })
}

function judge(row: Row, seen: Seen): void {
  const allowed = allowedTerminals(row)
  if (row.expect.outcome === 'complete_or_error' || row.expect.outcome === 'complete_or_timeout') {
    expect(['[DONE]', 'http_error', 'error_then_close'], seen.text).toContain(seen.terminal)
  } else {
    expect(allowed, seen.text).toContain(seen.terminal)
  }
  if (seen.terminal === 'http_error' && row.expect.http_status !== undefined) {
    expect([row.expect.http_status].flat(), seen.text).toContain(seen.status)
  }
  if (seen.terminal === '[DONE]') {
    if (row.expect.content !== undefined) expect(seen.content.get(0) ?? '').toBe(row.expect.content)
    if (row.expect.finish_reason !== undefined) expect(seen.finish.get(0)).toBe(row.expect.finish_reason)
    for (const [index, [text, finish]] of (row.expect.choices ?? []).entries()) {
      expect([seen.content.get(index), seen.finish.get(index)]).toEqual([text, finish])
    }
    expect(seen.text.split('data: [DONE]').length - 1, 'exactly one [DONE]').toBe(1)
  } else {
    expect(seen.text).not.toContain('[DONE]')
    if (typeof row.expect.error_code === 'string') expect(seen.errorCode).toBe(row.expect.error_code)
    expect([...seen.finish.keys()], 'no invented finish').toEqual([])
  }
  for (const secret of SECRETS) expect(seen.text).not.toContain(secret)
  expect(seen.text).not.toMatch(/set-cookie|x-evil/)
}

function bodyOf(row: Row): Buffer {
  const { gen } = row.upstream
  if (gen === undefined || gen === null) return Buffer.from(row.upstream.body_b64 ?? '', 'base64')
  const chunk = (choices: unknown): string =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`
  const ending = `${chunk([{ index: 0, delta: {}, finish_reason: 'stop' }])}data: [DONE]\n\n`
  switch (gen.fn) {
    case 'repeat':
      return Buffer.from((gen.unit ?? '').repeat(gen.times ?? 0))
    case 'sse_big_delta':
      return Buffer.concat([
        Buffer.from(
          'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"',
        ),
        Buffer.alloc(gen.bytes ?? 0, 'a'),
        Buffer.from(`"},"finish_reason":null}]}\n\n${ending}`),
      ])
    case 'sse_choices':
      return Buffer.from(
        chunk(
          Array.from({ length: gen.count ?? 0 }, (_, index) => ({
            index,
            delta: { content: 'x' },
            finish_reason: null,
          })),
        ) + ending,
      )
    case 'sse_tool_args':
      return Buffer.from(
        chunk([
          {
            index: 0,
            delta: {
              role: 'assistant',
              tool_calls: [
                {
                  index: 0,
                  id: 'call_1',
                  type: 'function',
                  function: { name: 'f', arguments: `{"a":"${'x'.repeat(gen.bytes ?? 0)}"}` },
                },
              ],
            },
            finish_reason: null,
          },
        ]) + ending,
      )
    default:
      throw new Error(`Unknown generator ${gen.fn}.`)
  }
}

/** One script per run that the row asks for. */
function scriptsOf(row: Row): readonly ByteScript[] {
  const body = bodyOf(row)
  const { delivery, status, headers, end } = row.upstream
  const script = (cuts: readonly number[], pausesMs: readonly number[] = []): ByteScript => ({
    status,
    headers,
    body,
    cuts,
    pausesMs,
    end,
  })
  if (delivery === 'whole' || delivery === undefined) return [script([])]
  if (delivery === 'each_byte') return [script(Array.from({ length: body.length }, (_, i) => i))]
  if (delivery === 'all_single_splits')
    return Array.from({ length: Math.max(0, body.length - 1) }, (_, i) => script([i + 1], [0, 1]))
  if (delivery === 'random_splits_100')
    return Array.from({ length: 100 }, (_, run) => script(randomCuts(body.length, run + 1)))
  if (Array.isArray(delivery)) return [script(delivery as readonly number[], [0, 5])]
  return []
}

/** Cut sets from a seeded generator (mulberry32), so that a failure can be repeated. */
function randomCuts(length: number, seed: number): readonly number[] {
  let state = seed * 0x9e3779b9
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return Array.from({ length: 1 + Math.floor(next() * 20) }, () => Math.floor(next() * length)).sort((a, b) => a - b)
}

test.each(rows.filter((row) => !row.id.startsWith('time/')).map((row) => [row.id, row] as const))(
  '%s',
  async (_id, row) => {
    for (const script of scriptsOf(row)) {
      upstream.script = script
      judge(row, await ask())
    }
  },
)

describe('time', () => {
  const timed = rows.filter((row) => row.id.startsWith('time/'))

  test.each(timed.map((row) => [row.id, row] as const))('%s, fifty times faster', async (_id, row) => {
    const body = bodyOf(row)
    const { delivery, status, headers, end } = row.upstream
    const timing = delivery as { readonly timing_ms?: readonly number[]; readonly byte_every_ms?: number }
    const every = Array.from({ length: body.length }, (_, i) => i)
    // Bytes a second apart cannot be told from silence when time runs fifty times faster than the limits: five milliseconds do.
    const half = Math.floor(body.length / 2)
    upstream.script = timing.timing_ms
      ? {
          status,
          headers,
          body,
          cuts: timing.timing_ms.map((_, i) => Math.floor((half * (i + 1)) / timing.timing_ms!.length)),
          pausesMs: timing.timing_ms.map((ms) => (ms < 0 ? -1 : ms / 50)),
          end,
        }
      : { status, headers, body, cuts: every, pausesMs: [5], end }
    judge(row, await ask())
  })
})

test('after all of them the process is the same one, ready, with nothing in flight and bounded memory', async () => {
  expect(gateway.child.exitCode).toBeNull()
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(page).toMatch(/switchyard_upstream_inflight\{[^}]*\} 0/)
  const rss = Number(/process_resident_memory_bytes (\d+)/.exec(page)?.[1])
  expect(rss).toBeLessThan(600 * 1024 * 1024)
  for (const secret of ['sk-SECRET-123', 'sk-upstream-test', 'sk-test']) expect(gateway.output()).not.toContain(secret)
})
