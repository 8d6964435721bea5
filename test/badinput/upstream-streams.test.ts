/**
 * Byte streams of broken and merely odd upstreams through the real process: cut anywhere, every legal framing, every kind of end,
 * errors before and inside the stream, odd chunks, wrong usage. What a caller must see last is the row's `expect.terminal`, said as its
 * own API says it: an error frame and no `[DONE]`, `event: error` and no `message_stop`, `response.failed` and no `response.completed`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startByteUpstream, type ByteScript, type ByteUpstream } from '../support/byte-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'
import { askStream, endMarkOf, INGRESSES, type Ingress, type Seen } from '../support/stream-callers.ts'
import { judgeBill, type Booked } from '../support/stream-bills.ts'
import { hurriedScriptOf, scriptsOf, type StreamRow } from '../support/stream-rows.ts'
import { readFixture } from '../support/vectors.ts'

const SECRETS = ['sk-SECRET-123', 'upstream says no', '502 Bad Gateway', 'MidStreamFallbackError']
const rows = readFixture<StreamRow>('badinput/sse.jsonl')
/** What the Messages API says in another way: a refusal's words are text, and its own reason to stop. */
const OTHERWISE: Readonly<Record<string, Partial<StreamRow['expect']>>> = {
  'messages odd/refusal': { content: 'no', finish_reason: 'content_filter' },
}
/** Of the rows with a run for each split, so many-th are enough where another dialect has run all of them. */
const EVERY: Readonly<Record<Ingress, number>> = { chat: 1, messages: 25, responses: 25 }
/** Nano-dollars a token, as the models below are priced. */
const RATES = { small: { input: 50, output: 200 }, anthropic: { input: 1000, output: 5000 } } as const

let upstream: ByteUpstream
let gateway: Awaited<ReturnType<typeof startGatewayProcess>>

beforeAll(async () => {
  upstream = await startByteUpstream()
  const config = configFor({ small: upstream.url })
    .replaceAll('idleMs: 2000', 'idleMs: 700')
    .replaceAll('firstByteMs: 2000', 'firstByteMs: 900')
    .replace(
      'models:\n',
      `  claude: { kind: anthropic, baseUrl: "${upstream.url}", apiKey: env:TEST_UPSTREAM_KEY, retries: 0, breaker: off }
models:
  anthropic: { upstream: claude, model: claude-sonnet-4-5, tier: frontier, contextTokens: 200000, price: { inputPerM: 1, outputPerM: 5 } }
`,
    )
    .replace('routes:\n', 'routes:\n  either: { small: [small, big], big: [big] }\n')
  gateway = await startGatewayProcess({ config, env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' }, ownedByTest: false })
})

afterAll(async () => {
  await gateway.stop()
  await upstream.stop()
})

function allowedTerminals({ expect: { terminal, outcome } }: StreamRow): readonly string[] {
  if (outcome === 'complete_or_error' || outcome === 'complete_or_timeout')
    return ['done', 'http_error', 'error_then_close']
  return [terminal].flat().flatMap((each) => {
    if (each === '[DONE]') return ['done']
    if (each === 'http_error_or_error_frame') return ['http_error', 'error_then_close']
    // Something that could not be decoded at all is an error before anything was sent.
    if (each === 'error_then_close' && outcome === 'policy') return ['http_error', 'error_then_close']
    return [each]
  })
}

function judge(row: StreamRow, ingress: Ingress, seen: Seen): void {
  expect(allowedTerminals(row), seen.text).toContain(seen.terminal)
  if (seen.terminal === 'http_error' && row.expect.http_status !== undefined)
    expect([row.expect.http_status].flat(), seen.text).toContain(seen.status)
  if (seen.terminal === 'done') {
    if (row.expect.content !== undefined) expect(seen.content.get(0) ?? '').toBe(row.expect.content)
    if (row.expect.finish_reason !== undefined) expect(seen.finish.get(0)).toBe(row.expect.finish_reason)
    // The other two APIs have one answer to a request: the first.
    const choices = (row.expect.choices ?? []).slice(0, ingress === 'chat' ? undefined : 1)
    for (const [index, [text, finish]] of choices.entries())
      expect([seen.content.get(index), seen.finish.get(index)]).toEqual([text, finish])
  } else {
    expect(seen.text).not.toContain(endMarkOf(ingress))
    if (typeof row.expect.error_code === 'string') expect(seen.errorCode).toBe(row.expect.error_code)
    expect([...seen.finish.keys()], 'no invented finish').toEqual([])
  }
  for (const secret of SECRETS) expect(seen.text).not.toContain(secret)
  expect(seen.text).not.toMatch(/set-cookie|x-evil/)
}

describe.each(INGRESSES)('%s', (ingress) => {
  test.each(rows.map((row) => [row.id, row] as const))('%s', async (id, row) => {
    const said = { ...row, expect: { ...row.expect, ...OTHERWISE[`${ingress} ${id}`] } }
    const model = id.startsWith('anthropic/') ? 'anthropic' : 'small'
    // Time runs fifty times faster than in the row.
    const scripts = id.startsWith('time/') ? [hurriedScriptOf(row)] : scriptsOf(row, EVERY[ingress])
    const task = `${ingress}-${id.replaceAll(/[^a-z0-9-]/gi, '-')}`
    const callsBefore = upstream.calls
    let seen: Seen | undefined
    for (const script of scripts) {
      upstream.script = script
      seen = await askStream(gateway.url, ingress, { model, headers: { 'x-task-id': task } })
      judge(said, ingress, seen)
    }
    if (ingress !== 'chat' || seen === undefined) return
    judgeBill(row, seen, await bookedOf(task), RATES[model], scripts.length)
    if (row.expect.retry === undefined || row.expect.retry === 'yes') return
    expect(upstream.calls - callsBefore, 'nothing is repeated where the operator set no retries').toBe(scripts.length)
  })
})

describe('where there is another target', () => {
  const withRetry = rows.filter(({ id, expect: { retry } }) => retry !== undefined && !id.startsWith('anthropic/'))

  test.each(withRetry.map((row) => [row.id, row.expect.retry, row] as const))('%s: %s', async (_id, retry, row) => {
    upstream.script = scriptsOf(row)[0] as ByteScript
    const callsBefore = upstream.calls
    const seen = await askStream(gateway.url, 'chat', { model: 'either' })
    const calls = upstream.calls - callsBefore
    const hasContent = (seen.content.get(0) ?? '') !== ''
    if (hasContent) expect([retry, calls]).toEqual(['no', 1])
    // Also where a row says `no`: the caller has seen no content yet, and what the first try may have cost stays booked.
    else expect(calls).toBeGreaterThan(1)
  })
})

async function bookedOf(task: string): Promise<Booked> {
  const reply = await fetch(`${gateway.url}/v1/tasks/${task}`, { headers: { authorization: 'Bearer sk-test' } })
  return (await reply.json()) as Booked
}

test('after all of them the process is the same one, ready, with nothing in flight and bounded memory', async () => {
  expect(gateway.child.exitCode).toBeNull()
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(page).toMatch(/switchyard_upstream_inflight\{[^}]*\} 0/)
  expect(page).toMatch(/^switchyard_budget_held_usd 0$/m)
  const rss = Number(/process_resident_memory_bytes (\d+)/.exec(page)?.[1])
  expect(rss).toBeLessThan(600 * 1024 * 1024)
  for (const secret of ['sk-SECRET-123', 'sk-upstream-test', 'sk-test']) expect(gateway.output()).not.toContain(secret)
})
