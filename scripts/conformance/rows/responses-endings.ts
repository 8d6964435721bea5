/** How answers of `/v1/responses` end when they do not end well, and its whole answers. */
import { completes, endsAs, failsAsResponse, run, type ResponseObject } from '../responses-reply.ts'
import type { Reply } from '../reply.ts'
import { holds, same, type Row } from '../row.ts'
import { RESPONSE_TYPE, RESPONSES_STREAM, thread } from '../sources.ts'
import { SECRET, type Story } from '../story.ts'
import { tell } from '../tell.ts'
import { leaves, refuses } from '../verdicts.ts'

const SAID: Story = { say: ['Hel', 'lo'] }

function ending(name: string, promise: string, source: string, story: Story, verdict: (reply: Reply) => void): Row {
  const check: Row['check'] = async (probe) => verdict(await probe.stream())
  return { id: `responses/${name}`, dialect: 'responses', promise, source, upstream: tell(story), check }
}

export const RESPONSES_ENDING_ROWS: readonly Row[] = [
  ending(
    'incomplete',
    'An answer that the token limit cut ends with `response.incomplete` and says why.',
    thread('jundot/omlx#2817', 'pull'),
    { ...SAID, finish: 'length' },
    (reply) => {
      const response = endsAs(reply, 'response.incomplete').at(-1)?.response
      same([response?.status, response?.incomplete_details?.reason], ['incomplete', 'max_output_tokens'], 'end')
    },
  ),
  ending(
    'filtered',
    'An answer that a content filter cut ends with `response.incomplete` too, and says so.',
    RESPONSE_TYPE,
    { ...SAID, finish: 'content_filter' },
    (reply) =>
      same(
        endsAs(reply, 'response.incomplete').at(-1)?.response?.incomplete_details?.reason,
        'content_filter',
        'reason',
      ),
  ),
  {
    id: 'responses/incomplete-whole',
    dialect: 'responses',
    promise: 'A whole answer that was cut says `incomplete` and why.',
    source: thread('vllm-project/vllm#24561', 'pull'),
    upstream: tell({ ...SAID, finish: 'length' }),
    check: async (probe) => {
      const { status, incomplete_details } = (await probe.whole()).json as ResponseObject
      same([status, incomplete_details?.reason], ['incomplete', 'max_output_tokens'], 'end')
    },
  },
  {
    id: 'responses/whole',
    dialect: 'responses',
    promise: 'A whole answer holds the items that the stream of the same answer ends with.',
    source: RESPONSES_STREAM,
    upstream: tell({ think: ['Hm.'], ...SAID, calls: [{ id: 'call_a', name: 'clock', args: ['{"zone":"CET"}'] }] }),
    check: async (probe) => {
      const tools = [{ type: 'function', name: 'clock', parameters: { type: 'object' } }]
      const whole = (await probe.whole({ tools })).json as ResponseObject
      const streamed = completes(await probe.stream({ tools })).at(-1)?.response
      const plain = (response: ResponseObject | undefined): unknown =>
        response?.output?.map((item) => ({ ...item, id: undefined }))
      same(plain(whole), plain(streamed), 'items')
      same([whole.object, whole.status, whole.output?.length], ['response', 'completed', 3], 'response')
    },
  },
  ending(
    'failed',
    'A provider that fails in mid-answer ends the stream with `response.failed`.',
    thread('vllm-project/semantic-router#3063'),
    { ...SAID, end: 'fail' },
    (reply) => {
      const failed = run(failsAsResponse(reply), 'response.failed')[0]?.response
      same(failed?.status, 'failed', 'status of the response')
      holds(typeof failed?.error?.message === 'string', 'no error.message')
    },
  ),
  ending(
    'failed-numbered',
    '`response.failed` has the next `sequence_number` and the id of the response.',
    thread('BerriAI/litellm#40243', 'pull'),
    { ...SAID, end: 'fail' },
    (reply) => {
      const events = failsAsResponse(reply)
      const at = events.findIndex(({ type }) => type === 'response.failed')
      holds(at > 0, 'no response.failed')
      same(events[at]?.sequence_number, Number(events[at - 1]?.sequence_number) + 1, 'sequence_number')
      same(events[at]?.response?.id, events[0]?.response?.id, 'id')
    },
  ),
  ending(
    'nothing-after-failed',
    'After a failure no item is finished and no response completed.',
    thread('openclaw/openclaw#113629', 'pull'),
    { ...SAID, end: 'fail' },
    (reply) => {
      const events = failsAsResponse(reply)
      const at = events.findIndex(({ type }) => type === 'response.failed' || type === 'error')
      const after = events.slice(at).map(({ type }) => type)
      same(
        after.filter((type) => type !== 'response.failed' && type !== 'error'),
        [],
        'events after the failure',
      )
    },
  ),
  ending(
    'cut',
    'A connection that breaks in mid-answer is a failure, not a silent end.',
    thread('icebear0828/codex-proxy#466', 'pull'),
    { ...SAID, end: 'cut' },
    failsAsResponse,
  ),
  ending(
    'close-without-end',
    'A provider that closes cleanly before its end is a failure too.',
    thread('ollama/ollama#17531', 'pull'),
    { ...SAID, end: 'close' },
    failsAsResponse,
  ),
  ending(
    'fail-before-content',
    'A provider that fails before any content makes an HTTP error, which clients can retry.',
    thread('QuantumNous/new-api#3142'),
    { end: 'fail' },
    refuses,
  ),
  ending(
    'no-upstream-secrets',
    'The provider’s own error text, which may hold keys and hosts, does not reach the caller.',
    thread('mozilla-ai/any-llm#839', 'pull'),
    { ...SAID, end: 'fail' },
    (reply) => holds(!reply.body.toString().includes(SECRET), 'the upstream’s key is in the answer'),
  ),
  {
    id: 'responses/cancel',
    dialect: 'responses',
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
