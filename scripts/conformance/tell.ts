/** Speaks a story in the API in which the gateway asked: OpenAI's chat or OpenAI's Responses. */
import { setTimeout as sleep } from 'node:timers/promises'
import { responsesBody, responsesFrames } from './responses-wire.ts'
import { call, chunk, DONE, event, ROLE, usage } from './scripts.ts'
import { SECRET, TOLD_TOKENS, type Story } from './story.ts'
import type { Script } from './upstream.ts'

export function tell(story: Story): Script {
  return async (turn) => {
    const { response, wire } = turn
    if (!turn.wantsStream && story.end === undefined) {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(wire === 'chat' ? chatBody(story) : responsesBody(story)))
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    const frames = wire === 'chat' ? chatFrames(story, turn.wantsUsage) : responsesFrames(story)
    if (frames.length > 0) response.write(frames.join(''))
    if (story.end === 'hang') return
    if (story.end === 'cut') {
      await sleep(50)
      response.destroy()
    } else response.end()
  }
}

/** What the upstream says where no row asks for anything else. */
export const ANY_ANSWER: Script = tell({ say: ['Hello', ' there'] })

/** Usage goes out only where the request asked for it, as the real service does. */
function chatFrames(story: Story, wantsUsage: boolean): readonly string[] {
  const calls = story.calls ?? []
  const rounds = Math.max(0, ...calls.map(({ args }) => args.length))
  const content = [
    ...(story.think ?? []).map((text) => chunk({ reasoning_content: text })),
    ...(story.say ?? []).map((content) => chunk({ content })),
    ...(story.refuse ?? []).map((refusal) => chunk({ refusal })),
    ...calls.map(({ id, name }, index) => call(index, { id, name, args: '' })),
    ...Array.from({ length: rounds }, (_, round) =>
      calls.flatMap(({ args }, index) => (args[round] === undefined ? [] : [call(index, { args: args[round] })])),
    ).flat(),
  ]
  const head = content.length === 0 ? [] : [ROLE]
  switch (story.end) {
    case undefined:
      return [ROLE, ...content, chunk({}, finishOf(story)), ...(wantsUsage ? [usage(tokens(story))] : []), DONE]
    case 'fail':
      return [
        ...head,
        ...content,
        event({ error: { message: `the engine died (${SECRET})`, type: 'server_error', code: 500 } }),
      ]
    case 'cut':
    case 'close':
    case 'hang':
      return [...head, ...content]
    default:
      return story.end satisfies never
  }
}

function chatBody(story: Story): object {
  const text = (pieces: readonly string[] | undefined): string | null => pieces?.join('') ?? null
  const calls = story.calls?.map(({ id, name, args }) => ({
    id,
    type: 'function',
    function: { name, arguments: args.join('') },
  }))
  const message = {
    role: 'assistant',
    content: text(story.say),
    ...(story.refuse === undefined ? {} : { refusal: text(story.refuse) }),
    ...(story.think === undefined ? {} : { reasoning_content: text(story.think) }),
    ...(calls === undefined ? {} : { tool_calls: calls }),
  }
  return {
    id: 'chatcmpl-upstream',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'served-model',
    choices: [{ index: 0, message, finish_reason: finishOf(story) }],
    usage: tokens(story),
  }
}

function finishOf({ finish, calls }: Story): string {
  return finish ?? (calls === undefined ? 'stop' : 'tool_calls')
}

function tokens({ cachedTokens }: Story): object {
  const { input, output } = TOLD_TOKENS
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(cachedTokens === undefined ? {} : { prompt_tokens_details: { cached_tokens: cachedTokens } }),
  }
}
