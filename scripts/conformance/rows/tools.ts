import { call, chunk, DONE, either, gated, pieces, ROLE, stream, USAGE } from '../scripts.ts'
import type { ToolCall } from '../reply.ts'
import { holds, same, type Row } from '../row.ts'
import { CHAT_STREAM, thread } from '../sources.ts'
import { succeeds } from '../verdicts.ts'

const TOOLS = {
  tools: ['save', 'load'].map((name) => ({
    type: 'function',
    function: { name, parameters: { type: 'object', properties: {}, additionalProperties: true } },
  })),
}
const END = [chunk({}, 'tool_calls'), USAGE, DONE]
const WANTED = [['save', '{"path":"/tmp/a"}'] as const, ['load', '{"n":2}'] as const]
const ONE = WANTED.slice(0, 1)

/** A row whose upstream sends tool calls in an unusual way; the caller must put `wanted` together, ids unique and not empty. */
function calls(
  name: string,
  promise: string,
  source: string,
  frames: readonly string[],
  wanted: readonly (readonly [string, string])[],
  more: (calls: readonly ToolCall[]) => void = () => {},
): Row {
  return {
    id: `tools/${name}`,
    dialect: 'chat',
    promise,
    source,
    upstream: stream(ROLE, ...frames),
    check: async (probe) => {
      const answer = await probe.stream(TOOLS)
      succeeds(answer)
      const made = answer.calls()
      same(
        made.map((each) => [each.name, each.arguments]),
        wanted,
        'tool calls',
      )
      same(
        made.map((each) => each.index),
        wanted.map((_, i) => i),
        'indices',
      )
      holds(
        made.every((each) => each.id !== ''),
        'a tool call without an id',
      )
      same(new Set(made.map((each) => each.id)).size, wanted.length, 'different ids')
      same(answer.finishes(), ['tool_calls'], 'finish reasons')
      more(made)
    },
  }
}

/** One call of `save` whose arguments arrive in these pieces. */
function split(...args: readonly string[]): readonly string[] {
  return [call(0, { id: 'call_a', name: 'save', args: '' }), ...args.map((piece) => call(0, { args: piece })), ...END]
}

