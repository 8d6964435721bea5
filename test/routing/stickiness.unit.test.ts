import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Capability, RoutePlan, Target } from '../../src/gateway/steps.ts'
import type { AnswerEvent } from '../../src/protocol/answer.ts'
import type { ChatRequest, Message, Signer, ToolCall } from '../../src/protocol/request.ts'
import { marksOfCall, marksOfEvent, scopeOf } from '../../src/routing/answer-marks.ts'
import { RecentAnswers } from '../../src/routing/answer-memory.ts'
import { createRouter, type ModelRouter, type RouterOptions } from '../../src/routing/router.ts'
import { bondOf, signerOf } from '../../src/routing/stickiness.ts'
import { ANYBODY, chatRequest, makeCall, target } from '../support/fake-steps.ts'

const gpu = target('gpu', { kind: 'vllm' })
const gemini = target('gemini', { kind: 'google' })
const claude = target('claude', { kind: 'anthropic', tier: 'frontier' })
const gpt = target('gpt', { kind: 'openai', api: 'responses', tier: 'frontier' })
const ALL = [gpu, gemini, claude, gpt]
const TOOL = { kind: 'function', name: 'look' } as const
const ADMITTED = { taskId: undefined, taskType: 'default' }

function world(changes: Partial<RouterOptions> = {}): { router: ModelRouter; score: (value: number) => void } {
  let next = 0
  const router = createRouter({
    targets: new Map(ALL.map((one) => [one.name, one])),
    routes: { auto: { small: ['gpu', 'gemini'], big: ['claude', 'gpt'], costQuality: 0.5, fallback: 'cross-tier' } },
    aliases: {},
    scorer: { score: () => next },
    answers: new RecentAnswers(),
    requires: () => [],
    now: () => 1,
    random: () => 0.5,
    ...changes,
  })
  return { router, score: (value) => void (next = value) }
}

function ask(router: ModelRouter, changes: Partial<ChatRequest>, taskId?: string, tenant = 'default'): RoutePlan {
  const request = chatRequest({ tools: [TOOL], ...changes })
  const plan = router.route(makeCall({ request, caller: { ...ANYBODY, tenant } }), { ...ADMITTED, taskId })
  if (plan instanceof Promise) throw new Error('The plan is not there at once.')
  return plan
}

/** What the first of a plan, or another that answered in its place, says. */
function answer(plan: RoutePlan, events: readonly AnswerEvent[], by: Target = plan.targets[0]): void {
  plan.note?.(by, { events })
}
const called = (id: string): AnswerEvent => ({
  type: 'tool-call',
  choice: 0,
  index: 0,
  id,
  name: 'look',
  arguments: '',
})
const call = (id: string): ToolCall => ({ id, kind: 'function', name: 'look', arguments: '{}' })
const user = (content: string): Message => ({ role: 'user', content })
const assistant = (...ids: readonly string[]): Message => ({
  role: 'assistant',
  content: null,
  ...(ids.length === 0 ? {} : { toolCalls: ids.map(call) }),
})
const result = (toolCallId: string): Message => ({ role: 'tool', toolCallId, content: 'ok' })
const SMALL = 0.01
const BIG = 0.99

