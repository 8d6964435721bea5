import { expect, test } from 'vitest'
import type { Check } from '../../../src/gateway/checks.ts'
import { CascadeJudge } from '../../../src/routing/cascade/cascade-judge.ts'
import { chatRequest, makeCall, plan, target, text } from '../../support/fake-steps.ts'

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