export const TOOL_ROWS: readonly Row[] = [
  calls(
    'fragments',
    'Arguments that come in fragments are the same text when put together.',
    thread('aaif-goose/goose#11511'),
    split('{"path":', '"/tm', 'p/a"}'),
    ONE,
  ),
  calls(
    'whole',
    'A call that comes whole in one chunk arrives whole.',
    CHAT_STREAM,
    [call(0, { id: 'call_a', name: 'save', args: ONE[0]?.[1] ?? '' }), ...END],
    ONE,
  ),
  calls(
    'parallel',
    'Fragments of two calls that come in turns stay two calls.',
    thread('comet-ml/opik#8362'),
    [
      call(0, { id: 'call_a', name: 'save', args: '' }),
      call(1, { id: 'call_b', name: 'load', args: '' }),
      call(0, { args: '{"path":' }),
      call(1, { args: '{"n":' }),
      call(0, { args: '"/tmp/a"}' }),
      call(1, { args: '2}' }),
      ...END,
    ],
    WANTED,
  ),
  calls(
    'index-missing',
    'Calls have an index although the upstream leaves it out.',
    thread('AstrBotDevs/AstrBot#6661'),
    [call(undefined, { id: 'call_a', name: 'save', args: '{"path":' }), call(undefined, { args: '"/tmp/a"}' }), ...END],
    ONE,
  ),
  calls(
    'index-same',
    'Two calls that the upstream gives one index do not melt into one.',
    thread('LibreChat-AI/agents#260', 'pull'),
    [
      call(0, { id: 'call_a', name: 'save', args: '{"path":"/tmp/a"}' }),
      call(0, { id: 'call_b', name: 'load', args: '{"n":2}' }),
      ...END,
    ],
    WANTED,
  ),
  calls(
    'index-gap',
    'Indices count from 0 without gaps although the upstream’s do not.',
    thread('danny-avila/LibreChat#13987'),
    [
      call(1, { id: 'call_a', name: 'save', args: '{"path":"/tmp/a"}' }),
      call(3, { id: 'call_b', name: 'load', args: '{"n":2}' }),
      ...END,
    ],
    WANTED,
  ),
  calls(
    'id-missing',
    'A call has an id although the upstream gives none: the result has to name it.',
    thread('brainlid/langchain#551', 'pull'),
    [call(0, { name: 'save', args: '{"path":' }), call(0, { args: '"/tmp/a"}' }), ...END],
    ONE,
  ),
  calls(
    'type',
    'A call says `type: function`, which clients insist on.',
    CHAT_STREAM,
    [
      chunk({ tool_calls: [{ index: 0, id: 'call_a', function: { name: 'save', arguments: '{"path":"/tmp/a"}' } }] }),
      ...END,
    ],
    ONE,
    (made) => same(made[0]?.type, 'function', 'type'),
  ),
  calls(
    'empty-arguments',
    'A call without arguments has the text "" or "{}" for them, never null.',
    thread('maximhq/bifrost#3443'),
    [call(0, { id: 'call_a', name: 'save', args: '' }), ...END],
    [['save', '']],
  ),
  calls(
    'split-escape',
    'Arguments may be split in the middle of an escape.',
    thread('Yeachan-Heo/gajae-code#4987', 'pull'),
    split('{"path":"caf\\', 'u00', 'e9 \\', '"x\\\\', '"}'),
    [['save', '{"path":"caf\\u00e9 \\"x\\\\"}']],
  ),
  calls(
    'split-surrogates',
    'Arguments may be split between the two halves of an escaped pair.',
    thread('earendil-works/pi#1059'),
    split('{"path":"\\ud83d', '\\ude00"}'),
    [['save', '{"path":"\\ud83d\\ude00"}']],
  ),
  calls(
    'big-numbers',
    'Numbers in arguments keep every digit.',
    thread('earendil-works/pi#8943'),
    split('{"id":25122920421', '21000001,"x":1.0,"y":1e21}'),
    [['save', '{"id":2512292042121000001,"x":1.0,"y":1e21}']],
  ),
  calls(
    'not-json',
    'Arguments that are not JSON are passed on as they are: the agent must see what the model wrote.',
    thread('agentjido/req_llm#718', 'pull'),
    split('{"path": /tmp', ', oops'),
    [['save', '{"path": /tmp, oops']],
  ),
  calls(
    'finish-stop',
    'An answer with tool calls ends in `tool_calls` although the upstream says `stop`.',
    thread('googleapis/python-genai#2868'),
    [call(0, { id: 'call_a', name: 'save', args: '{"path":"/tmp/a"}' }), chunk({}, 'stop'), USAGE, DONE],
    ONE,
  ),
  calls(
    'id-repeated',
    'Id and name come once per call although the upstream repeats them with each fragment.',
    thread('Portkey-AI/gateway#1275'),
    [
      call(0, { id: 'call_a', name: 'save', args: '{"path":' }),
      call(0, { id: 'call_a', name: 'save', args: '"/tmp/a"}' }),
      ...END,
    ],
    ONE,
  ),
  {
    id: 'tools/text-beside',
    dialect: 'chat',
    promise: 'Text before a tool call does not cost the call, nor the call the text.',
    source: thread('waybarrios/vllm-mlx#690', 'pull'),
    upstream: stream(ROLE, chunk({ content: 'I save.' }), ...split('{"path":"/tmp/a"}')),
    check: async (probe) => {
      const answer = await probe.stream(TOOLS)
      succeeds(answer, 'I save.')
      same(answer.calls()[0]?.arguments, '{"path":"/tmp/a"}', 'arguments')
    },
  },
  {
    id: 'tools/legacy-function',
    dialect: 'chat',
    promise: 'A legacy `function_call` arrives as one or as a tool call, with name and arguments.',
    source: CHAT_STREAM,
    upstream: stream(
      ROLE,
      chunk({ function_call: { name: 'save', arguments: '{"path":' } }),
      chunk({ function_call: { arguments: '"/tmp/a"}' } }),
      chunk({}, 'function_call'),
      USAGE,
      DONE,
    ),
    check: async (probe) => {
      const answer = await probe.stream(TOOLS)
      succeeds(answer)
      const legacy = answer
        .choices()
        .map((choice) => choice.delta?.function_call?.arguments ?? '')
        .join('')
      same(legacy || answer.calls()[0]?.arguments, '{"path":"/tmp/a"}', 'arguments')
    },
  },
  {
    id: 'tools/not-held-back',
    dialect: 'chat',
    promise: 'Fragments of arguments are not held back until the call is whole.',
    source: thread('maximhq/bifrost#2048'),
    upstream: gated(
      ROLE,
      call(0, { id: 'call_a', name: 'save', args: '{"pa' }),
      call(0, { args: 'th":"/tmp/a"}' }),
      ...END,
    ),
    check: async (probe) => {
      const live = probe.open({ stream: true, ...TOOLS })
      probe.upstream.gate.open()
      probe.upstream.gate.open()
      await live.until((text) => text.includes('{\\"pa'), 'the first fragment waits for the rest')
      for (let i = 0; i < END.length + 1; i++) probe.upstream.gate.open()
      const answer = await live.reply
      same(answer.calls()[0]?.arguments, '{"path":"/tmp/a"}', 'arguments')
    },
  },
  {
    id: 'tools/split-bytes',
    dialect: 'chat',
    promise: 'A tool call survives any split of the bytes.',
    source: thread('intendant-dev/Intendant#411', 'pull'),
    upstream: pieces([...Buffer.from([ROLE, ...split('{"path":"', 'é🌍"}')].join(''))].map((byte) => Buffer.of(byte))),
    check: async (probe) => {
      const answer = await probe.stream(TOOLS)
      same(answer.calls()[0]?.arguments, '{"path":"é🌍"}', 'arguments')
    },
  },
  {
    id: 'tools/stream-and-whole',
    dialect: 'chat',
    promise: 'The same answer has the same finish reason and arguments, streamed or whole.',
    source: thread('googleapis/python-genai#2868'),
    upstream: either(
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'save', arguments: '{"n":1.0}' } }],
      },
      'tool_calls',
      ROLE,
      ...split('{"n":', '1.0}'),
    ),
    check: async (probe) => {
      const streamed = await probe.stream(TOOLS)
      const whole = (await probe.whole(TOOLS)).json.choices?.[0]
      same(whole?.finish_reason, streamed.finishes()[0], 'finish reason of the whole answer')
      same(whole?.message?.tool_calls?.[0]?.function?.arguments, streamed.calls()[0]?.arguments, 'arguments')
      same(streamed.calls()[0]?.arguments, '{"n":1.0}', 'arguments')
    },
  },
]