describe('an open tool call', () => {
  test('keeps the model that made it, whatever the score says now', () => {
    const { router, score } = world()
    const first = ask(router, { messages: [user('go')] })
    expect(first).toMatchObject({ tier: 'local', reason: 'gain', escalation: [claude, gpt] })
    answer(first, [called('c1')])
    score(BIG)
    const second = ask(router, { messages: [user('go'), assistant('c1'), result('c1')] })
    expect(second).toMatchObject({ tier: 'local', reason: 'sticky', score: undefined })
    expect(second.targets.map(({ name }) => name)).toEqual(['gpu', 'gemini', 'claude', 'gpt'])
    // Nor does a judge send it elsewhere.
    expect(second).not.toHaveProperty('escalation')
    // Once it is answered with a text, the score counts again.
    const third = ask(router, { messages: [user('go'), assistant('c1'), result('c1'), assistant(), user('more')] })
    expect(third).toMatchObject({ tier: 'frontier', reason: 'gain' })
  })

  test('keeps the model that answered in the place of the first', () => {
    const { router } = world()
    answer(ask(router, { messages: [user('go')] }), [called('c1')], gpt)
    const second = ask(router, { messages: [user('go'), assistant('c1'), result('c1'), user('and be quick')] })
    expect(second.targets.map(({ name }) => name)).toEqual(['gpt', 'claude', 'gpu', 'gemini'])
    expect(second).toMatchObject({ tier: 'frontier', reason: 'sticky' })
  })

  test('of another conversation with the same id decides nothing, nor one of another tenant or task', () => {
    const { router, score } = world()
    answer(ask(router, { messages: [user('one')] }), [called('0')])
    score(BIG)
    answer(ask(router, { messages: [user('two')] }), [called('0')])
    answer(ask(router, { messages: [user('one')] }, 'task-b'), [called('0')])
    const later = (first: string, taskId?: string, tenant?: string): RoutePlan =>
      ask(router, { messages: [user(first), assistant('0'), result('0')] }, taskId, tenant)
    expect(later('one')).toMatchObject({ tier: 'local', reason: 'sticky' })
    expect(later('two')).toMatchObject({ tier: 'frontier', reason: 'sticky' })
    expect(later('one', 'task-b')).toMatchObject({ tier: 'frontier', reason: 'sticky' })
    expect(later('one', undefined, 'globex').reason).toBe('gain')
    // Its beginning was cut off: the id alone is left.
    expect(later('summary of what was before').reason).toBe('sticky')
  })

  test('goes where it can where its model cannot take the request', () => {
    const answers = new RecentAnswers()
    const { router, score } = world({ answers })
    score(BIG)
    answer(ask(router, { messages: [user('go')] }), [called('c1')])
    const messages = [user('go'), assistant('c1'), result('c1')]
    expect(ask(router, { messages })).toMatchObject({ reason: 'sticky', tier: 'frontier' })
    const able = { ...gpu, capabilities: new Set<Capability>(['json_schema']) }
    const narrower = world({
      answers,
      targets: new Map([able, gemini, claude, gpt].map((one) => [one.name, one])),
      requires: () => ['json_schema'],
    })
    expect(ask(narrower.router, { messages })).toMatchObject({ reason: 'capability', targets: [able] })
  })

  test('yields to a tier that the caller names', () => {
    const { router, score } = world()
    score(BIG)
    answer(ask(router, { messages: [user('go')] }), [called('c1')], gpt)
    const messages = [user('go'), assistant('c1'), result('c1')]
    expect(ask(router, { model: 'auto:cheap', messages })).toMatchObject({ tier: 'local', reason: 'pinned' })
    expect(ask(router, { model: 'auto:best', messages }).targets[0]).toBe(gpt)
  })

  test('law: no conversation changes its model while a call is open, and all of them may between', () => {
    let switches = 0
    fc.assert(
      fc.property(turns(), (conversations) => {
        const { router, score } = world()
        const running = conversations.map((steps, at) => ({
          steps: [...steps],
          messages: [user(`start ${at}`)],
          by: '',
        }))
        for (;;) {
          // Their turns are interleaved: one memory serves them all.
          const open = running.filter(({ steps }) => steps.length > 0)
          if (open.length === 0) return
          for (const each of open) {
            const step = each.steps.shift() as Step
            score(step.score)
            const plan = ask(router, { messages: each.messages })
            const by = plan.targets[step.refusals] as Target
            const isOpen = each.messages.at(-1)?.role === 'tool'
            if (isOpen) {
              expect(plan.targets[0].name).toBe(each.by)
              expect(plan.reason).toBe('sticky')
            } else if (each.by !== '' && plan.targets[0].name !== each.by) switches += 1
            each.by = by.name
            answer(plan, step.calls.map(called), by)
            each.messages.push(assistant(...step.calls))
            each.messages.push(...(step.calls.length === 0 ? [user('next')] : step.calls.map(result)))
          }
        }
      }),
    )
    expect(switches).toBeGreaterThan(50)
  })
})

interface Step {
  readonly score: number
  /** Models that refuse before one answers. */
  readonly refusals: number
  readonly calls: readonly string[]
}
function turns(): fc.Arbitrary<readonly (readonly Step[])[]> {
  const step = fc.record({
    score: fc.constantFrom(SMALL, BIG),
    refusals: fc.nat({ max: 3 }),
    // Engines that count from 0 in each answer, and providers whose ids are their own.
    calls: fc.oneof(
      fc.constant([]),
      fc.constant(['call_0', 'call_1']),
      fc.array(fc.uuid(), { minLength: 1, maxLength: 3 }),
    ),
  })
  return fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 })
}

