/** A session of an agent in a terminal, headers and all, played through the service with an engine behind it. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DONE_FRAME, frame, USAGE_FRAME, type Answer } from '../support/fake-upstream.ts'
import { configFor } from '../support/gateway-process.ts'
import { accumulate, type Block } from '../support/messages-stream.ts'
import { sharedWorld } from '../support/shared-world.ts'

interface Reply {
  readonly reasoning?: readonly string[]
  readonly text: readonly string[]
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: readonly string[] }[]
}
interface Turn {
  readonly results?: readonly { readonly content: unknown; readonly is_error?: boolean }[]
  readonly user?: { readonly role: 'user'; readonly content: readonly Block[] }
  readonly reply: Reply
}
interface Session {
  readonly headers: Readonly<Record<string, string>>
  readonly query: string
  readonly body: Readonly<Record<string, unknown>>
  readonly turns: readonly Turn[]
}

const session = JSON.parse(
  readFileSync(new URL('../fixtures/claude-code-session.json', import.meta.url), 'utf8'),
) as Session
const world = sharedWorld((url) => configFor({ small: url }, 'aliases: { "claude-*": small }\n'))

function play({ reasoning = [], text, calls }: Reply): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frame({ role: 'assistant', content: '' }))
    for (const piece of reasoning) response.write(frame({ reasoning_content: piece }))
    for (const piece of text) response.write(frame({ content: piece }))
    for (const [index, { id, name, arguments: pieces }] of calls.entries()) {
      response.write(frame({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }))
      for (const piece of pieces) response.write(frame({ tool_calls: [{ index, function: { arguments: piece } }] }))
    }
    response.end(frame({}, calls.length > 0 ? 'tool_calls' : 'stop') + USAGE_FRAME + DONE_FRAME)
  }
}

/** What the agent adds: a result for each call of the answer before, then what its user says. */
function said({ results = [], user }: Turn, before: readonly Block[]): object {
  const calls = before.filter(({ type }) => type === 'tool_use')
  const answered = results.map((result, index) => ({
    type: 'tool_result',
    tool_use_id: calls[index]?.['id'],
    ...result,
  }))
  return { role: 'user', content: [...answered, ...(user?.content ?? [])] }
}

test('a session of several turns with tools, thinking and cache markers goes through, and the engine hears all of it', async () => {
  const messages: object[] = []
  let before: readonly Block[] = []
  let taskCost = -1
  for (const turn of session.turns) {
    messages.push(said(turn, before))
    world.upstream.answer = play(turn.reply)
    const response = await fetch(`${world.gateway.url}/v1/messages${session.query}`, {
      method: 'POST',
      headers: { ...session.headers, authorization: 'Bearer sk-test' },
      body: JSON.stringify({ ...session.body, messages }),
    })
    const text = await response.text()
    expect(response.status, text).toBe(200)
    expect(response.headers.get('x-task-id')).toBe(session.headers['x-claude-code-session-id'])
    const cost = Number(response.headers.get('x-task-cost-usd'))
    expect(cost).toBeGreaterThan(taskCost)
    taskCost = cost
    const message = accumulate(text)
    const { reasoning, calls } = turn.reply
    expect(message.content.map((block) => block.type)).toEqual([
      ...(reasoning === undefined ? [] : ['thinking']),
      'text',
      ...calls.map(() => 'tool_use'),
    ])
    expect(message.content.filter(({ type }) => type === 'tool_use').map((block) => block['input'])).toEqual(
      calls.map((call) => JSON.parse(call.arguments.join('')) as unknown),
    )
    expect(message.stop_reason).toBe(calls.length > 0 ? 'tool_use' : 'end_turn')
    messages.push({ role: 'assistant', content: message.content })
    before = message.content
  }

  interface Sent {
    readonly messages: readonly Readonly<Record<string, unknown>>[]
    readonly tools: readonly { readonly function: { readonly name: string } }[]
  }
  const sent = world.upstream.seen.map((request) => JSON.parse(request.body) as Sent)
  const last = sent.at(-1) as Sent
  expect(last.messages.map(({ role }) => role)).toEqual([
    'system',
    'user',
    'assistant',
    'tool',
    'tool',
    'user',
    'assistant',
    'tool',
    'assistant',
    'user',
  ])
  // Thinking goes back to the engine, ids are the engine's own, and each turn's prompt begins with the one before: its cache holds.
  expect(last.messages[2]).toMatchObject({
    reasoning_content: 'The user reports a wrong total. I should look at the cart first.',
    tool_calls: [{ id: 'chatcmpl-tool-1' }, { id: 'chatcmpl-tool-2' }],
  })
  expect(last.messages[7]).toMatchObject({ tool_call_id: 'functions.Edit:2' })
  expect(last.tools.map((tool) => tool.function.name)).toEqual([
    'Read',
    'Bash',
    'Edit',
    'mcp__tracker__list_open_items',
  ])
  for (const [index, { messages: sentMessages }] of sent.entries())
    expect(last.messages.slice(0, sentMessages.length), `turn ${index}`).toEqual(sentMessages)
  expect(JSON.stringify(last)).not.toContain('billing-header')
})

test('without the session header the task is the session in metadata.user_id', async () => {
  const { 'x-claude-code-session-id': id, ...headers } = session.headers
  world.upstream.answer = play({ text: ['Hi'], calls: [] })
  const response = await fetch(`${world.gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { ...headers, 'x-api-key': 'sk-test' },
    body: JSON.stringify({ ...session.body, messages: [{ role: 'user', content: 'x' }] }),
  })
  await response.text()
  expect(response.headers.get('x-task-id')).toBe(id)
  expect(response.headers.get('x-switchyard-dropped')).toContain('tools.defer_loading')
})

test('what the agent asks for on the side: counting, and the list of models', async () => {
  const { stream: _stream, max_tokens: _cap, ...body } = session.body
  const headers = { ...session.headers, 'x-api-key': 'sk-test' }
  const counted = await fetch(`${world.gateway.url}/v1/messages/count_tokens?beta=true`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ ...body, messages: [{ role: 'user', content: 'x' }] }),
  })
  expect(await counted.json()).toEqual({ input_tokens: expect.any(Number) as number })
  const models = await fetch(`${world.gateway.url}/v1/models?limit=1000`, { headers })
  expect(await models.json()).toMatchObject({ has_more: false, data: [{ type: 'model' }, {}, {}, {}, {}, {}, {}] })
})
