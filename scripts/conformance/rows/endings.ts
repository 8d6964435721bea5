import { call, chunk, cutAfter, DONE, event, reply, ROLE, saying, silentAfter, stream } from '../scripts.ts'
import { holds, same, type Row } from '../row.ts'
import { CLIENT_STREAM, thread } from '../sources.ts'
import { fails, refuses, succeeds } from '../verdicts.ts'

const BOOM = event({
  error: { message: 'the engine died (key sk-FAKE-upstream-0000)', type: 'server_error', code: 500 },
})
const PAGE = '<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>'
const HTML = { 'content-type': 'text/html' }
const SAID = [ROLE, chunk({ content: 'Hel' })]

/** A row whose stream fails in one of many ways. */
function ending(
  name: string,
  promise: string,
  source: string,
  upstream: Row['upstream'] & object,
  verdict: (answer: Awaited<ReturnType<Parameters<Row['check']>[0]['stream']>>) => void,
): Row {
  const check: Row['check'] = async (probe) => verdict(await probe.stream())
  return { id: `end/${name}`, dialect: 'chat', promise, source, upstream, check }
}

export const ENDING_ROWS: readonly Row[] = [
  ending(
    'cut-before-content',
    'A connection that breaks before any content is an HTTP error, not a 200.',
    thread('headroomlabs-ai/headroom#3083', 'pull'),
    cutAfter(),
    refuses,
  ),
  ending(
    'cut-after-content',
    'A connection that breaks in mid-answer ends in an error frame without `[DONE]`.',
    thread('ENTERPILOT/GoModel#1017', 'pull'),
    cutAfter(...SAID),
    fails,
  ),
  ending(
    'close-without-finish',
    'A clean close without `finish_reason` is a cut answer too.',
    thread('CommandCodeAI/command-code#785'),
    stream(...SAID),
    fails,
  ),
  ending(
    'cut-in-tool-call',
    'A connection that breaks in the arguments of a tool call never ends in `tool_calls`.',
    thread('CommandCodeAI/command-code#785'),
    cutAfter(ROLE, call(0, { id: 'call_a', name: 'save', args: '{"path":"/et' })),
    fails,
  ),
  ending(
    'cut-in-event',
    'A connection that breaks inside an event does not pass half an event on.',
    thread('xberg-io/liter-llm#152'),
    cutAfter(...SAID, chunk({ content: 'lo' }).slice(0, 60)),
    (answer) => {
      fails(answer)
      holds(answer.status >= 400 || answer.frames.length > 0, 'no events')
    },
  ),
  ending(
    'error-first',
    'An error event before any content becomes an HTTP error although the upstream said 200.',
    thread('openclaw/clawrouter#101'),
    stream(BOOM),
    refuses,
  ),
  ending(
    'error-named-event',
    'An error event is one by its name too.',
    thread('BerriAI/litellm#32159', 'pull'),
    stream(...SAID, `event: error\n${BOOM}`),
    fails,
  ),
  ending(
    'error-in-mid-answer',
    'An error event in mid-answer ends the answer as failed, never with `stop`.',
    thread('ohdearquant/lattice#933'),
    stream(...SAID, BOOM),
    fails,
  ),
  ending(
    'error-then-done',
    '`[DONE]` after an error event is not success (vLLM sends both when its engine dies).',
    thread('mozilla-ai/any-llm#1151', 'pull'),
    stream(...SAID, BOOM, DONE),
    fails,
  ),
  ending(
    'error-after-done',
    'An error event after `[DONE]` does not spoil an answer that was whole.',
    CLIENT_STREAM,
    stream(...saying('Hello'), BOOM),
    (answer) => succeeds(answer, 'Hello'),
  ),
  ending(
    'no-upstream-secrets',
    'The upstream’s own error text, which may hold keys and hosts, does not reach the caller.',
    thread('mozilla-ai/any-llm#839', 'pull'),
    stream(...SAID, BOOM),
    (answer) => holds(!answer.body.toString().includes('sk-FAKE'), 'the upstream’s key is in the answer'),
  ),
  ending(
    'empty',
    'A stream without a single event is an HTTP error, not an empty answer.',
    thread('decolua/9router#3051', 'pull'),
    stream(),
    refuses,
  ),
  ending(
    'done-alone',
    'A stream of `[DONE]` alone is an HTTP error, not an empty answer.',
    thread('decolua/9router#3051', 'pull'),
    stream(DONE),
    refuses,
  ),
  ending(
    'html-200',
    'An HTML page with status 200 is an error in the API’s envelope.',
    thread('musistudio/claude-code-router#1159'),
    reply(200, PAGE, HTML),
    refuses,
  ),
  ending(
    'html-502',
    'An HTML error page becomes an error in the API’s envelope.',
    thread('castari/castari-proxy#3'),
    reply(502, PAGE, HTML),
    (answer) => {
      refuses(answer)
      holds(!answer.body.toString().includes('<html'), 'the page is in the answer')
    },
  ),
  ending(
    'silent-before-content',
    'An upstream that takes the request and never answers is given up, with an HTTP error.',
    thread('decolua/9router#3556', 'pull'),
    silentAfter(),
    refuses,
  ),
  ending(
    'silent-after-content',
    'An upstream that goes silent in mid-answer is given up, with an error frame.',
    thread('QwenLM/qwen-code#5143', 'pull'),
    silentAfter(...SAID),
    fails,
  ),
  {
    id: 'end/no-second-try',
    dialect: 'chat',
    promise: 'After content has been sent the request is not tried again behind the caller’s back.',
    source: thread('moonbitlang/openseek#343', 'pull'),
    upstream: cutAfter(...SAID),
    check: async (probe) => {
      await probe.stream()
      same(probe.upstream.seen.length, 1, 'requests that reached the upstream')
    },
  },
  {
    id: 'end/finish-reasons',
    dialect: 'chat',
    promise: '`length` and `content_filter` arrive as they are, not as `stop`.',
    source: thread('CherryHQ/cherry-studio#16079', 'pull'),
    upstream: ({ response, body }) => {
      const finish = JSON.stringify(body['messages']).includes('filtered') ? 'content_filter' : 'length'
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(SAID.join('') + chunk({}, finish) + DONE)
    },
    check: async (probe) => {
      same((await probe.stream()).finishes(), ['length'], 'finish reasons')
      const messages = [{ role: 'user', content: `${probe.prompt} filtered` }]
      same((await probe.stream({ messages })).finishes(), ['content_filter'], 'finish reasons')
    },
  },
]
