/** The prebuilt bytes of the mock upstream, for each API that it speaks. */

/** One answer of a wire, whole and in the writes of a stream. */
export interface MockWire {
  /** End of its path. */
  readonly path: string
  /** A whole response, head and all: about 850 bytes of JSON. */
  readonly whole: Buffer
  /** Head, and all up to the first token. */
  readonly first: Buffer
  /** One token. */
  readonly middle: Buffer
  readonly finish: Buffer
  readonly last: Buffer
}

const WORDS = 'The release notes list three changes that matter to operators and one that matters to nobody else. '
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n'

/** A whole JSON response. */
export function jsonReply(status: string, body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

/** One chunk of the chunked coding. */
function frame(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
}

function openAi(): MockWire {
  const usage = { prompt_tokens: 231, completion_tokens: 100, total_tokens: 331 }
  const id = 'chatcmpl-0123456789abcdef0123456789abcdef'
  const stamp = { created: 1_760_000_000, model: 'mock' }
  const chunk = (more: object): string =>
    `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', ...stamp, ...more })}\n\n`
  const event = (delta: object, finish: string | null): string =>
    chunk({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })
  const message = { role: 'assistant', content: WORDS.repeat(4), tool_calls: [] }
  return {
    path: '/chat/completions',
    // The shape vLLM sends.
    whole: jsonReply(
      '200 OK',
      JSON.stringify({
        id,
        object: 'chat.completion',
        ...stamp,
        choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop', stop_reason: null }],
        usage: { ...usage, prompt_tokens_details: null },
        prompt_logprobs: null,
      }),
    ),
    first: Buffer.concat([
      Buffer.from(STREAM_HEAD),
      frame(event({ role: 'assistant', content: '' }, null) + event({ content: ' token' }, null)),
    ]),
    middle: frame(event({ content: ' token' }, null)),
    finish: frame(event({}, 'stop')),
    last: Buffer.concat([frame(`${chunk({ choices: [], usage })}data: [DONE]\n\n`), Buffer.from('0\r\n\r\n')]),
  }
}

/** Anthropic's Messages API, as its reference shows it. */
function anthropic(): MockWire {
  const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
  const usage = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0, service_tier: 'standard' }
  const message = { id: 'msg_0123456789abcdef01234567', type: 'message', role: 'assistant', model: 'mock' }
  const delta = event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: ' token' } })
  return {
    path: '/messages',
    whole: jsonReply(
      '200 OK',
      JSON.stringify({
        ...message,
        content: [{ type: 'text', text: WORDS.repeat(4) }],
        stop_reason: 'end_turn',
        stop_sequence: null,
        usage: { input_tokens: 231, output_tokens: 100, ...usage },
      }),
    ),
    first: Buffer.concat([
      Buffer.from(STREAM_HEAD),
      frame(
        event('message_start', {
          message: {
            ...message,
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: { input_tokens: 231, output_tokens: 1, ...usage },
          },
        }) +
          event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }) +
          delta,
      ),
    ]),
    middle: frame(delta),
    finish: frame(event('content_block_stop', { index: 0 })),
    last: Buffer.concat([
      frame(
        event('message_delta', {
          delta: { stop_reason: 'end_turn', stop_sequence: null },
          usage: { output_tokens: 100 },
        }) + event('message_stop', {}),
      ),
      Buffer.from('0\r\n\r\n'),
    ]),
  }
}

export const MOCK_WIRES: readonly MockWire[] = [openAi(), anthropic()]
