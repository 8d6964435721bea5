import { expect, test } from 'vitest'
import { complete } from '../../src/gateway/complete.ts'
import type { Judge, LeadingFlight, SendOutcome, Verdict } from '../../src/gateway/steps.ts'
import type { AnswerChunk } from '../../src/protocol/answer.ts'
import { SwitchyardError, type ErrorCode } from '../../src/shared/errors.ts'
import { makeCall, makeSteps, plan, RecordingSink, ScriptedSender, target, text, usage } from '../support/fake-steps.ts'

const small = target('small')
const big = target('big', { tier: 'frontier' })
const whole = (input: number, output: number): SendOutcome => ({ kind: 'complete', usage: usage(input, output) })
const failure = (code: ErrorCode, changes: Partial<Extract<SendOutcome, { kind: 'failed' }>> = {}): SendOutcome => ({
  kind: 'failed',
  error: new SwitchyardError(code, 'no'),
  contentSent: false,
  usage: undefined,
  billing: 'none',
  fallback: true,
  ...changes,
})

test('the first target of the plan answers and nobody else is asked', async () => {
  const sender = new ScriptedSender({ small: { texts: ['Hel', 'lo'], outcome: whole(5, 7) } })
  const sink = new RecordingSink()

  const record = await complete(makeCall(), sink, makeSteps(plan([small, big]), sender))

  expect(sender.asked).toEqual(['small'])
  expect(sink).toMatchObject({
    text: 'Hello',
    end: 'closed',
    cost: 75,
    head: { upstream: 'small-upstream', reason: 'gain', attempts: 1 },
  })
  expect(record).toMatchObject({ result: 'ok', status: 200, target: 'small', cost: 75, attempts: 1 })
})

test.each<ErrorCode>([
  'upstream_unreachable',
  'upstream_error',
  'upstream_rate_limited',
  'upstream_unavailable',
  'context_length_exceeded',
])('after %s before any content the next model of the plan answers, and the head says so', async (code) => {
  const sender = new ScriptedSender({ small: { outcome: failure(code) }, big: { texts: ['Hi'], outcome: whole(1, 1) } })
  const sink = new RecordingSink()

  const record = await complete(makeCall(), sink, makeSteps(plan([small, big]), sender))

  expect(sender.asked).toEqual(['small', 'big'])
  expect(sink).toMatchObject({ text: 'Hi', end: 'closed', head: { reason: 'fallback', tier: 'frontier', attempts: 2 } })
  expect(record).toMatchObject({ result: 'ok', reason: 'fallback', attempts: 2 })
})

test('an error that another model cannot mend ends the call at once', async () => {
  const sender = new ScriptedSender({ small: { outcome: failure('upstream_refused_request', { fallback: false }) } })
  const sink = new RecordingSink()

  const record = await complete(makeCall(), sink, makeSteps(plan([small, big]), sender))

  expect(sender.asked).toEqual(['small'])
  expect(sink).toMatchObject({ end: 'failed', error: { code: 'upstream_refused_request' } })
  expect(record).toMatchObject({ result: 'refused', errorCode: 'upstream_refused_request' })
})

test('after the first content nothing is tried again: the stream is cut and what was produced is charged', async () => {
  const cut = failure('upstream_stream_truncated', { contentSent: true, usage: usage(10, 2) })
  const sender = new ScriptedSender({ small: { texts: ['Hel'], outcome: cut } })
  const sink = new RecordingSink()

  const record = await complete(makeCall(), sink, makeSteps(plan([small, big]), sender))

  expect(sender.asked).toEqual(['small'])
  expect(sink).toMatchObject({ text: 'Hel', end: 'failed' })
  expect(record).toMatchObject({ result: 'cut', cost: 30 })
})

test('failed attempts are on the bill of the answer', async () => {
  const sender = new ScriptedSender({
    small: { outcome: failure('upstream_error', { usage: usage(10, 0) }) },
    big: { texts: ['Hi'], outcome: whole(10, 1) },
  })
  const sink = new RecordingSink()

  await complete(makeCall(), sink, makeSteps(plan([small, big]), sender))

  expect(sink.cost).toBe(10 + 20)
})

test('an unpriced target has no cost rather than a wrong one', async () => {
  const sender = new ScriptedSender({ free: { texts: ['Hi'], outcome: whole(10, 1) } })
  const sink = new RecordingSink()

  const record = await complete(makeCall(), sink, makeSteps(plan([target('free', { price: undefined })]), sender))

  expect(sink.end).toBe('closed')
  expect(sink.cost).toBeUndefined()
  expect(record.cost).toBeUndefined()
})

