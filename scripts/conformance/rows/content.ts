import { chunk, DONE, event, pieces, eachByte, ROLE, saying, stream, USAGE } from '../scripts.ts'
import { holds, same, type Row } from '../row.ts'
import { CHAT_CREATE, thread } from '../sources.ts'
import { succeeds } from '../verdicts.ts'

const END = [chunk({}, 'stop'), USAGE, DONE]
const token = (text: string): object => ({
  logprobs: {
    content: [{ token: text, logprob: -0.5, bytes: [...Buffer.from(text)], top_logprobs: [] }],
    refusal: null,
  },
})
/** A delta of text with what is known about its token. */
function scored(text: string): string {
  return event({
    id: 'chatcmpl-upstream',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'served-model',
    choices: [{ index: 0, delta: { content: text }, finish_reason: null, ...token(text) }],
  })
}

/** A row whose upstream says this, of which the caller must get that text. */
function said(name: string, promise: string, source: string, upstream: Row['upstream'] & object, text: string): Row {
  const check: Row['check'] = async (probe) => succeeds(await probe.stream(), text)
  return { id: `content/${name}`, dialect: 'chat', promise, source, upstream, check }
}

/** A row whose upstream thinks aloud in the given field. */
function thinking(field: 'reasoning' | 'reasoning_content', source: string): Row {
  return {
    id: `content/${field.replace('_', '-')}`,
    dialect: 'chat',
    promise: `Thoughts in \`delta.${field}\` are passed on, apart from the text.`,
    source,
    upstream: stream(
      ROLE,
      chunk({ [field]: 'Let me ' }),
      chunk({ [field]: 'think.' }),
      chunk({ content: 'Hi' }),
      ...END,
    ),
    check: async (probe) => {
      const answer = await probe.stream()
      succeeds(answer, 'Hi')
      const thoughts = answer.text(0, 'reasoning_content') || answer.text(0, 'reasoning')
      same(thoughts, 'Let me think.', 'thoughts')
    },
  }
}

export const CONTENT_ROWS: readonly Row[] = [
  said(
    'unicode',
    'Emoji with joiners, right-to-left marks and combining characters arrive as they were written.',
    thread('danielmiessler/Fabric#2203', 'pull'),
    stream(...saying('👩‍👩‍👧‍👦', ' ‮abc‬', ' é', ' \u{1F1E9}\u{1F1EA}', '\uFEFF')),
    '👩‍👩‍👧‍👦 ‮abc‬ é \u{1F1E9}\u{1F1EA}\uFEFF',
  ),
  said(
    'split-surrogates',
    'A pair whose halves come in two deltas is one character when put together.',
    thread('Yeachan-Heo/gajae-code#4987', 'pull'),
    stream(...saying('\uD83D', '\uDE00')),
    '\uD83D\uDE00',
  ),
  said(
    'whitespace',
    'White space at the start, at the end and alone in a delta is text.',
    thread('diegosouzapw/OmniRoute#9170'),
    stream(...saying('\n\n', '  ', 'a', ' ', '\t\n')),
    '\n\n  a \t\n',
  ),
  said(
    'empty-deltas',
    'Deltas of "", null or nothing change nothing.',
    thread('farion1231/cc-switch#6578', 'pull'),
    stream(
      ROLE,
      chunk({ content: null }),
      chunk({ content: 'a' }),
      chunk({ content: '' }),
      chunk({}),
      chunk({ content: 'b', reasoning_content: '', refusal: null, tool_calls: [] }),
      ...END,
    ),
    'ab',
  ),
  said(
    'escapes',
    'Text that the upstream writes in escapes is the same text.',
    thread('sidorares/json-bigint#84'),
    stream(ROLE, chunk({ content: 'X' }).replace('"X"', '"\\u0041\\/\\u00e9\\ud83c\\udf0d\\n\\""'), ...END),
    'A/é🌍\n"',
  ),
  said(
    'looks-like-protocol',
    'Text that looks like an event or like `[DONE]` is text.',
    thread('mnfst/llm-gateway#2053'),
    stream(...saying('data: [DONE]', '\n\ndata: {"error":{"message":"x"}}\n\n', ': ping')),
    'data: [DONE]\n\ndata: {"error":{"message":"x"}}\n\n: ping',
  ),
  thinking('reasoning_content', thread('BerriAI/litellm#38907')),
  thinking('reasoning', thread('decolua/9router#3601', 'pull')),
  {
    id: 'content/refusal',
    dialect: 'chat',
    promise: 'A refusal arrives as a refusal.',
    source: thread('langchain-ai/langchain#39747'),
    upstream: stream(ROLE, chunk({ refusal: 'I cannot ' }), chunk({ refusal: 'do that.' }), ...END),
    check: async (probe) => {
      const answer = await probe.stream()
      succeeds(answer, '')
      same(answer.text(0, 'refusal'), 'I cannot do that.', 'refusal')
    },
  },
  {
    id: 'content/logprobs',
    dialect: 'chat',
    promise: 'Log probabilities arrive, each with its token, in order.',
    source: thread('Menci/Floway#481'),
    upstream: stream(ROLE, scored('Hel'), scored('lo'), scored(' you'), ...END),
    check: async (probe) => {
      const answer = await probe.stream({ logprobs: true })
      succeeds(answer, 'Hello you')
      const tokens = answer.choices().flatMap((choice) => choice.logprobs?.content ?? [])
      same(
        tokens.map((each) => each.token),
        ['Hel', 'lo', ' you'],
        'tokens',
      )
    },
  },
  {
    id: 'content/two-choices',
    dialect: 'chat',
    promise: 'Two choices that come in turns stay apart, each with its role and its end.',
    source: thread('ai-dynamo/dynamo#12639', 'pull'),
    upstream: stream(
      ...[0, 1].map((index) => chunk({ role: 'assistant', content: '' }, null, {}, index)),
      ...['a', 'b', 'c'].flatMap((text) => [0, 1].map((index) => chunk({ content: text + index }, null, {}, index))),
      chunk({}, 'stop', {}, 1),
      chunk({ content: '!' }, null, {}, 0),
      chunk({}, 'length', {}, 0),
      USAGE,
      DONE,
    ),
    check: async (probe) => {
      const answer = await probe.stream({ n: 2 })
      succeeds(answer)
      same([answer.text(0), answer.text(1)], ['a0b0c0!', 'a1b1c1'], 'texts')
      same([answer.finishes(0), answer.finishes(1)], [['length'], ['stop']], 'finish reasons')
      for (const index of [0, 1]) same(answer.choices(index)[0]?.delta?.role, 'assistant', `role of choice ${index}`)
    },
  },
  {
    id: 'content/whole',
    dialect: 'chat',
    promise: 'A caller that asks for a whole answer gets one, whatever the upstream is asked for.',
    source: CHAT_CREATE,
    upstream: pieces(eachByte(saying('Hello', ' there').join(''))),
    check: async (probe) => {
      const answer = await probe.whole()
      same(answer.status, 200, 'status')
      const { object, choices, usage } = answer.json
      same(object, 'chat.completion', 'object')
      same(choices?.[0]?.message?.content, 'Hello there', 'text')
      holds(usage != null, 'no usage')
      holds(/json/.test(answer.headers['content-type'] ?? ''), 'not JSON by its content type')
    },
  },
]
