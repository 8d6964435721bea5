/** Rows of broken upstream streams (`test/fixtures/badinput/sse.jsonl`) as what a byte server is to play. */
import type { ByteScript } from './byte-upstream.ts'

export interface StreamRow {
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
    readonly bill: string
    readonly retry?: 'no' | 'yes' | 'yes_before_first_byte' | 'yes_before_first_content' | 'other_target'
    readonly content?: string
    readonly finish_reason?: string
    readonly http_status?: number | readonly number[]
    readonly error_code?: string | null
    readonly choices?: readonly (readonly [string, string])[]
  }
}

function bodyOf(row: StreamRow): Buffer {
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

/**
 * One script per run that the row asks for. Where a row asks for every single split, `every` takes only each so many-th: the decoder
 * does not know which dialect its events will be written in, so that one dialect with all of them is enough.
 */
export function scriptsOf(row: StreamRow, every = 1): readonly ByteScript[] {
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
    return Array.from({ length: Math.ceil(Math.max(0, body.length - 1) / every) }, (_, i) =>
      script([i * every + 1], [0, 1]),
    )
  if (delivery === 'random_splits_100')
    return Array.from({ length: Math.ceil(100 / every) }, (_, run) => script(randomCuts(body.length, run + 1)))
  if (Array.isArray(delivery)) return [script(delivery as readonly number[], [0, 5])]
  return []
}

/** A row about time, fifty times faster. */
export function hurriedScriptOf(row: StreamRow): ByteScript {
  const body = bodyOf(row)
  const { delivery, status, headers, end } = row.upstream
  const { timing_ms: timing } = delivery as { readonly timing_ms?: readonly number[] }
  // Bytes a second apart cannot be told from silence when time runs fifty times faster than the limits: five milliseconds do.
  if (timing === undefined)
    return { status, headers, body, cuts: Array.from({ length: body.length }, (_, i) => i), pausesMs: [5], end }
  const half = Math.floor(body.length / 2)
  return {
    status,
    headers,
    body,
    cuts: timing.map((_, i) => Math.floor((half * (i + 1)) / timing.length)),
    pausesMs: timing.map((ms) => (ms < 0 ? -1 : ms / 50)),
    end,
  }
}

/** Cut sets from a seeded generator (mulberry32), so that a failure can be repeated. */
export function randomCuts(length: number, seed: number): readonly number[] {
  let state = seed * 0x9e3779b9
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return Array.from({ length: 1 + Math.floor(next() * 20) }, () => Math.floor(next() * length)).sort((a, b) => a - b)
}
