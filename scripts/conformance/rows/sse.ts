import { chunk, DONE, eachByte, pieces, ROLE, saying, stream, USAGE } from '../scripts.ts'
import { holds, same, type Row } from '../row.ts'
import { SSE, thread } from '../sources.ts'
import { succeeds } from '../verdicts.ts'

const WORDS = ['Hello', ' world', ' of', ' streams']
const TEXT = WORDS.join('')
const WIDE = ['Grüße ', '你好世界', ' 🌍👩‍👩‍👧', ' ‮عربي']
const whole = saying(...WORDS).join('')

/** A row whose upstream frames the same text in another way. */
function framing(name: string, promise: string, source: string, upstream: Row['upstream'] & object, text = TEXT): Row {
  const check: Row['check'] = async (probe) => succeeds(await probe.stream(), text)
  return { id: `sse/${name}`, dialect: 'chat', promise, source, upstream, check }
}

const many = Array.from({ length: 10_000 }, (_, i) => `${i},`)
const long = 'x'.repeat(1_000_000)

export const SSE_ROWS: readonly Row[] = [
  framing(
    'byte-by-byte',
    'An answer that arrives one byte at a time is the same answer.',
    thread('graniet/llm#90', 'pull'),
    pieces(eachByte(whole)),
  ),
  framing(
    'split-characters',
    'A character whose bytes arrive in two packets stays that character.',
    thread('api7/aisix#111'),
    pieces(eachByte(saying(...WIDE).join(''))),
    WIDE.join(''),
  ),
  framing(
    'split-lines',
    'An event whose line arrives in two packets is not lost.',
    thread('lobehub/lobehub#18640', 'pull'),
    pieces(saying(...WORDS).flatMap((frame) => [frame.slice(0, 30), frame.slice(30)])),
  ),
  framing('one-packet', 'Many events in one packet all arrive.', SSE, stream(...saying(...WORDS))),
  framing('crlf', 'Lines may end in CR LF.', thread('hey-api/hey-api#3054'), stream(whole.replaceAll('\n', '\r\n'))),
  framing(
    'crlf-split',
    'A packet may end between CR and LF without making an empty line.',
    thread('kubernetes-sigs/inference-perf#781', 'pull'),
    pieces(eachByte(whole.replaceAll('\n', '\r\n'))),
  ),
  framing('cr', 'Lines may end in CR alone.', thread('EdamAme-x/pentect#1438'), stream(whole.replaceAll('\n', '\r'))),
  framing('bom', 'A byte order mark before the first event is read over.', SSE, stream(`\uFEFF${whole}`)),
  framing(
    'comments',
    'Comment lines, used as keep-alives, never reach the client as data.',
    thread('mnfst/llm-gateway#2053'),
    stream(': OPENROUTER PROCESSING\n\n', ROLE, ':\n\n', ...saying(...WORDS).slice(1)),
  ),
  framing(
    'no-space',
    'The space after `data:` is optional.',
    thread('openai/openai-python#559', 'pull'),
    stream(whole.replaceAll('data: ', 'data:')),
  ),
  framing(
    'data-lines',
    'Several `data` lines of one event are one text.',
    SSE,
    stream(
      ...saying(...WORDS).map((frame) =>
        frame.startsWith('data: {') ? frame.replace('data: {', 'data: {\ndata: ') : frame,
      ),
    ),
  ),
  framing(
    'other-fields',
    '`event`, `id`, `retry` and unknown fields do not disturb the data.',
    SSE,
    stream(...saying(...WORDS).map((frame, i) => `id: ${i}\nevent: message\nretry: 1000\nx-other: 1\n${frame}`)),
  ),
  framing(
    'no-last-blank-line',
    'A last event without its blank line still counts.',
    thread('openclaw/openclaw#117054', 'pull'),
    stream(whole.trimEnd()),
  ),
  framing(
    'long-line',
    'A delta of a million characters arrives whole.',
    thread('ferro-labs/ai-gateway#129'),
    stream(ROLE, chunk({ content: long }), chunk({}, 'stop'), USAGE, DONE),
    long,
  ),
  framing(
    'ten-thousand',
    'Ten thousand deltas arrive, all, and in order.',
    thread('pingdotgg/t3code#4323', 'pull'),
    stream(...saying(...many)),
    many.join(''),
  ),
  framing(
    'repeated-deltas',
    'A delta that equals the one before it is not taken for a repeat.',
    thread('posit-dev/chatlas#435'),
    stream(...saying('\n', '\n', 'ab', 'ab', 'abab')),
    '\n\nabababab',
  ),
  framing(
    'newlines-in-text',
    'Line ends inside the text (CR LF, U+2028, U+0085) do not end the event.',
    SSE,
    stream(...saying('a\r\nb', 'c\u2028d\u2029e', 'f\u0085g\u0000h')),
    'a\r\nbc\u2028d\u2029ef\u0085g\u0000h',
  ),
  {
    id: 'sse/not-json',
    dialect: 'chat',
    promise: 'An event that is not JSON never reaches the client as data.',
    source: thread('anomalyco/opencode#50871'),
    upstream: stream(ROLE, chunk({ content: 'Hel' }), 'data: : keepalive\n\n', ...saying('lo').slice(1)),
    check: async (probe) => {
      const reply = await probe.stream()
      // `frames` throws on the first event that is no JSON.
      holds(reply.status >= 400 || reply.frames.length > 0, 'no events')
    },
  },
  {
    id: 'sse/valid-utf8',
    dialect: 'chat',
    promise: 'Half a surrogate pair from the upstream never makes the stream invalid UTF-8.',
    source: thread('Yeachan-Heo/gajae-code#4987', 'pull'),
    upstream: stream(ROLE, chunk({ content: '\uD83D' }), ...saying('b').slice(1)),
    check: async (probe) => {
      const reply = await probe.stream()
      same(Buffer.from(reply.body.toString()).equals(reply.body), true, 'valid UTF-8')
      succeeds(reply)
      holds(reply.text().endsWith('b'), 'the text after it is lost')
    },
  },
]
