/** Answers of OpenAI's Responses API, whole and as the events of a stream, in the shapes of its reference. */
type Fields = Readonly<Record<string, unknown>>

export const USAGE: Readonly<Record<'input_tokens', number>> & Fields = {
  input_tokens: 40,
  input_tokens_details: { cached_tokens: 10 },
  output_tokens: 30,
  output_tokens_details: { reasoning_tokens: 20 },
  total_tokens: 70,
}

export const REASONING: Fields = {
  id: 'rs_1',
  type: 'reasoning',
  summary: [
    { type: 'summary_text', text: 'Look it up.' },
    { type: 'summary_text', text: 'Then answer — 完.' },
  ],
  encrypted_content: 'gAAAAAB-secret==',
}
export const MESSAGE: Fields = {
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [
    {
      type: 'output_text',
      text: 'Grüße 🏳️‍🌈 from Paris',
      annotations: [
        { type: 'url_citation', url: 'https://example.com/a', title: 'A', start_index: 0, end_index: 5 },
        { type: 'file_citation', file_id: 'file_1', index: 0 },
      ],
      logprobs: [],
    },
  ],
}
export const REFUSAL: Fields = {
  id: 'msg_2',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'refusal', refusal: 'I cannot do that.' }],
}
export const CALLS: readonly Fields[] = [
  {
    id: 'fc_1',
    type: 'function_call',
    status: 'completed',
    call_id: 'call_a',
    name: 'weather',
    arguments: '{"city":"Köln"}',
  },
  { id: 'ctc_1', type: 'custom_tool_call', status: 'completed', call_id: 'call_b', name: 'shell', input: 'ls -l\n' },
]

export function response(output: readonly Fields[], more: Fields = {}): Fields {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_760_000_000,
    status: 'completed',
    error: null,
    incomplete_details: null,
    model: 'gpt-5-codex',
    service_tier: 'default',
    output,
    usage: USAGE,
    ...more,
  }
}

/** The events that OpenAI sends for a response, texts in pieces of two characters, with events that mean nothing among them. */
export function eventsOf(whole: Fields): readonly Fields[] {
  const begun = { ...whole, status: 'in_progress', output: [], usage: null }
  const items = (whole['output'] as readonly Fields[]).flatMap((item, index) => itemEvents(item, index))
  return [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    { type: 'response.of_a_later_time', output_index: 0, delta: 'not text' },
    ...items,
    { type: `response.${String(whole['status'])}`, response: whole },
  ]
}

export function sse(events: readonly Fields[]): string {
  return events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}

function itemEvents(item: Fields, index: number): readonly Fields[] {
  const at = { item_id: item['id'], output_index: index }
  const { encrypted_content: _, ...bare } = item
  const opened = { ...bare, arguments: '', input: '', content: [], summary: [] }
  return [
    { type: 'response.output_item.added', output_index: index, item: opened },
    ...insideOf(item, at),
    { type: 'response.output_item.done', output_index: index, item },
  ]
}

function insideOf(item: Fields, at: Fields): readonly Fields[] {
  const parts = (item['content'] ?? item['summary'] ?? []) as readonly Fields[]
  switch (item['type']) {
    case 'function_call':
      return deltas('response.function_call_arguments', item['arguments'], at)
    case 'custom_tool_call':
      return deltas('response.custom_tool_call_input', item['input'], at)
    case 'reasoning':
      return parts.flatMap((part, index) => [
        { type: 'response.reasoning_summary_part.added', ...at, summary_index: index },
        ...deltas('response.reasoning_summary_text', part['text'], { ...at, summary_index: index }),
      ])
    default:
      return parts.flatMap((part, index) => {
        const place = { ...at, content_index: index }
        if (part['type'] === 'refusal') return deltas('response.refusal', part['refusal'], place)
        const notes = part['annotations'] as readonly Fields[]
        return [
          { type: 'response.content_part.added', ...place },
          ...deltas('response.output_text', part['text'], place),
          ...notes.map((annotation) => ({ type: 'response.output_text.annotation.added', ...place, annotation })),
        ]
      })
  }
}

function deltas(name: string, text: unknown, place: Fields): readonly Fields[] {
  const pieces = String(text).match(/[^]{1,2}/gu) ?? []
  return [
    ...pieces.map((delta) => ({ type: `${name}.delta`, ...place, delta })),
    { type: `${name}.done`, ...place, text, arguments: text, input: text, refusal: text },
  ]
}
