import { describe, expect, test } from 'vitest'
import { makePrice } from '../../src/budget/prices/make-price.ts'
import type { RoutePlan, Target } from '../../src/gateway/steps.ts'
import type { Message } from '../../src/protocol/request.ts'
import { RecentAnswers } from '../../src/routing/answer-memory.ts'
import { createRouter, type ModelRouter } from '../../src/routing/router.ts'
import { WarmPrefixes } from '../../src/routing/warm-prefix.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { ANYBODY, chatRequest, makeCall, target, usage } from '../support/fake-steps.ts'

const priced = (name: string, inputPerM: number, changes: Partial<Target> = {}): Target =>
  target(name, {
    price: makePrice(
      {
        inputPerM: toNanoUsd(inputPerM),
        outputPerM: toNanoUsd(inputPerM * 5),
        cachedInputPerM: toNanoUsd(inputPerM / 10),
      },
      'test',
    ),
    ...changes,
  })
const small = priced('small', 1e9)
const big = priced('big', 3e9, { tier: 'frontier' })
const targets = new Map([small, big].map((each) => [each.name, each]))

interface Rig {
  readonly router: ModelRouter
  readonly prefixes: WarmPrefixes
  score: number
  now: number
}

function rig(goal: object = { costQuality: 0.5 }): Rig {
  const made = { score: 0.1, now: 0 }
  const prefixes = new WarmPrefixes(() => made.now)
  const router = createRouter({
    targets,
    routes: { auto: { small: ['small'], big: ['big'], fallback: 'tier', ...goal } },
    aliases: {},
    scorer: { score: () => made.score, usualScores: Array.from({ length: 100 }, (_, i) => i / 100) },
    answers: new RecentAnswers(),
    prefixes,
    requires: () => [],
    now: () => made.now,
    random: () => 0.5,
  })
  return Object.assign(made, { router, prefixes })
}

const LONG = 350_000
function turns(count: number, opening = 'first', answer = 'ok'): Message[] {
  const messages: Message[] = [{ role: 'user', content: opening }]
  for (let i = 1; i < count; i++)
    messages.push({ role: 'assistant', content: answer }, { role: 'user', content: `turn ${i}` })
  return messages
}

function ask(by: Rig, messages: readonly Message[], tenant = 'default'): RoutePlan {
  const request = chatRequest({ messages, bodyBytes: LONG })
  const plan = by.router.route(makeCall({ request, caller: { ...ANYBODY, tenant } }), {
    taskId: undefined,
    taskType: 'default',
  })
  if (plan instanceof Promise) throw new Error('The plan is not there at once.')
  return plan
}

function answered(plan: RoutePlan): void {
  plan.note?.(plan.targets[0], { events: [{ type: 'usage', usage: usage(100_000, 100) }] })
}

describe.each([
  // Above what a new conversation needs (0.13 and 0.7), below what the switch needs (0.25 and 1.3).
  [{ costQuality: 0.5 }, 0.2],
  [{ targetBigShare: 0.3 }, 0.85],
])('a warm conversation (%o)', (goal, better) => {
  test.each([
    ['big', 0.9, 0.05],
    ['small', 0.05, better],
  ])(
    'stays with %s although its score says otherwise, and is free again when the cache is cold',
    (name, first, then) => {
      const by = rig(goal)
      by.score = first
      const opened = ask(by, turns(1))
      expect(opened.targets[0].name).toBe(name)
      answered(opened)
      by.score = then
      by.now += 4 * 60_000
      const warm = ask(by, turns(2))
      expect(warm).toMatchObject({ reason: 'sticky' })
      expect(warm.targets[0].name).toBe(name)
      expect(warm.escalation).toBeUndefined()
      by.now += 60_000
      const cold = ask(by, turns(2))
      expect(cold.targets[0].name).not.toBe(name)
    },
  )

  test('of another tenant, or one that only began alike, is not taken for it', () => {
    const by = rig(goal)
    by.score = 0.9
    answered(ask(by, turns(4)))
    by.score = 0.05
    expect(ask(by, turns(5), 'other').targets[0].name).toBe('small')
    expect(ask(by, turns(5, 'something else')).targets[0].name).toBe('small')
    // Fewer messages than were answered already: a second conversation with the same first words.
    expect(ask(by, turns(2)).targets[0].name).toBe('small')
    expect(ask(by, turns(5)).targets[0].name).toBe('big')
  })
})

test('a gain that pays for the lost prefix moves a warm conversation', () => {
  const by = rig({ costQuality: 0.9 })
  by.score = 0.01
  answered(ask(by, turns(1)))
  by.score = 0.99
  expect(ask(by, turns(2))).toMatchObject({ reason: 'gain', tier: 'frontier' })
})

test('nothing is remembered of prompts that no provider caches', () => {
  const { router } = rig()
  const plan = router.route(makeCall({ request: chatRequest() }), { taskId: undefined, taskType: 'default' })
  expect(plan).not.toHaveProperty('note')
})

test('a prefix that Anthropic did not keep is not warm', () => {
  const prefixes = new WarmPrefixes(() => 0)
  prefixes.answered('t', undefined, turns(1), { name: 'claude', kind: 'anthropic' }, usage(5000, 1))
  expect(prefixes.of('t', undefined, turns(2))).toBeUndefined()
  prefixes.answered(
    't',
    undefined,
    turns(1),
    { name: 'claude', kind: 'anthropic' },
    { ...usage(5000, 1), cacheWrite: 4000 },
  )
  expect(prefixes.of('t', undefined, turns(2))).toEqual({ target: 'claude', tokens: 4000 })
})
