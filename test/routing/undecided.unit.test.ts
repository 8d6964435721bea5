import { describe, expect, test } from 'vitest'
import type { RoutePlan } from '../../src/gateway/steps.ts'
import type { RoutingEncoder } from '../../src/routing/assessment.ts'
import { RecentAnswers } from '../../src/routing/answer-memory.ts'
import { createRouter, type ModelRouter } from '../../src/routing/router.ts'
import type { Scorer } from '../../src/routing/scorer.ts'
import { chatRequest, makeCall, target } from '../support/fake-steps.ts'

const VECTOR = new Float32Array(384)
/** Says one thing of the text and another of its vector. */
const scorer = (plain: number, encoded: number, readsVector = true): Scorer => ({
  score: (_features, _signal, vector) => (vector === undefined ? plain : encoded),
  readsVector: () => readsVector,
})

interface Asked {
  readonly texts: [string, number | undefined][]
  loads: number
}

function encoder(state: RoutingEncoder['state'], vector: Float32Array | undefined): Asked & RoutingEncoder {
  const asked: Asked & RoutingEncoder = {
    state,
    texts: [],
    loads: 0,
    embed(text, options) {
      asked.texts.push([text, options?.maxTokens])
      return Promise.resolve(vector)
    },
    load() {
      asked.loads++
      return Promise.resolve()
    },
  }
  return asked
}

function router(
  by: Scorer,
  encoder: RoutingEncoder,
  encoderBand: number,
  goal: object = { costQuality: 0.5 },
): ModelRouter {
  return createRouter({
    targets: new Map([
      ['small', target('small', { price: undefined })],
      ['big', target('big', { tier: 'frontier' })],
    ]),
    routes: { auto: { small: ['small'], big: ['big'], fallback: 'tier', ...goal } },
    aliases: {},
    scorer: by,
    encoder,
    encoderBand,
    answers: new RecentAnswers(),
    requires: () => [],
    now: () => 1,
    random: () => 0.5,
  })
}

const ask = (by: ModelRouter): RoutePlan | Promise<RoutePlan> =>
  by.route(makeCall({ request: chatRequest() }), { taskId: undefined, taskType: 'default' })

// The threshold of `costQuality: 0.5` against a free model is a gain of 0.2.
describe('the encoder', () => {
  test('turns a decision that its score leaves open, and reads 48 tokens for it', async () => {
    const encoded = encoder('ready', VECTOR)
    const plan = ask(router(scorer(0.19, 0.3), encoded, 0.05))
    expect(plan).toBeInstanceOf(Promise)
    expect(await plan).toMatchObject({ tier: 'frontier', score: 0.3 })
    expect(encoded.texts).toEqual([['ping', 48]])
  })

  test.each<[string, number, number, boolean]>([
    ['a score far from the threshold', 0.1, 0.05, true],
    ['a band of 0', 0.2, 0, true],
    ['a kind of request whose head does not read vectors', 0.2, 0.05, false],
  ])('is not asked for %s, and the decision is there at once', (_, score, band, readsVector) => {
    const encoded = encoder('ready', VECTOR)
    expect(ask(router(scorer(score, 0.9, readsVector), encoded, band))).not.toBeInstanceOf(Promise)
    expect(encoded.texts).toEqual([])
  })

  test('that is not loaded is loaded beside the request, which does not wait', () => {
    const encoded = encoder('idle', VECTOR)
    expect(ask(router(scorer(0.19, 0.9), encoded, 0.05))).toMatchObject({ tier: 'local', score: 0.19 })
    expect(encoded).toMatchObject({ loads: 1, texts: [] })
  })

  test('that is late leaves the decision to the score without it', async () => {
    const plan = await ask(router(scorer(0.19, 0.9), encoder('ready', undefined), 0.05))
    expect(plan).toMatchObject({ tier: 'local', score: 0.19, reason: 'gain' })
  })

  test('is asked about the share of requests that the band spans, where a share is held', async () => {
    const encoded = encoder('ready', VECTOR)
    let next = 0
    const rising: Scorer = {
      score: (_features, _signal, vector) => (vector === undefined ? (next = (next + 0.618) % 1) : next),
      readsVector: () => true,
    }
    const by = router(rising, encoded, 0.1, { targetBigShare: 0.3 })
    for (let i = 0; i < 2000; i++) await ask(by)
    expect(encoded.texts.length / 2000).toBeGreaterThan(0.12)
    expect(encoded.texts.length / 2000).toBeLessThan(0.28)
  })
})
