/** The shared table of requests that must, may or must never be answered from memory, through a real gateway. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startFakeUpstream, type Answer } from '../support/fake-upstream.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'

const FILE = fileURLToPath(new URL('../../../shared/data/cache/requests.jsonl', import.meta.url))

interface Sketch {
  readonly finish_reason?: string
  readonly content?: string | null
  readonly tool_calls?: unknown
  readonly http?: number
  readonly stream_complete?: boolean
  readonly guardrail?: string
}
interface Row {
  readonly id: string
  readonly kind: string
  readonly expect: 'exact' | 'exact-optional' | 'semantic' | 'miss' | 'never' | 'never-semantic'
  readonly first: { readonly tenant: string; readonly body: { readonly stream?: boolean; readonly model: string } }
  readonly response: Sketch
  readonly second: { readonly tenant: string; readonly body: object }
}

const rows = (): readonly Row[] =>
  readFileSync(FILE, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
    // What a guard on answers rewrites does not exist here: there is none.
    .filter(({ response }) => response.guardrail === undefined)

/** Says what the sketch of a row says; the second request is answered with words of its own. */
function sketched({ response }: Row): Answer {
  return (_request, reply) => {
    if (response.stream_complete === false) {
      reply.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      reply.write('{"id":"x","choices":[')
      setTimeout(() => reply.destroy(), 5)
      return
    }
    reply.writeHead(response.http ?? 200, { 'content-type': 'application/json' })
    const message = { role: 'assistant', content: response.content ?? null, tool_calls: response.tool_calls }
    reply.end(
      JSON.stringify({
        id: 'x',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message, finish_reason: response.finish_reason ?? 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
      }),
    )
  }
}

test.skipIf(!existsSync(FILE))('every row: hits where it must, and nothing else', async () => {
  const upstream = await startFakeUpstream()
  const tenants = ['t1', 't2']
  const names = [
    ...new Set(rows().flatMap(({ first, second }) => [first.body.model, (second.body as Row['first']['body']).model])),
  ]
  const models = names.flatMap((name) => {
    const [model = '', at = 'hosted'] = name.split('/').reverse()
    return name === 'auto' ? [] : [`  ${model.replaceAll('.', '-')}: { upstream: ${at}, model: "${model}" }\n`]
  })
  const upstreams = ['hosted', 'local'].map(
    (name) =>
      `  ${name}: { kind: openai, baseUrl: "${upstream.url}/v1", apiKey: env:TEST_UPSTREAM_KEY, retries: 0, breaker: off, ask: as-asked }\n`,
  )
  const gateway = await startGatewayProcess({
    config: `
upstreams:
${upstreams.join('')}models:
${models.join('')}keys:
${tenants.map((tenant) => `  - { name: ${tenant}, key: sk-${tenant}, tenant: ${tenant} }\n`).join('')}
budget: { holdWaitMs: 0 }
telemetry: { log: off }
`,
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
  })
  const ask = async (tenant: string, body: object, kind: string): Promise<string> => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer sk-${tenant}`,
        'content-type': 'application/json',
        ...(kind === 'cache-control-no-store' ? { 'cache-control': 'no-store' } : {}),
      },
      body: JSON.stringify(body),
    })
    const cache = response.headers.get('x-cache') ?? `none (${response.status})`
    await response.text().catch(() => {})
    return cache
  }
  const wrong: string[] = []
  const seen: Record<string, number> = {}
  for (const row of rows()) {
    // Rows share texts: each is played in a memory of its own.
    upstream.answer = sketched(row)
    const seed = (body: object): object => ({ ...body, stop: [row.id, ...stopsOf(body)].slice(0, 4) })
    await ask(row.first.tenant, seed(row.first.body), row.kind)
    const cache = await ask(row.second.tenant, seed(row.second.body), '')
    // The second request of some rows differs besides, so that the first is asked again, too.
    const again = row.expect === 'never' ? await ask(row.first.tenant, seed(row.first.body), row.kind) : cache
    const isHit = [cache, again].includes('hit-exact')
    seen[row.expect] = (seen[row.expect] ?? 0) + 1
    if ((row.expect === 'exact') !== isHit && row.expect !== 'exact-optional') {
      wrong.push(`${row.id} ${row.kind}: expected ${row.expect}, was ${cache}, ${again}`)
    }
  }
  expect(wrong).toEqual([])
  expect(seen['exact']).toBeGreaterThan(50)
  expect(seen['never']).toBeGreaterThan(30)
})

function stopsOf(body: object): readonly string[] {
  const { stop } = body as { readonly stop?: string | readonly string[] }
  return stop === undefined ? [] : typeof stop === 'string' ? [stop] : stop
}
