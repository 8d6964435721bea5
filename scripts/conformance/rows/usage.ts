import { chunk, DONE, PLAIN, ROLE, saying, stream, usage } from '../scripts.ts'
import { holds, same, type Row } from '../row.ts'
import { thread } from '../sources.ts'
import { succeeds } from '../verdicts.ts'

type Part = Omit<Row, 'dialect'>

const ASK = { stream_options: { include_usage: true } }

function tokens(total: number): object {
  return { prompt_tokens: 5, completion_tokens: total - 5, total_tokens: total }
}

/** A row whose upstream reports usage in an unusual place, and whose caller must still get 12 tokens once, at the end. */
function counted(
  name: string,
  promise: string,
  from: string,
  kind: 'issues' | 'pull',
  frames: readonly string[],
): Part {
  return {
    id: `usage/${name}`,
    promise,
    source: thread(from, kind),
    upstream: stream(ROLE, ...frames, DONE),
    check: async (probe) => {
      const reply = await probe.stream(ASK)
      succeeds(reply, 'Hello')
      same(reply.usages().length, 1, 'chunks with usage')
      same(reply.usages()[0]?.['total_tokens'], 12, 'tokens')
      same(reply.chunks.at(-1)?.choices, [], 'choices of the usage chunk')
    },
  }
}

const ROWS: readonly Part[] = [
  {
    id: 'usage/not-asked',
    promise: 'A caller that did not ask for usage gets no usage chunk.',
    source: thread('nguyenphutrong/quotio#460'),
    check: async (probe) => {
      const reply = await probe.stream()
      same(reply.usages().length, 0, 'chunks with usage')
      for (const each of reply.chunks) holds((each.choices?.length ?? 0) > 0, 'a chunk without choices')
    },
  },
  {
    id: 'usage/asked',
    promise: 'A caller that asked gets usage once, in a last chunk with empty `choices`.',
    source: thread('openai/openai-openapi#240', 'pull'),
    check: async (probe) => {
      const reply = await probe.stream(ASK)
      succeeds(reply)
      same(reply.usages().length, 1, 'chunks with usage')
      holds(reply.chunks.at(-1)?.usage != null, 'the last chunk before [DONE] has no usage')
      same(reply.chunks.at(-1)?.choices, [], 'choices of the usage chunk')
    },
  },
  {
    id: 'usage/null-elsewhere',
    promise: 'If usage was asked for, every other chunk says `usage: null`.',
    source: thread('openai/openai-openapi#240', 'pull'),
    upstream: PLAIN,
    check: async (probe) => {
      const others = (await probe.stream(ASK)).chunks.slice(0, -1)
      same(others.filter((each) => each.usage !== null).length, 0, 'chunks without `usage: null`')
    },
  },
  {
    id: 'usage/asked-upstream',
    promise: 'The upstream is asked for usage even where the caller did not ask, or nobody can account for the stream.',
    source: thread('mozilla-ai/any-llm#974', 'pull'),
    upstream: PLAIN,
    check: async (probe) => {
      await probe.stream()
      const body = probe.upstream.seen[0]?.body
      holds(
        body?.['stream'] !== true || JSON.stringify(body['stream_options']) === '{"include_usage":true}',
        'not asked',
      )
    },
  },
  {
    id: 'usage/unasked-from-upstream',
    promise: 'Usage that the upstream sends unasked stays hidden from a caller that did not ask.',
    source: thread('entrius/gittensor#1750', 'pull'),
    upstream: stream(ROLE, chunk({ content: 'Hello' }), chunk({}, 'stop'), usage({ ...tokens(12), x: 1 }), DONE),
    check: async (probe) => {
      const reply = await probe.stream()
      succeeds(reply, 'Hello')
      same(reply.usages().length, 0, 'chunks with usage')
    },
  },
  counted('twice', 'Usage that the upstream sends twice is counted once.', 'FootprintAI/Containarium#788', 'pull', [
    chunk({ content: 'Hello' }),
    chunk({}, 'stop'),
    usage(tokens(12)),
    usage(tokens(12)),
  ]),
  counted(
    'cumulative',
    'Usage in every chunk is a running total: the last counts, not the sum.',
    'InsForge/InsForge#2015',
    'issues',
    [
      chunk({ content: 'Hel' }, null, { usage: tokens(6) }),
      chunk({ content: 'lo' }, null, { usage: tokens(7) }),
      chunk({}, 'stop', { usage: tokens(12) }),
    ],
  ),
  counted(
    'on-finish',
    'Usage that comes with the finish chunk is reported in a chunk of its own.',
    'router-for-me/CLIProxyAPI#796',
    'issues',
    [chunk({ content: 'Hello' }), chunk({}, 'stop', { usage: tokens(12) })],
  ),
  counted(
    'beside-empty-delta',
    'Usage beside a choice with an empty delta is not lost.',
    'diegosouzapw/OmniRoute#9750',
    'issues',
    [chunk({ content: 'Hello' }), chunk({}, 'stop'), usage(tokens(12), [{ index: 0, delta: {} }])],
  ),
  counted('partial', 'A usage object without counts in mid-stream is not usage.', 'theopenco/llmgateway#2861', 'pull', [
    chunk({ content: 'Hello' }, null, { usage: { prompt_tokens_details: { cached_tokens: 0 } } }),
    chunk({}, 'stop'),
    usage(tokens(12)),
  ]),
  {
    id: 'usage/none-upstream',
    promise: 'Usage that was asked for comes although the upstream reports none.',
    source: thread('api7/aisix#108'),
    upstream: stream(ROLE, chunk({ content: 'Hello' }), chunk({}, 'stop'), DONE),
    check: async (probe) => {
      const reply = await probe.stream(ASK)
      succeeds(reply, 'Hello')
      same(reply.usages().length, 1, 'chunks with usage')
      holds(Number(reply.usages()[0]?.['completion_tokens']) > 0, 'no tokens counted')
    },
  },
  {
    id: 'usage/cached-tokens',
    promise: 'Cached prompt tokens are passed on, or the caller is billed the full price.',
    source: thread('maximhq/bifrost#3451'),
    upstream: stream(
      ...saying('Hello').slice(0, -2),
      usage({ ...tokens(12), prompt_tokens_details: { cached_tokens: 3 } }),
      DONE,
    ),
    check: async (probe) => {
      const details = (await probe.stream(ASK)).usages().at(-1)?.['prompt_tokens_details']
      same((details as { cached_tokens?: number } | undefined)?.cached_tokens, 3, 'cached tokens')
    },
  },
]

export const USAGE_ROWS: readonly Row[] = ROWS.map((part) => ({ dialect: 'chat', ...part }))
