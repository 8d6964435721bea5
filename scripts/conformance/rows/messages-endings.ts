/** Usage, stop reasons and failures of `/v1/messages`. */
import { failsAsMessage, stopReason, stops, type MessageEvent } from '../messages-reply.ts'
import type { Reply } from '../reply.ts'
import { holds, same, type Row } from '../row.ts'
import { MESSAGES_STREAM, thread } from '../sources.ts'
import { SECRET, type Story } from '../story.ts'
import { tell } from '../tell.ts'
import { leaves } from '../verdicts.ts'

const SAID: Story = { say: ['Hel', 'lo'] }
const TOOLS = [{ name: 'clock', input_schema: { type: 'object' } }]

function ending(name: string, promise: string, source: string, story: Story, verdict: (reply: Reply) => void): Row {
  const more = story.calls === undefined ? {} : { tools: TOOLS }
  const check: Row['check'] = async (probe) => verdict(await probe.stream(more))
  return { id: `messages/${name}`, dialect: 'messages', promise, source, upstream: tell(story), check }
}

/** What a client knows in the end: a count of `message_delta` replaces that of `message_start`. */
function finalUsage(events: readonly MessageEvent[]): NonNullable<MessageEvent['usage']> {
  const end = events.find(({ type }) => type === 'message_delta')
  return { ...events[0]?.message?.usage, ...end?.usage }
}

/** An answer that ends with the reason. */
function reason(name: string, promise: string, source: string, story: Story, wanted: string): Row {
  return ending(name, promise, source, story, (reply) => same(stopReason(stops(reply)), wanted, 'stop reason'))
}

export const MESSAGES_ENDING_ROWS: readonly Row[] = [
  ending(
    'usage',
    'The tokens are right in the end although the provider reports them after its last word.',
    thread('fuergaosi233/claude-code-proxy#16', 'pull'),
    SAID,
    (reply) => {
      const { input_tokens, output_tokens } = finalUsage(stops(reply))
      same([input_tokens, output_tokens], [5, 7], 'tokens')
    },
  ),
  ending(
    'usage-in-delta',
    '`message_delta` repeats the prompt’s tokens where `message_start` could not know them.',
    thread('raine/claude-code-proxy#154', 'pull'),
    SAID,
    (reply) => {
      const events = stops(reply)
      const early = events[0]?.message?.usage?.input_tokens
      same(events.find(({ type }) => type === 'message_delta')?.usage?.input_tokens ?? early, 5, 'input tokens')
    },
  ),
  ending(
    'usage-cumulative',
    'Counts are running totals: `message_start` claims no output beyond what `message_delta` says.',
    thread('getpaseo/paseo#4295', 'pull'),
    SAID,
    (reply) => {
      const events = stops(reply)
      holds(Number(events[0]?.message?.usage?.output_tokens) <= 7, 'message_start counts more than the whole')
      same(events.find(({ type }) => type === 'message_delta')?.usage?.output_tokens, 7, 'output tokens')
    },
  ),
  ending(
    'cached-tokens',
    'Cached prompt tokens are told apart: `input_tokens` does not hold them, as it does in OpenAI’s count.',
    thread('ericc-ch/copilot-api#88'),
    { ...SAID, cachedTokens: 3 },
    (reply) => {
      const { input_tokens, cache_read_input_tokens } = finalUsage(stops(reply))
      same([input_tokens, cache_read_input_tokens], [2, 3], 'tokens')
    },
  ),
  reason('end-turn', 'An answer that ends by itself ends with `end_turn`.', MESSAGES_STREAM, SAID, 'end_turn'),
  reason(
    'tool-use',
    'An answer that ends with a call ends with `tool_use`.',
    thread('routatic/proxy#163', 'pull'),
    { calls: [{ id: 'call_a', name: 'clock', args: ['{"zone":"CET"}'] }] },
    'tool_use',
  ),
  reason(
    'tool-use-said-stop',
    'An answer with a call ends with `tool_use` although the provider said `stop`.',
    thread('weave-os/router#331', 'pull'),
    { calls: [{ id: 'call_a', name: 'clock', args: ['{"zone":"CET"}'] }], finish: 'stop' },
    'tool_use',
  ),
  reason(
    'max-tokens',
    'An answer that the token limit cut ends with `max_tokens`, not with `end_turn`.',
    thread('BerriAI/litellm#25825'),
    { ...SAID, finish: 'length' },
    'max_tokens',
  ),
  reason(
    'filtered',
    'An answer that a content filter cut ends with `refusal`, not with `end_turn`.',
    thread('BerriAI/litellm#40857'),
    { ...SAID, finish: 'content_filter' },
    'refusal',
  ),
  {
    id: 'messages/stop-sequences',
    dialect: 'messages',
    promise: 'The caller’s `stop_sequences` reach the provider.',
    source: thread('BerriAI/litellm#37118'),
    upstream: tell(SAID),
    check: async (probe) => {
      await probe.stream({ stop_sequences: ['###'] })
      const body = probe.upstream.seen[0]?.body
      holds(body !== undefined, 'the request never reached the upstream')
      same([body['stop'] ?? body['stop_sequences']].flat(), ['###'], 'stop sequences')
    },
  },
  ending(
    'error-event',
    'A provider that fails in mid-answer ends the stream with `event: error` in the API’s envelope.',
    thread('BerriAI/litellm#41826', 'pull'),
    { ...SAID, end: 'fail' },
    (reply) => {
      const error = failsAsMessage(reply).find(({ type }) => type === 'error')?.error
      holds(typeof error?.type === 'string' && typeof error.message === 'string', 'no error.type and error.message')
      same(reply.named.at(-1)?.name, 'error', 'name of the last event')
    },
  ),
  ending(
    'cut',
    'A connection that breaks in mid-answer never ends in `message_stop`.',
    thread('weave-os/router#331', 'pull'),
    { ...SAID, end: 'cut' },
    failsAsMessage,
  ),
  ending(
    'close-without-end',
    'A provider that closes cleanly before its end is a failure too.',
    thread('weave-os/router#331', 'pull'),
    { ...SAID, end: 'close' },
    failsAsMessage,
  ),
  ending(
    'error-before-content',
    'A provider that fails before any content makes an HTTP error in the envelope `{type: "error", error: {type, message}}`.',
    thread('coder/aibridge#56'),
    { end: 'fail' },
    (reply) => {
      holds(reply.status >= 400, `status ${reply.status} for a request that failed`)
      const { type, error } = reply.json as Partial<MessageEvent>
      same(type, 'error', 'type')
      holds(typeof error?.type === 'string' && typeof error.message === 'string', 'no error.type and error.message')
    },
  ),
  ending(
    'no-upstream-secrets',
    'The provider’s own error text, which may hold keys and hosts, does not reach the caller.',
    thread('mozilla-ai/any-llm#839', 'pull'),
    { ...SAID, end: 'fail' },
    (reply) => holds(!reply.body.toString().includes(SECRET), 'the upstream’s key is in the answer'),
  ),
  {
    id: 'messages/cancel',
    dialect: 'messages',
    promise: 'A caller that leaves in mid-answer frees the provider within a second.',
    source: thread('BerriAI/litellm#36126', 'pull'),
    upstream: tell({ ...SAID, end: 'hang' }),
    check: async (probe) => {
      const live = probe.open({ stream: true })
      await live.until((text) => text.includes('Hel'), 'no first token')
      await leaves(probe, live)
    },
  },
]