describe('signed thinking', () => {
  const thinks = (signedBy: Signer, signature: string): Message => ({
    role: 'assistant',
    content: 'So.',
    reasoning: [{ type: 'reasoning', text: 'Hm', signature, signedBy }],
  })

  test.each([
    ['anthropic', claude],
    ['google', gemini],
    ['openai', gpt],
  ] as const)('of %s goes back to its provider, also where nothing is remembered', (signer, home) => {
    for (const value of [SMALL, BIG]) {
      const { router, score } = world()
      score(value)
      const plan = ask(router, { messages: [user('a'), thinks(signer, 's1'), user('b'), assistant(), user('c')] })
      expect(plan).toMatchObject({ reason: 'sticky', tier: home.tier })
      expect(plan.targets[0]).toBe(home)
      expect(plan.targets).toHaveLength(4)
    }
  })

  test('goes back to the very model that thought it, of several of one provider', () => {
    const haiku = target('haiku', { kind: 'anthropic' })
    const { router, score } = world({
      targets: new Map([haiku, claude].map((one) => [one.name, one])),
      routes: { auto: { small: ['haiku'], big: ['claude'], costQuality: 0.5, fallback: 'tier' } },
    })
    const messages = [user('a'), thinks('anthropic', 'mine'), user('b')]
    score(BIG)
    expect(ask(router, { messages }).targets).toEqual([claude])
    const thought: AnswerEvent = { type: 'reasoning', choice: 0, text: '', signature: 'mine', signedBy: 'anthropic' }
    answer(ask(router, { messages: [user('a')], tools: [] }), [thought], haiku)
    expect(ask(router, { messages })).toMatchObject({ targets: [haiku], reason: 'sticky' })
  })

  test('whose provider is gone goes anywhere', () => {
    const { router } = world({
      targets: new Map([gpu, gpt].map((one) => [one.name, one])),
      routes: { auto: { small: ['gpu'], big: ['gpt'], costQuality: 0.5, fallback: 'cross-tier' } },
    })
    expect(ask(router, { messages: [user('a'), thinks('anthropic', 's'), user('b')] }).reason).toBe('gain')
  })

  test('in a call, in redacted form, or as a sound leaves a mark, too', () => {
    const scope = (): string => 'scope'
    const marks = (event: AnswerEvent): readonly string[] => marksOfEvent(event, scope)
    const by = new Map<string, string>()
    for (const mark of [
      ...marks({ ...called('c'), signature: 'of-call', signedBy: 'google' } as AnswerEvent),
      ...marks({ type: 'reasoning', choice: 0, text: '', redacted: 'hidden', signedBy: 'anthropic' }),
      ...marks({ type: 'audio', choice: 0, audio: { id: 'audio_1' } }),
    ])
      by.set(mark, 'home')
    const bond = (message: object): unknown =>
      bondOf([user('a'), { role: 'assistant', content: null, ...message }, user('b')], scope, (mark) => by.get(mark))
    expect(bond({ toolCalls: [{ ...call('x'), signature: 'of-call', signedBy: 'google' }] })).toEqual({
      model: 'home',
      signer: 'google',
    })
    expect(bond({ reasoning: [{ type: 'reasoning', text: '', redacted: 'hidden', signedBy: 'anthropic' }] })).toEqual({
      model: 'home',
      signer: 'anthropic',
    })
    expect(bond({ audioId: 'audio_1' })).toEqual({ model: 'home', signer: undefined })
    expect(bond({ audioId: 'audio_2' })).toBeUndefined()
  })
})

describe('what is remembered', () => {
  test('is nothing where an answer can leave no mark', () => {
    const { router } = world({
      routes: { auto: { small: ['gpu'], big: ['gpu'], costQuality: 0.5, fallback: 'tier' } },
    })
    expect(ask(router, { tools: [] }).note).toBeUndefined()
    expect(ask(router, { model: 'gpu' }).note).toBeUndefined()
    expect(ask(router, {}).note).toBeDefined()
  })

  test('is bounded, by tenant, and forgotten with it', () => {
    const answers = new RecentAnswers()
    answers.remember('quiet', 'mark', 'gpu')
    for (let i = 0; i < 20_000; i++) answers.remember('loud', `mark ${i}`, 'gpu')
    expect(answers.modelOf('loud', 'mark 0')).toBeUndefined()
    expect(answers.modelOf('loud', 'mark 19999')).toBe('gpu')
    expect(answers.modelOf('quiet', 'mark')).toBe('gpu')
    answers.forget('quiet')
    expect(answers.modelOf('quiet', 'mark')).toBeUndefined()
  })

  test('holds no text of a conversation', () => {
    const marks = marksOfCall('call_secret', scopeOf('task', [user('secret')])).join()
    expect(marks).not.toContain('secret')
    expect(marks).toMatch(/^[\w-]{27},[\w-]{27}$/)
  })
})

test('every kind of upstream has a signer or none', () => {
  expect(ALL.map(signerOf)).toEqual([undefined, 'google', 'anthropic', 'openai'])
  expect(signerOf({ kind: 'openai' })).toBeUndefined()
})