test('when the last model fails its own error is the answer', async () => {
  const sender = new ScriptedSender({
    small: { outcome: failure('upstream_unreachable') },
    big: { outcome: failure('upstream_rate_limited') },
  })
  const sink = new RecordingSink()

  const record = await complete(makeCall(), sink, makeSteps(plan([small, big]), sender))

  expect(sink.error?.code).toBe('upstream_rate_limited')
  expect(record.status).toBe(429)
})

test('a caller that left is neither answered nor counted as a failure, and is charged for what was produced', async () => {
  const sender = new ScriptedSender({
    small: { texts: ['Hel'], outcome: { kind: 'aborted', usage: usage(3, 1), billing: 'used', contentSent: true } },
  })
  const sink = new RecordingSink()

  const record = await complete(makeCall(), sink, makeSteps(plan([small, big]), sender))

  expect(sink.end).toBe('none')
  expect(record).toMatchObject({ result: 'aborted', status: 499, cost: 13 })
})

test('a router that refuses ends the call with its error and no upstream is asked', async () => {
  const sender = new ScriptedSender({})
  const sink = new RecordingSink()

  const record = await complete(makeCall(), sink, makeSteps(new SwitchyardError('model_not_found', 'no'), sender))

  expect(sender.asked).toEqual([])
  expect(sink.error?.code).toBe('model_not_found')
  expect(record).toMatchObject({ result: 'refused', status: 404, attempts: 0 })
})

test('a defect becomes an internal error that tells the caller nothing', async () => {
  const sink = new RecordingSink()

  const record = await complete(makeCall(), sink, makeSteps(new Error('secret detail'), new ScriptedSender({})))

  expect(sink.error?.code).toBe('internal_error')
  expect(sink.error?.message).not.toContain('secret')
  expect(record.errorDetail).toContain('secret detail')
})

test('an answer that the judge refuses never shows, the next model answers, and both are on the bill', async () => {
  const sender = new ScriptedSender({
    small: { texts: ['{bad'], outcome: whole(10, 1) },
    big: { texts: ['{"good":1}'], outcome: whole(10, 2) },
  })
  const sink = new RecordingSink()
  const judge = judging({ accept: false, reason: 'json' })

  const record = await complete(makeCall(), sink, makeSteps(plan([small], { escalation: [big] }), sender, { judge }))

  expect(sink).toMatchObject({ text: '{"good":1}', end: 'closed', cost: 20 + 30, head: { reason: 'escalated' } })
  expect(sink.head).toMatchObject({ escalation: 'json', tier: 'frontier' })
  expect(record).toMatchObject({ reason: 'escalated', escalation: 'json', attempts: 2, target: 'big' })
})

test('an answer that the judge accepts is released whole', async () => {
  const sender = new ScriptedSender({ small: { texts: ['a', 'b'], outcome: whole(1, 2) } })
  const sink = new RecordingSink()
  const judge = judging({ accept: true })

  await complete(makeCall(), sink, makeSteps(plan([small], { escalation: [big] }), sender, { judge }))

  expect(sink).toMatchObject({ text: 'ab', end: 'closed' })
})

test('only the small side is judged, and it is asked once more at most', async () => {
  const sender = new ScriptedSender({
    small: { texts: ['bad'], outcome: whole(1, 1) },
    big: { texts: ['also bad'], outcome: whole(1, 1) },
  })
  const sink = new RecordingSink()
  const judge = judging({ accept: false, reason: 'empty' })

  await complete(makeCall(), sink, makeSteps(plan([small, big], { escalation: [big] }), sender, { judge }))

  expect(sender.asked).toEqual(['small', 'big'])
  expect(sink).toMatchObject({ text: 'also bad', end: 'closed' })
})

test('where the big side cannot be had, a doubtful answer is better than none', async () => {
  const sender = new ScriptedSender({
    small: { texts: ['doubtful'], outcome: whole(1, 1) },
    big: { outcome: failure('upstream_unavailable') },
  })
  const sink = new RecordingSink()
  const judge = judging({ accept: false, reason: 'refusal' })

  const record = await complete(makeCall(), sink, makeSteps(plan([small], { escalation: [big] }), sender, { judge }))

  expect(sink).toMatchObject({ text: 'doubtful', end: 'closed', head: { tier: 'local' } })
  expect(record).toMatchObject({ result: 'ok', target: 'small', escalation: 'refusal', attempts: 2 })
})

