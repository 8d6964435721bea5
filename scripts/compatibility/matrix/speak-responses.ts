import { ANSWER, LOGPROB } from './capabilities.ts'
import { event, halves, type Fields } from './fields.ts'
import type { Speaker } from './speaker.ts'
import type { Told } from './told.ts'

const HEAD = { id: 'resp_up', object: 'response', created_at: 1, model: 'served', service_tier: 'default' }
const begun = { ...HEAD, status: 'in_progress', output: [], usage: null }
const failure = { code: 'server_error', message: 'The server had an error.' }

/** OpenAI's Responses API. */
export const responsesSpeaker: Speaker = {
  whole,
  stream: (told) => {
    const response = whole(told)
    const items = (response['output'] as readonly Fields[]).map((item, index) => itemEvents(item, index))
    return (
      event({ type: 'response.created', response: begun }) +
      items.join('') +
      event({ type: `response.${String(response['status'])}`, response })
    )
  },
  overloaded: { status: 503, body: { error: { ...failure, type: 'server_error', param: null } } },
  broken:
    event({ type: 'response.created', response: begun }) +
    event({
      type: 'response.output_item.added',
      output_index: 0,
      item: { id: 'msg_1', type: 'message', content: [] },
    }) +
    textDelta(0, 0, halves(ANSWER)[0], undefined) +
    event({ type: 'response.failed', response: { ...begun, status: 'failed', error: failure } }),
}

function whole(told: Told): Fields {
  const { finish, usage } = told
  return {
    ...HEAD,
    status: finish === 'length' ? 'incomplete' : 'completed',
    error: null,
    incomplete_details: finish === 'length' ? { reason: 'max_output_tokens' } : null,
    output: outputOf(told),
    usage: {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: usage.cached },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.input + usage.output,
    },
  }
}

function outputOf({ texts, calls, thought, refusal, hasLogprobs }: Told): readonly Fields[] {
  const [text = ''] = texts
  const logprobs = hasLogprobs ? [logprob(text)] : []
  const content = [
    ...(text === '' ? [] : [{ type: 'output_text', text, annotations: [], logprobs }]),
    ...(refusal === undefined ? [] : [{ type: 'refusal', refusal }]),
  ]
  return [
    ...(thought === undefined
      ? []
      : [
          {
            id: 'rs_up',
            type: 'reasoning',
            summary: [{ type: 'summary_text', text: thought.text }],
            encrypted_content: thought.signature,
          },
        ]),
    ...(content.length === 0
      ? []
      : [{ id: 'msg_up', type: 'message', status: 'completed', role: 'assistant', content }]),
    ...calls.map(({ id, name, arguments: args }) => ({
      id: `fc_${id}`,
      type: 'function_call',
      status: 'completed',
      call_id: id,
      name,
      arguments: args,
    })),
  ]
}

function itemEvents(item: Fields, index: number): string {
  const { encrypted_content: _, ...bare } = item
  const opened = { ...bare, arguments: '', content: [], summary: [] }
  return (
    event({ type: 'response.output_item.added', output_index: index, item: opened }) +
    inside(item, index) +
    event({ type: 'response.output_item.done', output_index: index, item })
  )
}

function inside(item: Fields, index: number): string {
  const parts = (item['content'] ?? item['summary'] ?? []) as readonly Fields[]
  if (item['type'] === 'function_call')
    return halves(String(item['arguments']))
      .map((delta) => event({ type: 'response.function_call_arguments.delta', output_index: index, delta }))
      .join('')
  return parts
    .flatMap((part, at) => {
      if (part['type'] === 'summary_text')
        return halves(String(part['text'])).map((delta) =>
          event({ type: 'response.reasoning_summary_text.delta', output_index: index, summary_index: at, delta }),
        )
      if (part['type'] === 'refusal')
        return halves(String(part['refusal'])).map((delta) =>
          event({ type: 'response.refusal.delta', output_index: index, content_index: at, delta }),
        )
      const hasLogprobs = (part['logprobs'] as readonly unknown[]).length > 0
      return halves(String(part['text'])).map((delta) =>
        textDelta(index, at, delta, hasLogprobs ? [logprob(delta)] : undefined),
      )
    })
    .join('')
}

function textDelta(index: number, part: number, delta: string, logprobs: readonly Fields[] | undefined): string {
  return event({
    type: 'response.output_text.delta',
    output_index: index,
    content_index: part,
    delta,
    logprobs: logprobs ?? [],
  })
}

function logprob(token: string): Fields {
  return { token, logprob: LOGPROB, bytes: [], top_logprobs: [] }
}
