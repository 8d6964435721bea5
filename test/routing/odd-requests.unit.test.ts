import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { RecentAnswers } from '../../src/routing/answer-memory.ts'
import { createRouter } from '../../src/routing/router.ts'
import { loadTrainedScorer } from '../../src/routing/trained-scorer.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'
import { chatRequest, makeCall, target } from '../support/fake-steps.ts'

const router = createRouter({
  targets: new Map([
    ['small', target('small')],
    ['big', target('big', { tier: 'frontier' })],
  ]),
  routes: { auto: { small: ['small'], big: ['big'], targetBigShare: 0.3, fallback: 'cross-tier' } },
  aliases: {},
  scorer: loadTrainedScorer(fileURLToPath(new URL('../../router-models/gain-heads', import.meta.url))),
  answers: new RecentAnswers(),
  requires: () => [],
  now: () => performance.now(),
  random: () => 0.5,
})

const minified = readFileSync(new URL('../../src/routing/text-surface.ts', import.meta.url), 'utf8').replaceAll(
  /\s+/g,
  '',
)
const tools = Array.from({ length: 400 }, (_, i): ChatRequest['tools'][number] => ({
  kind: 'function',
  name: `tool_${i}`,
  description: `Does the thing with number ${i}.`,
  parameters: {
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`field_${at}`, { type: 'string' }])),
  },
}))

test.each<[string, Partial<ChatRequest>]>([
  ['no message', { messages: [] }],
  ['an empty text', { messages: [{ role: 'user', content: '' }] }],
  ['no content at all', { messages: [{ role: 'assistant', content: null }] }],
  ['2 MB of words', { messages: [{ role: 'user', content: 'lorem ipsum '.repeat(175_000) }], bodyBytes: 2_100_000 }],
  ['2 MB without a space', { messages: [{ role: 'user', content: 'a'.repeat(2_000_000) }], bodyBytes: 2_000_000 }],
  ['2 MB of unclosed reminders', { messages: [{ role: 'user', content: '<system-reminder>'.repeat(120_000) }] }],
  ['one token', { messages: [{ role: 'user', content: 'x' }] }],
  ['emoji alone', { messages: [{ role: 'user', content: '🦊👩‍👩‍👧‍👦🇩🇪'.repeat(100) }] }],
  ['half a surrogate pair', { messages: [{ role: 'user', content: '\ud83e' }] }],
  ['right to left', { messages: [{ role: 'user', content: 'ما هي عاصمة فرنسا؟ \u202eabc\u202c '.repeat(200) }] }],
  ['base64', { messages: [{ role: 'user', content: Buffer.alloc(150_000, 'binary').toString('base64') }] }],
  ['minified code', { messages: [{ role: 'user', content: minified }] }],
  ['400 tools', { tools }],
])('%s is decided with a reason, in milliseconds', (_, changes) => {
  const call = makeCall({ request: chatRequest(changes) })
  const times: number[] = []
  for (let i = 0; i < 20; i++) {
    const plan = router.route(call, { taskId: undefined, taskType: 'default' })
    if (plan instanceof Promise) throw new Error('The plan is not there at once.')
    expect(plan.reason).toBe('share')
    expect(plan.score).toBeGreaterThanOrEqual(0)
    expect(plan.score).toBeLessThanOrEqual(1)
    times.push(plan.tookMs)
  }
  // The median, as other tests run beside this one; 2 MB are read once.
  expect(times.sort((a, b) => a - b)[10]).toBeLessThan(25)
})
