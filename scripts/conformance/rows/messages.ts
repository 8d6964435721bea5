/** The events of a good answer of `/v1/messages`. */
import { blocksOf, messageEvents, stopReason, stops, type MessageEvent } from '../messages-reply.ts'
import { holds, same, type Row } from '../row.ts'
import { MESSAGES_STREAM, thread } from '../sources.ts'
import type { Story } from '../story.ts'
import { tell } from '../tell.ts'
import { ARGS, SAID, THOUGHT, CALLED, CALLED_TWICE, ALL } from './stories.ts'

const TOOLS = ['weather', 'clock', 'ping'].map((name) => ({ name, input_schema: { type: 'object' } }))

/** A row whose upstream tells this story, and whose stream ends well. Pings are left out. */
function streamed(
  name: string,
  promise: string,
  source: string,
  story: Story | undefined,
  verdict: (events: readonly MessageEvent[]) => void,
): Row {
  return {
    id: `messages/${name}`,
    dialect: 'messages',
    promise,
    source,
    ...(story === undefined ? {} : { upstream: tell(story) }),
    check: async (probe) => {
      const more = story?.calls === undefined ? {} : { tools: TOOLS }
      verdict(stops(await probe.stream(more)))
    },
  }
}

export const MESSAGES_ROWS: readonly Row[] = [
  streamed(
    'lifecycle',
    'A stream is `message_start`, content blocks, `message_delta`, `message_stop`, and each of the three frames comes once.',
    MESSAGES_STREAM,
    undefined,
    (events) => {
      const frames = events.map(({ type }) => type).filter((type) => type.startsWith('message_'))
      same(frames, ['message_start', 'message_delta', 'message_stop'], 'events of the message')
      same(events[0]?.type, 'message_start', 'first event')
      same(events.at(-2)?.type, 'message_delta', 'last event but one')
    },
  ),
  {
    id: 'messages/event-names',
    dialect: 'messages',
    promise: 'The `event:` line of every event says its `type`: clients go by the name.',
    source: MESSAGES_STREAM,
    check: async (probe) => {
      const reply = await probe.stream()
      stops(reply)
      for (const { name, data } of reply.named) same(name, (JSON.parse(data) as MessageEvent).type, 'event name')
    },
  },
  {
    id: 'messages/known-events',
    dialect: 'messages',
    promise: 'Every event is one of the API’s eight types, and a ping has nothing but its type.',
    source: MESSAGES_STREAM,
    check: async (probe) => {
      const reply = await probe.stream()
      stops(reply)
      for (const event of messageEvents(reply)) {
        holds(/^(message_(start|delta|stop)|content_block_(start|delta|stop)|ping|error)$/.test(event.type), event.type)
        if (event.type === 'ping') same(event, { type: 'ping' }, 'ping')
      }
    },
  },
  {
    id: 'messages/no-done',
    dialect: 'messages',
    promise: 'The stream ends with `message_stop`; `[DONE]` is another API’s.',
    source: thread('Alishahryar1/free-claude-code#43', 'pull'),
    check: async (probe) => {
      const reply = await probe.stream()
      stops(reply)
      same(reply.dones, 0, '[DONE] markers')
    },
  },
  streamed(
    'start-shape',
    'The message in `message_start` is whole: id, type, role, model, empty content, no stop reason, usage.',
    MESSAGES_STREAM,
    undefined,
    ([start]) => {
      const message = start?.message
      same([message?.type, message?.role, message?.content], ['message', 'assistant', []], 'message')
      holds(typeof message?.id === 'string' && message.id !== '', 'no id')
      holds(typeof message.model === 'string' && message.model !== '', 'no model')
      same(message.stop_reason, null, 'stop_reason')
      holds(typeof message.usage?.input_tokens === 'number', 'no usage.input_tokens')
      holds(typeof message.usage.output_tokens === 'number', 'no usage.output_tokens')
    },
  ),
  streamed(
    'start-before-call',
    '`message_start` comes first where the answer begins with a call, too.',
    thread('router-for-me/CLIProxyAPI#561'),
    CALLED,
    (events) =>
      same(
        events.slice(0, 2).map(({ type }) => type),
        ['message_start', 'content_block_start'],
        'first events',
      ),
  ),
  streamed(
    'blocks-balanced',
    'Every block starts once and stops once: clients run a tool at each stop.',
    thread('BerriAI/litellm#37273'),
    ALL,
    (events) => {
      const places = (type: string): unknown => events.filter((each) => each.type === type).map(({ index }) => index)
      same(places('content_block_start'), [0, 1, 2, 3], 'starts')
      same(places('content_block_stop'), [0, 1, 2, 3], 'stops')
    },
  ),
  streamed(
    'blocks-in-turn',
    'Blocks do not overlap: a block’s deltas lie between its start and its stop, also where calls came in turns.',
    thread('headroomlabs-ai/headroom#2890', 'pull'),
    CALLED_TWICE,
    (events) => {
      let open: number | undefined
      for (const { type, index } of events) {
        if (type === 'content_block_start') {
          same(open, undefined, 'block that is still open')
          open = index
        } else if (type === 'content_block_delta') same(index, open, 'block of a delta')
        else if (type === 'content_block_stop') {
          same(index, open, 'block that stops')
          open = undefined
        }
      }
      same(open, undefined, 'block that never stops')
    },
  ),
  streamed(
    'block-places',
    'Each of two parallel calls is a block of its own, with a place of its own.',
    thread('icebear0828/codex-proxy#610'),
    CALLED_TWICE,
    (events) => {
      const starts = events.filter(({ type }) => type === 'content_block_start')
      same(
        starts.map(({ index, content_block }) => [index, content_block?.name]),
        [
          [0, 'weather'],
          [1, 'clock'],
        ],
        'blocks',
      )
    },
  ),
  streamed(
    'parallel-calls',
    'Fragments of two calls that come in turns end up in their own calls.',
    thread('praxis-proxy/ai#266'),
    CALLED_TWICE,
    (events) =>
      same(
        blocksOf(events).map(({ name, input }) => [name, input]),
        [
          ['weather', { city: 'Rome' }],
          ['clock', { zone: 'CET' }],
        ],
        'calls',
      ),
  ),
  streamed('text-adds-up', 'Text comes in `text_delta` pieces that add up.', MESSAGES_STREAM, SAID, (events) =>
    same(blocksOf(events), [{ type: 'text', text: 'Hello there' }], 'blocks'),
  ),
  streamed(
    'input-in-deltas',
    'A `tool_use` block starts with `input: {}`, and its arguments come in `input_json_delta` events.',
    thread('AntSeed/antseed#15', 'pull'),
    CALLED,
    (events) => {
      const start = events.find(({ type }) => type === 'content_block_start')?.content_block
      same([start?.type, start?.input], ['tool_use', {}], 'block')
      const deltas = events.filter(({ type }) => type === 'content_block_delta')
      holds(deltas.length > 0, 'no deltas')
      for (const { delta } of deltas) same(delta?.type, 'input_json_delta', 'delta')
    },
  ),
  streamed(
    'input-adds-up',
    'The pieces of `partial_json`, wherever the provider cut them, are one JSON object when put together.',
    thread('pydantic/pydantic-ai#1669', 'pull'),
    CALLED,
    (events) => same(blocksOf(events)[0]?.input, JSON.parse(ARGS.join('')), 'input'),
  ),
  streamed(
    'no-arguments',
    'A call whose first or only fragment is empty is a call with input `{}`.',
    thread('theopenco/llmgateway#2468', 'pull'),
    { calls: [{ id: 'call_a', name: 'ping', args: [''] }] },
    (events) => {
      const [block] = blocksOf(events)
      same([block?.type, block?.name, block?.input], ['tool_use', 'ping', {}], 'block')
      same(stopReason(events), 'tool_use', 'stop reason')
    },
  ),
  streamed(
    'thinking',
    'Thoughts of a provider come as `thinking_delta` in a `thinking` block of their own.',
    thread('MAXeaglet/commandcode-proxy#4'),
    THOUGHT,
    (events) => same(blocksOf(events)[0], { type: 'thinking', thinking: 'Let me think.' }, 'first block'),
  ),
  streamed(
    'thinking-closed',
    'The thinking block is closed before the text begins, and the text holds none of it.',
    thread('Rfym21/Qwen2API#121', 'pull'),
    THOUGHT,
    (events) => {
      const order = events.filter(({ type }) => /content_block_st/.test(type)).map(({ type, index }) => [type, index])
      same(order[1], ['content_block_stop', 0], 'what follows the start of thinking')
      same(blocksOf(events)[1], { type: 'text', text: 'Hi' }, 'second block')
    },
  ),
  streamed(
    'signature',
    'A thinking block starts with an empty `signature`; a `signature_delta` is its last delta, and none is made up.',
    MESSAGES_STREAM,
    THOUGHT,
    (events) => {
      const start = events.find(({ type }) => type === 'content_block_start')?.content_block
      same([start?.type, start?.signature], ['thinking', ''], 'block')
      const kinds = events.filter(({ type, index }) => type === 'content_block_delta' && index === 0)
      // The provider of this row signs nothing.
      same(
        kinds.filter(({ delta }) => delta?.type === 'signature_delta' && delta.signature !== ''),
        [],
        'signatures',
      )
    },
  ),
  {
    id: 'messages/whole',
    dialect: 'messages',
    promise: 'A whole answer holds the blocks that the stream of the same answer adds up to, thinking first.',
    source: thread('openai/openai-agents-python#1744', 'pull'),
    upstream: tell({ ...THOUGHT, calls: [{ id: 'call_a', name: 'weather', args: ['{"city":"Rome"}'] }] }),
    check: async (probe) => {
      const whole = (await probe.whole({ tools: TOOLS })).json as NonNullable<MessageEvent['message']>
      const kinds = (blocks: typeof whole.content): unknown =>
        blocks?.map(({ type, text, thinking, name, input }) => [type, text ?? thinking ?? name, input])
      const streamed = stops(await probe.stream({ tools: TOOLS }))
      same(kinds(whole.content), kinds(blocksOf(streamed)), 'blocks')
      same([whole.type, whole.stop_reason, whole.content?.[0]?.type], ['message', 'tool_use', 'thinking'], 'message')
    },
  },
]
