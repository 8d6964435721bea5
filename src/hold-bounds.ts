/** How holds are sized in this deployment: which upstream is whose, and who can count a prompt exactly. */
import type { BoundOf, NoteInput } from './budget/hold/bound-of.ts'
import { OpenAiTokenizer } from './budget/hold/openai-tokenizer.ts'
import { outputLimitOf } from './shared/output-limit.ts'
import { planHold } from './budget/hold/plan-hold.ts'
import { TokenCounter } from './budget/hold/token-counter.ts'
import { FirstRefiner, type RefinerTarget } from './budget/hold/token-refiner.ts'
import { walkedTokenBound } from './budget/hold/walked-bound.ts'
import type { Target, UpstreamKind } from './gateway/steps.ts'
import type { TokenCount } from './http/runtime.ts'
import type { ChatRequest } from './protocol/request.ts'
import { AnthropicCounter } from './upstream/anthropic/count-tokens.ts'
import { EngineTokenizer } from './upstream/engine-tokenizer.ts'
import type { UpstreamOptions } from './upstream/options.ts'
import { isHostedOpenAi } from './upstream/sender.ts'

/** Kinds whose models have an output limit of their own, known by their names. */
const HOSTED: ReadonlySet<UpstreamKind> = new Set<UpstreamKind>(['openai', 'anthropic', 'google'])

export interface HoldBounds {
  readonly boundOf: BoundOf
  /** Tokens of a prompt at a target, by who can say it best. */
  count(request: ChatRequest, target: Target, signal: AbortSignal): Promise<TokenCount>
  readonly noteInput: NoteInput
  /** Takes other upstreams over. */
  reload(upstreams: readonly UpstreamOptions[]): void
  close(): Promise<void>
}

export function openHoldBounds(upstreams: readonly UpstreamOptions[]): HoldBounds {
  const counter = new TokenCounter()
  let engines = new EngineTokenizer(upstreams)
  let anthropic = new AnthropicCounter(upstreams)
  const tokenizer = new OpenAiTokenizer(counter)
  let refiner = new FirstRefiner([engines, anthropic, tokenizer])
  let known = new WeakMap<Target, RefinerTarget>()
  let hosted = hostedOf(upstreams)
  const refined = (target: Target): RefinerTarget => {
    let found = known.get(target)
    if (found === undefined) {
      const { upstream, kind, model, contextTokens, extraBody } = target
      found = { upstream, kind, model, contextTokens, extraBody, isHostedOpenAi: hosted.has(upstream) }
      known.set(target, found)
    }
    return found
  }
  return {
    boundOf: (input) => {
      const target = refined(input.target)
      // An engine has a context and no limit besides, whatever its model is called.
      const outputLimit = HOSTED.has(target.kind) ? outputLimitOf(target.model) : undefined
      return planHold({ ...input, target, outputLimit }, refiner)
    },
    async count(request, target, signal) {
      const at = refined(target)
      const engine = await engines.refine(request, at, signal)
      if (engine !== undefined) return { tokens: engine, countedBy: 'engine' }
      const provider = await anthropic.count(request, at, signal)
      if (provider !== undefined) return { tokens: provider, countedBy: 'provider' }
      const counted = await tokenizer.refine(request, at, signal)
      if (counted !== undefined) return { tokens: counted, countedBy: 'tokenizer' }
      return { tokens: walkedTokenBound(request, at).tokens, countedBy: 'bound' }
    },
    noteInput: (prompts, request, target, tokens) => prompts.note(request, refined(target), tokens),
    reload(next) {
      void engines.close()
      void anthropic.close()
      engines = new EngineTokenizer(next)
      anthropic = new AnthropicCounter(next)
      refiner = new FirstRefiner([engines, anthropic, tokenizer])
      known = new WeakMap()
      hosted = hostedOf(next)
    },
    async close() {
      await Promise.all([engines.close(), anthropic.close(), counter.close()])
    },
  }
}

function hostedOf(upstreams: readonly UpstreamOptions[]): ReadonlySet<string> {
  return new Set(upstreams.filter((each) => each.kind === 'openai' && isHostedOpenAi(each)).map((each) => each.name))
}
