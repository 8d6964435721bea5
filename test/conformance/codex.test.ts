/** A conversation in the manner of Codex, headers included, through the real process. Each name is a row of the conformance table. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DONE_FRAME, frame, USAGE_FRAME, type Answer } from '../support/fake-upstream.ts'
import { configFor } from '../support/gateway-process.ts'
import { sharedWorld } from '../support/shared-world.ts'

interface Turn {
  readonly new: readonly Item[]
  readonly answer: {
    readonly reasoning?: readonly string[]
    readonly text?: readonly string[]
    readonly calls?: readonly { id: string; name?: string; custom?: string; arguments: readonly string[] }[]
  }
}
type Item = Readonly<Record<string, unknown>>
interface Fixture {
  readonly headers: Readonly<Record<string, string>>
  readonly base: Readonly<Record<string, unknown>>
  readonly turns: readonly Turn[]
}
const fixture = JSON.parse(readFileSync(new URL('../fixtures/codex/turns.json', import.meta.url), 'utf8')) as Fixture

const world = sharedWorld((url) =>
  configFor({ small: url }).replace('tier: frontier,', 'tier: frontier, capabilities: [tools, custom_tools, images],'),
)

function scripted({ reasoning = [], text = [], calls = [] }: Turn['answer']): Answer {
  const frames = [
    ...reasoning.map((each) => frame({ reasoning_content: each })),
    ...text.map((each) => frame({ content: each })),
    ...calls.flatMap(({ id, name, custom, arguments: pieces }, index) => {
      const kind = custom === undefined ? 'function' : 'custom'
      const field = custom === undefined ? 'arguments' : 'input'
      return [
        frame({ tool_calls: [{ index, id, type: kind, [kind]: { name: name ?? custom, [field]: '' } }] }),
        ...pieces.map((piece) => frame({ tool_calls: [{ index, type: kind, [kind]: { [field]: piece } }] })),
      ]
    }),
    frame({}, calls.length > 0 ? 'tool_calls' : 'stop'),
  ]
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(frames.join('') + USAGE_FRAME + DONE_FRAME)
  }
}

/** What Codex does: takes items from `output_item.done`, and believes the end only from `response.completed`. */
async function ask(input: readonly Item[]): Promise<{ items: Item[]; head: Headers; completed: Item | undefined }> {
  const response = await fetch(`${world.baseURL}/responses`, {
    method: 'POST',
    headers: { ...fixture.headers, authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ ...fixture.base, input }),
  })
  const text = await response.text()
  expect(response.status, text).toBe(200)
  const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as Item)
  const items = events
    .filter((each) => each['type'] === 'response.output_item.done')
    .map((each) => each['item'] as Item)
  const completed = events.find((each) => each['type'] === 'response.completed')?.['response'] as Item | undefined
  return { items, head: response.headers, completed }
}

test('codex: a conversation of several turns with reasoning, parallel calls and a patch, nothing stored', async () => {
  const input: Item[] = []
  for (const turn of fixture.turns) {
    input.push(...turn.new)
    world.upstream.answer = scripted(turn.answer)
    const { items, head, completed } = await ask(input)
    expect(completed).toMatchObject({ status: 'completed', store: false, output: items, usage: { total_tokens: 12 } })
    expect(head.get('x-task-id')).toBe(fixture.headers['session_id'])
    expect(head.get('x-switchyard-dropped')).toContain('reasoning.summary')
    // Codex sends items back without their ids.
    input.push(...items.map(({ id: _id, status: _status, ...item }) => item))
  }
  const last = JSON.parse(world.upstream.seen.at(-1)?.body ?? '{}') as { messages: Item[]; tools: Item[] }
  expect(last.messages.map((message) => message['role'])).toEqual([
    'system',
    'developer',
    'user',
    'user',
    'assistant',
    'tool',
    'tool',
    'assistant',
    'tool',
    'assistant',
    'user',
  ])
  expect(last.messages[4]).toMatchObject({
    reasoning_content: 'First look at the test.',
    tool_calls: [
      { id: 'call_ls', function: { name: 'shell', arguments: '{"command":["ls","test"]}' } },
      { id: 'call_plan', function: { name: 'update_plan' } },
    ],
  })
  expect(last.messages[7]).toMatchObject({
    tool_calls: [{ id: 'call_patch', type: 'custom', custom: { input: '*** Begin Patch\n*** End Patch' } }],
  })
  expect(last.tools.map((tool) => tool['type'])).toEqual(['function', 'function', 'custom'])
})

test('codex: all requests of a session are one task, by its header session_id', async () => {
  const id = fixture.headers['session_id'] ?? ''
  world.upstream.answer = scripted({ text: ['Hi'] })
  await ask(fixture.turns[0]?.new ?? [])
  const task = await fetch(`${world.baseURL}/tasks/${id}`, { headers: { authorization: 'Bearer sk-test' } })
  const { spent } = (await task.json()) as { spent: { model_calls: number } }
  expect(spent.model_calls).toBeGreaterThanOrEqual(1)
})
