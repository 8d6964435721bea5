/** A story in OpenAI's Responses API, for gateways that ask their provider in it. */
import { SECRET, TOLD_TOKENS, type Story } from './story.ts'

type Frame = (type: string, body: object) => string
interface Item {
  /** As it is when done. */
  readonly done: Readonly<Record<string, unknown>>
  /** As it is when added. */
  readonly added: Readonly<Record<string, unknown>>
  /** Events between both, without their place. */
  readonly events: readonly (readonly [type: string, body: object])[]
}

export function responsesFrames(story: Story): readonly string[] {
  let sequence = 0
  const frame: Frame = (type, body) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...body, sequence_number: sequence++ })}\n\n`
  const items = itemsOf(story)
  if (items.length === 0 && story.end !== undefined && story.end !== 'fail') return []
  const begun = shell('in_progress', [], story)
  const opening = [frame('response.created', { response: begun }), frame('response.in_progress', { response: begun })]
  const middle = items.flatMap(({ added, done, events }, output_index) => {
    const place = { item_id: done['id'], output_index }
    // An answer that breaks breaks inside its last item.
    const isLeftOpen = story.end !== undefined && output_index === items.length - 1
    return [
      frame('response.output_item.added', { output_index, item: added }),
      ...events.map(([type, body]) => frame(type, { ...body, ...place })),
      ...(isLeftOpen ? [] : [frame('response.output_item.done', { output_index, item: done })]),
    ]
  })
  return [...opening, ...middle, ...ending(story, items, frame)]
}

function ending(story: Story, items: readonly Item[], frame: Frame): readonly string[] {
  if (story.end === 'fail') {
    const error = { code: 'server_error', message: `the engine died (${SECRET})` }
    const response = { ...shell('failed', [], story), error }
    return [frame('response.failed', { response })]
  }
  if (story.end !== undefined) return []
  const status = statusOf(story)
  return [frame(`response.${status}`, { response: shell(status, items, story) })]
}

export function responsesBody(story: Story): object {
  return shell(statusOf(story), itemsOf(story), story)
}

function statusOf({ finish }: Story): 'completed' | 'incomplete' {
  return finish === 'length' || finish === 'content_filter' ? 'incomplete' : 'completed'
}

function shell(status: string, items: readonly Item[], story: Story): object {
  const { input, output } = TOLD_TOKENS
  const reason = story.finish === 'length' ? 'max_output_tokens' : 'content_filter'
  return {
    id: 'resp_upstream',
    object: 'response',
    created_at: 1_700_000_000,
    status,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason } : null,
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    model: 'served-model',
    output: items.map(({ done }) => done),
    parallel_tool_calls: true,
    previous_response_id: null,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    usage:
      status === 'in_progress' || status === 'failed'
        ? null
        : {
            input_tokens: input,
            input_tokens_details: { cached_tokens: story.cachedTokens ?? 0 },
            output_tokens: output,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: input + output,
          },
  }
}

function itemsOf(story: Story): readonly Item[] {
  const ended = statusOf(story)
  return [
    ...(story.think === undefined ? [] : [reasoning(story.think)]),
    ...(story.say === undefined ? [] : [message('output_text', 'text', story.say, ended)]),
    ...(story.refuse === undefined ? [] : [message('refusal', 'refusal', story.refuse, ended)]),
    ...(story.calls ?? []).map(({ id, name, args }, index): Item => {
      const item = { id: `fc_upstream_${index}`, type: 'function_call', call_id: id, name }
      const done = { ...item, status: 'completed', arguments: args.join('') }
      return {
        added: { ...item, status: 'in_progress', arguments: '' },
        done,
        events: [
          ...args.map((delta) => ['response.function_call_arguments.delta', { delta }] as const),
          ['response.function_call_arguments.done', { arguments: done.arguments, name }],
        ],
      }
    }),
  ]
}

function reasoning(pieces: readonly string[]): Item {
  const item = { id: 'rs_upstream', type: 'reasoning' }
  const part = { type: 'summary_text', text: pieces.join('') }
  const summary_index = 0
  return {
    added: { ...item, summary: [] },
    done: { ...item, summary: [part] },
    events: [
      ['response.reasoning_summary_part.added', { summary_index, part: { ...part, text: '' } }],
      ...pieces.map((delta) => ['response.reasoning_summary_text.delta', { summary_index, delta }] as const),
      ['response.reasoning_summary_text.done', { summary_index, text: part.text }],
      ['response.reasoning_summary_part.done', { summary_index, part }],
    ],
  }
}

function message(
  type: 'output_text' | 'refusal',
  field: 'text' | 'refusal',
  pieces: readonly string[],
  status: string,
): Item {
  const item = { id: 'msg_upstream', type: 'message', role: 'assistant' }
  const more = type === 'output_text' ? { annotations: [], logprobs: [] } : {}
  const part = (text: string): object => ({ type, [field]: text, ...more })
  const content_index = 0
  const text = pieces.join('')
  const logprobs = type === 'output_text' ? { logprobs: [] } : {}
  return {
    added: { ...item, status: 'in_progress', content: [] },
    done: { ...item, status, content: [part(text)] },
    events: [
      ['response.content_part.added', { content_index, part: part('') }],
      ...pieces.map((delta) => [`response.${type}.delta`, { content_index, delta, ...logprobs }] as const),
      [`response.${type}.done`, { content_index, [field]: text, ...logprobs }],
      ['response.content_part.done', { content_index, part: part(text) }],
    ],
  }
}
