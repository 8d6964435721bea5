import { describe, expect, test } from 'vitest'
import type { Check } from '../../../src/gateway/checks.ts'
import { CascadeJudge } from '../../../src/routing/cascade/cascade-judge.ts'
import type { SentAnswer } from '../../../src/gateway/steps.ts'
import { chatRequest, makeCall, plan, target, text, usage } from '../../support/fake-steps.ts'

const HEAD = { version: 1, one: [0, 0, 0, 0, 0, 0], two: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] } as const
const ROUTED = plan([target('small')], { route: 'auto', escalation: [target('big')] })
const STREAMED = makeCall({ request: chatRequest({ stream: true }) })

function judgeWith(...checks: readonly Check[]): CascadeJudge {
  const settings = {
    checks: new Set(checks),
    verify: 'stream',
    minLogprob: undefined,
    secondOpinions: [],
    maxGain: 0,
  } as const
  return new CascadeJudge((route) => (route === 'auto' ? settings : undefined), HEAD)
}

test('a stream is watched by its beginning only where a check can fail there', () => {
  expect(judgeWith('refusal').watch(STREAMED, ROUTED)).toBe('beginning')
  expect(judgeWith('empty', 'json').watch(STREAMED, ROUTED)).toBe('beginning')
  expect(judgeWith('json').watch(STREAMED, ROUTED)).toBe('nothing')
  expect(judgeWith('json').watch(makeCall(), ROUTED)).toBe('whole')
  expect(judgeWith('refusal').watch(STREAMED, plan([target('small')]))).toBe('nothing')
})

test('a stream of blanks is let go after a while, so that reading it anew cannot go on for ever', () => {
  const judge = judgeWith('refusal', 'empty')
  const blanks = Array.from({ length: 300 }, () => text('\n'))
  expect(judge.begins(STREAMED, ROUTED, blanks.slice(0, 200))).toBeUndefined()
  expect(judge.begins(STREAMED, ROUTED, blanks)).toEqual({ accept: true })
})

test('nobody waits while a model thinks, and a refusal of the API is one at once', () => {
  const judge = judgeWith('refusal')
  expect(judge.begins(STREAMED, ROUTED, [{ events: [{ type: 'reasoning', choice: 0, text: 'Hm' }] }])).toEqual({
    accept: true,
  })
  expect(judge.begins(STREAMED, ROUTED, [{ events: [{ type: 'refusal', choice: 0, text: 'No' }] }])).toMatchObject({
    accept: false,
    reason: 'refusal',
  })
  expect(judgeWith('empty').begins(STREAMED, ROUTED, [text("I'm sorry, but I can't.")])).toEqual({ accept: true })
})

describe('an answer that comes to no result', () => {
  const other = target('other')
  // Whoever comes to no result is expected to gain 0.5; everything else counts nothing.
  const head = { version: 1, one: [0, 0, 0.5, 0, 0, 0], two: HEAD.two } as const
  const settings = {
    checks: new Set<Check>(),
    verify: 'stream',
    minLogprob: undefined,
    secondOpinions: [other],
    maxGain: 0.15,
  } as const
  const judge = new CascadeJudge(() => settings, head)
  const rambling =
    'I would begin with the pens and go on from there, step by step, until all of them were counted. '.repeat(3)
  const said = (content: string, from = target('small')): SentAnswer => ({
    target: from,
    chunks: [text(content)],
    usage: usage(1, 1),
  })
  const judged = async (prompt: string, opinion: string) => {
    const asked: string[] = []
    const call = makeCall({ request: chatRequest({ messages: [{ role: 'user', content: prompt }] }) })
    const verdict = await judge.judge(call, ROUTED, said(rambling), (model) => {
      asked.push(model.name)
      return Promise.resolve(said(opinion, other))
    })
    return { verdict, asked }
  }
  const SUM = 'Tom has 12 pens and buys 30 more. How many pens does he have?'

  test('goes on where another small model came to one', async () => {
    expect(await judged(SUM, 'The answer is 42.')).toEqual({
      verdict: { accept: false, reason: 'disagreement' },
      asked: ['other'],
    })
  })

  test('is let go where nobody did', async () => {
    expect(await judged(SUM, rambling)).toEqual({ verdict: { accept: true }, asked: ['other'] })
  })

  test('is let go without asking where the question wants none', async () => {
    expect(await judged('Tell me about your day.', 'The answer is 42.')).toEqual({
      verdict: { accept: true },
      asked: [],
    })
  })
})
