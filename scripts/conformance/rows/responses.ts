/** The events of a good answer of `/v1/responses`. */
import { completes, item, output, run, type ResponseEvent } from '../responses-reply.ts'
import { holds, same, type Row } from '../row.ts'
import { RESPONSES_STREAM, thread } from '../sources.ts'
import type { Story } from '../story.ts'
import { tell } from '../tell.ts'
import { ARGS, SAID, THOUGHT, CALLED, CALLED_TWICE, ALL } from './stories.ts'

const TOOLS = ['weather', 'clock', 'ping'].map((name) => ({ type: 'function', name, parameters: { type: 'object' } }))

/** A row whose upstream tells this story, and whose stream ends well. */
function streamed(
  name: string,
  promise: string,
  source: string,
  story: Story | undefined,
  verdict: (events: readonly ResponseEvent[]) => void,
): Row {
  return {
    id: `responses/${name}`,
    dialect: 'responses',
    promise,
    source,
    ...(story === undefined ? {} : { upstream: tell(story) }),
    check: async (probe) => {
      const more = story?.calls === undefined ? {} : { tools: TOOLS }
      verdict(completes(await probe.stream(more)))
    },
  }
}

const isAbout = (event: ResponseEvent): boolean => typeof event.output_index === 'number'

export const RESPONSES_ROWS: readonly Row[] = [
  streamed(
    'lifecycle',
    'A stream begins with `response.created` and ends with one `response.completed`.',
    RESPONSES_STREAM,
    undefined,
    (events) => {
      same(events[0]?.type, 'response.created', 'first event')
      same(run(events, 'response.created').length, 1, '`response.created` events')
      same(events.at(-1)?.type, 'response.completed', 'last event')
    },
  ),
  streamed(
    'sequence-numbers',
    'Every event has a `sequence_number`, one more than the event before.',
    thread('ENTERPILOT/GoModel#953', 'pull'),
    undefined,
    (events) => {
      const numbers = events.map((event) => event.sequence_number)
      holds(typeof numbers[0] === 'number', `no number on ${events[0]?.type}`)
      same(
        numbers,
        numbers.map((_, i) => Number(numbers[0]) + i),
        'sequence numbers',
      )
    },
  ),
  {
    id: 'responses/event-names',
    dialect: 'responses',
    promise: 'The `event:` line of every event says its `type`.',
    source: thread('decolua/9router#1648', 'pull'),
    check: async (probe) => {
      const reply = await probe.stream()
      completes(reply)
      for (const { name, data } of reply.named.filter((each) => each.data !== '[DONE]'))
        same(name, (JSON.parse(data) as ResponseEvent).type, 'event name')
    },
  },
  streamed(
    'created-shape',
    'The response in `created` and `in_progress` has the fields of a response: `output: []`, a status, a time, a model.',
    thread('diegosouzapw/OmniRoute#13964'),
    undefined,
    (events) => {
      for (const { type, response } of events.filter((each) => /^response\.(created|in_progress)$/.test(each.type))) {
        holds(response !== undefined, `no response in ${type}`)
        same(response.object, 'response', `object of ${type}`)
        same(response.output, [], `output of ${type}`)
        same(response.status, 'in_progress', `status of ${type}`)
        holds(typeof response.created_at === 'number', `no created_at in ${type}`)
        holds(typeof response.model === 'string' && response.model !== '', `no model in ${type}`)
      }
    },
  ),
  streamed('one-id', 'All events that hold the response have the same id.', RESPONSES_STREAM, SAID, (events) => {
    const ids = new Set(events.flatMap((event) => (event.response === undefined ? [] : [event.response.id])))
    same(ids.size, 1, 'ids')
    holds(!ids.has('') && !ids.has(undefined), 'an empty id')
  }),
  streamed(
    'item-lifecycle',
    'Every output item is added once and done once, and all of its events lie between.',
    thread('onyx-dot-app/onyx#13624', 'pull'),
    ALL,
    (events) => {
      const places = [...new Set(events.filter(isAbout).map((event) => event.output_index))]
      same(places.length, 4, 'items')
      for (const place of places) {
        const own = events.filter((event) => event.output_index === place)
        same(own[0]?.type, 'response.output_item.added', `first event of item ${place}`)
        same(own.at(-1)?.type, 'response.output_item.done', `last event of item ${place}`)
        same(own.filter(({ type }) => type.includes('output_item')).length, 2, `item events of item ${place}`)
      }
    },
  ),
  streamed(
    'part-lifecycle',
    'Every part of a message is added before its first delta and done after its last.',
    thread('teabranch/open-responses-server#63', 'pull'),
    SAID,
    (events) => {
      const kinds = events.map(({ type }) => type).filter((type) => /content_part|output_text/.test(type))
      const order = kinds.filter((type, i) => type !== kinds[i - 1])
      same(
        order,
        ['content_part.added', 'output_text.delta', 'output_text.done', 'content_part.done'].map(
          (x) => `response.${x}`,
        ),
        'events of the part',
      )
    },
  ),
  streamed(
    'output-index',
    'Items have the places 0, 1, 2 ..., each its own, and these are their places in the finished response.',
    thread('teabranch/open-responses-server#63', 'pull'),
    ALL,
    (events) => {
      const added = run(events, 'response.output_item.added')
      same(
        added.map((event) => event.output_index),
        [0, 1, 2, 3],
        'places',
      )
      same(
        output(events).map(({ type }) => type),
        ['reasoning', 'message', 'function_call', 'function_call'],
        'items',
      )
      for (const done of run(events, 'response.output_item.done'))
        same(item(done).id, output(events)[Number(done.output_index)]?.id, `item at ${done.output_index}`)
    },
  ),
  streamed(
    'place-on-deltas',
    'Deltas say the place and the id of their item.',
    thread('RESMP-DEV/ccr-rust#25', 'pull'),
    ALL,
    (events) => {
      const ids = new Map(run(events, 'response.output_item.added').map((each) => [each.output_index, item(each).id]))
      const deltas = events.filter(({ type }) => type.endsWith('.delta'))
      holds(deltas.length > 0, 'no deltas')
      for (const { type, item_id, output_index } of deltas) {
        holds(ids.has(output_index), `${type} has no place of an item`)
        same(item_id, ids.get(output_index), `item_id of ${type}`)
      }
    },
  ),
  streamed(
    'item-status',
    'Messages and calls are `in_progress` when added and `completed` when done.',
    thread('diegosouzapw/OmniRoute#13964'),
    { ...SAID, ...CALLED },
    (events) => {
      for (const each of run(events, 'response.output_item.added')) same(item(each).status, 'in_progress', 'status')
      for (const each of run(events, 'response.output_item.done')) same(item(each).status, 'completed', 'status')
    },
  ),
  streamed(
    'text-adds-up',
    'The deltas of a text, its `done` events and the finished response say the same text.',
    RESPONSES_STREAM,
    SAID,
    (events) => {
      const deltas = run(events, 'response.output_text.delta')
      same(deltas.map((each) => each.delta).join(''), 'Hello there', 'deltas')
      same(run(events, 'response.output_text.done')[0]?.text, 'Hello there', 'output_text.done')
      same(output(events)[0]?.content?.[0]?.text, 'Hello there', 'finished text')
    },
  ),
  streamed(
    'arguments-add-up',
    'The deltas of a call’s arguments, wherever they are cut, its `done` events and the finished response say the same.',
    thread('Wei-Shaw/sub2api#6629', 'pull'),
    CALLED,
    (events) => {
      const deltas = run(events, 'response.function_call_arguments.delta')
      same(deltas.map((each) => each.delta).join(''), ARGS.join(''), 'deltas')
      same(run(events, 'response.function_call_arguments.done')[0]?.arguments, ARGS.join(''), 'arguments.done')
      same(output(events)[0]?.arguments, ARGS.join(''), 'finished arguments')
    },
  ),
  streamed(
    'call-ids',
    'A call has the provider’s `call_id` and its name when it is added, when it is done, and in the end.',
    thread('anomalyco/opencode#46084', 'pull'),
    CALLED,
    (events) => {
      const seen = [
        ...run(events, 'response.output_item.added').map(item),
        ...run(events, 'response.output_item.done').map(item),
        ...output(events),
      ]
      for (const { call_id, name } of seen) same([call_id, name], ['call_a', 'weather'], 'call')
      same(seen.length, 3, 'times that the call is named')
    },
  ),
  streamed(
    'call-item-ids',
    'Events of arguments name their item’s id, which is not empty.',
    thread('anomalyco/opencode#45081', 'pull'),
    CALLED,
    (events) => {
      const own = events.filter(({ type }) => type.includes('function_call_arguments'))
      holds(own.length > 0, 'no events of arguments')
      for (const each of own)
        holds(typeof each.item_id === 'string' && each.item_id !== '', `${each.type} without item_id`)
    },
  ),
  streamed(
    'no-arguments',
    'A call whose arguments are empty is not lost.',
    thread('EasyMetaAu/helm-api#40', 'pull'),
    { calls: [{ id: 'call_a', name: 'ping', args: [''] }] },
    (events) => {
      same(
        output(events).map(({ type, name }) => [type, name]),
        [['function_call', 'ping']],
        'items',
      )
      same(run(events, 'response.function_call_arguments.done').length, 1, 'arguments.done events')
    },
  ),
  streamed(
    'parallel-calls',
    'Fragments of two calls that come in turns end up with their own calls.',
    thread('mcp-use/mcp-use#2615', 'pull'),
    CALLED_TWICE,
    (events) => {
      same(
        output(events).map((each) => [each.call_id, each.arguments]),
        [
          ['call_a', '{"city":"Rome"}'],
          ['call_b', '{"zone":"CET"}'],
        ],
        'calls',
      )
      for (const each of output(events)) {
        const deltas = run(events, 'response.function_call_arguments.delta').filter(
          ({ item_id }) => item_id === each.id,
        )
        same(deltas.map(({ delta }) => delta).join(''), each.arguments, `deltas of ${each.call_id}`)
      }
    },
  ),
  streamed(
    'reasoning-item',
    'Thoughts of a provider are an item of their own before the message, not part of its text.',
    thread('BerriAI/litellm#12055', 'pull'),
    THOUGHT,
    (events) => {
      same(
        output(events).map(({ type }) => type),
        ['reasoning', 'message'],
        'items',
      )
      same(output(events)[1]?.content?.[0]?.text, 'Hi', 'text')
    },
  ),
  streamed(
    'reasoning-deltas',
    'Thoughts are streamed, and the finished reasoning item holds what the deltas said.',
    thread('ai-dynamo/dynamo#12183', 'pull'),
    THOUGHT,
    (events) => {
      const deltas = events.filter(({ type }) => /^response\.reasoning(_summary)?_text\.delta$/.test(type))
      same(deltas.map((each) => each.delta).join(''), 'Let me think.', 'deltas')
      const found = output(events).find(({ type }) => type === 'reasoning')
      const parts = [...(found?.summary ?? []), ...(found?.content ?? [])]
      same(parts.map(({ text }) => text).join(''), 'Let me think.', 'finished thoughts')
    },
  ),
  streamed(
    'refusal',
    'A refusal is a part of type `refusal`, not text.',
    RESPONSES_STREAM,
    { refuse: ['I cannot ', 'do that.'] },
    (events) => {
      same(
        run(events, 'response.refusal.delta')
          .map((each) => each.delta)
          .join(''),
        'I cannot do that.',
        'deltas',
      )
      const [part] = output(events)[0]?.content ?? []
      same([part?.type, part?.refusal], ['refusal', 'I cannot do that.'], 'part')
    },
  ),
  streamed(
    'usage',
    'The finished response says the tokens, with both details, although the provider reports them after the end.',
    thread('exo-explore/exo#1885', 'pull'),
    SAID,
    (events) => {
      const usage = events.at(-1)?.response?.usage
      same([usage?.input_tokens, usage?.output_tokens, usage?.total_tokens], [5, 7, 12], 'tokens')
      holds(typeof usage?.input_tokens_details?.cached_tokens === 'number', 'no input_tokens_details.cached_tokens')
      holds(
        typeof usage.output_tokens_details?.reasoning_tokens === 'number',
        'no output_tokens_details.reasoning_tokens',
      )
    },
  ),
  streamed(
    'cached-tokens',
    'Cached prompt tokens are told, and not counted twice.',
    thread('caigee-cmd/cli2api#221', 'pull'),
    { ...SAID, cachedTokens: 3 },
    (events) => {
      const usage = events.at(-1)?.response?.usage
      same([usage?.input_tokens, usage?.input_tokens_details?.cached_tokens, usage?.total_tokens], [5, 3, 12], 'tokens')
    },
  ),
]
