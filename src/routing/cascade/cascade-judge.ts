import type { AnswerChunk, AnswerEvent } from '../../protocol/answer.ts'
import type { Ask, Call, Judge, RoutePlan, SentAnswer, Target, Verdict, Watch } from '../../gateway/steps.ts'
import type { ChatRequest } from '../../protocol/request.ts'
import { featuresOf } from '../features.ts'
import { kindOf } from '../kind.ts'
import { viewAnswer } from './answer-view.ts'
import { problemOf, type CheckSettings } from './checks.ts'
import { agree, expectedGain, type AcceptanceHead } from './acceptance.ts'
import { DisagreementRate } from './disagreement-rate.ts'
import { JsonChecker } from './json-checker.ts'
import { isRefusal, mayBecomeRefusal } from './refusal.ts'
import { resultOf } from './result-of.ts'

export interface CascadeSettings extends CheckSettings {
  /** `stream`: streams are only checked by their beginning; `whole`: they are held back until all of them is checked. */
  readonly verify: 'stream' | 'whole'
  /** Models that are asked the same before an answer is believed; at most two. */
  readonly secondOpinions: readonly Target[]
  /** Expected gain of the big model from which on an answer that has second opinions is not believed, 0..1. */
  readonly maxGain: number
}

const SENTENCE_END = /[.!?\n]/u
const ACCEPT: Verdict = { accept: true }
/** Pieces that may come without a word that decides. They are read anew with each one, so a stream of blanks must not go on for ever. */
const MOST_HELD = 256

/**
 * Step 6: is the small model's answer good enough to send? Cheap checks first, then the opinion of other small models. Learning to
 * ask for less by confidence alone is FrugalGPT's idea (Chen, Zaharia, Zou 2023, arXiv 2305.05176); agreement of small models as the
 * signal is measured in `benchmarks/cascade.ts`.
 */
export class CascadeJudge implements Judge {
  readonly #settingsOf: (route: string) => CascadeSettings | undefined
  readonly #head: AcceptanceHead
  readonly #json = new JsonChecker()
  readonly #rates = new Map<string, DisagreementRate>()

  /** `settingsOf` knows a route's settings; undefined = its answers are not judged. */
  constructor(settingsOf: (route: string) => CascadeSettings | undefined, head: AcceptanceHead) {
    this.#settingsOf = settingsOf
    this.#head = head
  }

  watch(call: Call, plan: RoutePlan): Watch {
    const settings = this.#settings(plan)
    const { request } = call
    // Several answers are compared by whoever asked for them; prompts and vectors are no conversation.
    if (settings === undefined || request.n !== 1 || request.prompt !== undefined || request.embed !== undefined) {
      return 'nothing'
    }
    if (!request.stream || settings.verify === 'whole') return 'whole'
    return settings.checks.has('refusal') || settings.checks.has('empty') ? 'beginning' : 'nothing'
  }

  asks(call: Call, plan: RoutePlan, target: Target): Call {
    const { request } = call
    const settings = this.#settings(plan)
    if (settings?.minLogprob === undefined || !settings.checks.has('logprob')) return call
    if (request.topLogprobs !== undefined || !target.capabilities.has('logprobs')) return call
    return { ...call, request: { ...request, topLogprobs: 0 } }
  }

  begins(_call: Call, plan: RoutePlan, chunks: readonly AnswerChunk[]): Verdict | undefined {
    if (chunks.length > MOST_HELD) return ACCEPT
    const refuses = this.#settings(plan)?.checks.has('refusal') === true
    let text = ''
    for (const { events } of chunks) {
      for (const event of events) {
        if (event.type === 'text') text += event.text
        // Nobody waits for a verdict while a model thinks or calls a tool.
        else if (endsTheBeginning(event))
          return event.type === 'refusal' && refuses ? { accept: false, reason: 'refusal' } : ACCEPT
      }
    }
    if (!refuses) return text.trim() === '' ? undefined : ACCEPT
    // A whole sentence that declines is enough: what follows explains it.
    if (isRefusal(text) && SENTENCE_END.test(text)) return { accept: false, reason: 'refusal' }
    return mayBecomeRefusal(text) ? undefined : ACCEPT
  }

  judge(call: Call, plan: RoutePlan, answer: SentAnswer, ask: Ask): Verdict | Promise<Verdict> {
    const settings = this.#settings(plan)
    if (settings === undefined) return ACCEPT
    const view = viewAnswer(answer.chunks)
    const problem = problemOf(call.request, view, settings, this.#json)
    if (problem !== undefined) return { accept: false, reason: problem }
    const others = settings.secondOpinions.filter(
      (target) => target !== answer.target && (call.limits?.localBy === undefined || target.tier === 'local'),
    )
    const result = others.length === 0 ? undefined : resultOf(call.request, view)
    // Prose has no result that two models would word alike.
    if (result === undefined && (others.length === 0 || !wantsResult(call.request))) return ACCEPT
    return this.#compare(call, plan, { result, chars: view.text.length }, others, settings.maxGain, ask)
  }

  async #compare(
    call: Call,
    plan: RoutePlan,
    own: { readonly result: string | undefined; readonly chars: number },
    others: readonly Target[],
    maxGain: number,
    ask: Ask,
  ): Promise<Verdict> {
    const given: SentAnswer[] = []
    // One after the other: each has its own hold, and a task that can pay for one may not be able to pay for two.
    for (const target of others) {
      const other = await ask(target)
      if (other !== undefined) given.push(other)
    }
    if (given.length === 0) return ACCEPT
    const results = given.map(({ chunks }) => resultOf(call.request, viewAnswer(chunks)))
    // Where nobody came to a result, it was a question without one.
    if (own.result === undefined && results.every((each) => each === undefined)) return ACCEPT
    const rate = this.#rateOf(plan)
    const gain = expectedGain(
      { own: own.result, others: results },
      { answerChars: own.chars, disagreement: rate.value },
      this.#head,
    )
    rate.note(!agree(own.result, results[0]))
    return gain > maxGain ? { accept: false, reason: 'disagreement' } : ACCEPT
  }

  /** Kinds of traffic differ by route and by intent. */
  #rateOf({ route = '', intent }: RoutePlan): DisagreementRate {
    const kind = `${route} ${intent}`
    let rate = this.#rates.get(kind)
    if (rate === undefined) this.#rates.set(kind, (rate = new DisagreementRate()))
    return rate
  }

  #settings({ route }: RoutePlan): CascadeSettings | undefined {
    return route === undefined ? undefined : this.#settingsOf(route)
  }
}

/** Whether the question asks for something that two answers would say alike: an option, a number, a formula. */
function wantsResult(request: ChatRequest): boolean {
  const kind = kindOf(featuresOf(request).counts)
  return kind === 'choice' || kind === 'sums' || kind === 'formulas'
}

function endsTheBeginning(event: AnswerEvent): boolean {
  return event.type === 'reasoning' || event.type === 'tool-call' || event.type === 'audio' || event.type === 'refusal'
}