test('a stream whose beginning is accepted flows from there, and one whose beginning is refused is stopped and never shown', async () => {
  const begins: Judge['begins'] = (_call, _plan, chunks) =>
    chunks.length < 2 ? undefined : said(chunks) === 'ok' ? { accept: true } : { accept: false, reason: 'refusal' }
  const judge: Judge = { ...judging({ accept: true }), watch: () => 'beginning', begins }
  const steps = (...texts: readonly string[]): ReturnType<typeof makeSteps> =>
    makeSteps(
      plan([small], { escalation: [big] }),
      new ScriptedSender({ small: { texts, outcome: whole(1, 1) }, big: { texts: ['BIG'], outcome: whole(1, 1) } }),
      { judge },
    )
  const flows = new RecordingSink()
  await complete(makeCall(), flows, steps('o', 'k', '!'))
  expect(flows).toMatchObject({ text: 'ok!', head: { tier: 'local' } })

  const refused = new RecordingSink()
  await complete(makeCall(), refused, steps('n', 'o', '!'))
  expect(refused).toMatchObject({ text: 'BIG', head: { reason: 'escalated' } })
})

test('a stream too short to be judged by its beginning is judged whole', async () => {
  const judge: Judge = {
    ...judging({ accept: false, reason: 'empty' }),
    watch: () => 'beginning',
    begins: () => undefined,
  }
  const sender = new ScriptedSender({
    small: { texts: [''], outcome: whole(1, 1) },
    big: { texts: ['BIG'], outcome: whole(1, 1) },
  })
  const sink = new RecordingSink()
  await complete(makeCall(), sink, makeSteps(plan([small], { escalation: [big] }), sender, { judge }))
  expect(sink).toMatchObject({ text: 'BIG', head: { escalation: 'empty' } })
})

test('second opinions are asked aside: they are on the bill, and the answer stays the small model’s', async () => {
  const other = target('other')
  const sender = new ScriptedSender({
    small: { texts: ['mine'], outcome: whole(10, 1) },
    other: { texts: ['theirs'], outcome: whole(10, 2) },
  })
  const heard: string[] = []
  const judge: Judge = {
    ...judging({ accept: true }),
    async judge(_call, _plan, _answer, ask) {
      heard.push(said((await ask(other))?.chunks ?? []))
      return { accept: true }
    },
  }
  const sink = new RecordingSink()

  const record = await complete(makeCall(), sink, makeSteps(plan([small], { escalation: [big] }), sender, { judge }))

  expect(heard).toEqual(['theirs'])
  expect(sink).toMatchObject({ text: 'mine', cost: 20 + 30, head: { upstream: 'small-upstream', attempts: 2 } })
  expect(record).toMatchObject({ target: 'small', attempts: 2, cost: 50 })
})

test('a cache hit costs nothing and asks no upstream', async () => {
  const sender = new ScriptedSender({})
  const sink = new RecordingSink()
  const cache = {
    lookup: () =>
      ({ result: 'hit-exact', chunks: [text('cached')], usage: usage(1, 1), savedUsd: 99 as never }) as const,
  }

  const record = await complete(makeCall(), sink, makeSteps(plan([small]), sender, { cache }))

  expect(sink).toMatchObject({ text: 'cached', end: 'closed', cost: 0, head: { tier: 'cache', cache: 'hit-exact' } })
  expect(record).toMatchObject({ tier: 'cache', reason: 'cache', savedUsd: 99 })
})

test('a flight hears of a whole answer that it is whole, and of a cut one that there is no more', async () => {
  const heard: string[] = []
  const flight: LeadingFlight = {
    lead: (sink) => sink,
    sending: () => void heard.push('sending'),
    land: (_answer, cost, isDoubtful) => void heard.push(`landed ${cost} ${isDoubtful}`),
    end: (error) => void heard.push(`ended ${error?.code}`),
  }
  const cache = { lookup: () => ({ result: 'miss', flight }) as const }
  const good = new ScriptedSender({ small: { texts: ['a', 'b'], outcome: whole(1, 1) } })
  const bad = new ScriptedSender({
    small: { texts: ['a'], outcome: failure('upstream_stream_truncated', { contentSent: true }) },
  })
  const next = new ScriptedSender({
    small: { outcome: failure('upstream_error') },
    big: { texts: ['a'], outcome: whole(1, 1) },
  })

  await complete(makeCall(), new RecordingSink(), makeSteps(plan([small]), good, { cache }))
  expect(heard.splice(0)).toEqual(['sending', 'landed 11 false', 'ended undefined'])
  await complete(makeCall(), new RecordingSink(), makeSteps(plan([small]), bad, { cache }))
  expect(heard.splice(0)).toEqual(['sending', 'ended upstream_stream_truncated'])
  await complete(makeCall(), new RecordingSink(), makeSteps(plan([small, big]), next, { cache }))
  expect(heard).toEqual(['sending', 'sending', 'landed 11 true', 'ended undefined'])
})

function said(chunks: readonly AnswerChunk[]): string {
  return chunks.flatMap(({ events }) => events.map((event) => (event.type === 'text' ? event.text : ''))).join('')
}

/** A judge of whole answers that always says the same. */
function judging(verdict: Verdict): Judge {
  return { watch: () => 'whole', asks: (call) => call, begins: () => undefined, judge: () => verdict }
}
