/** How holds are sized in this deployment: which upstream is whose, and who can count a prompt exactly. */
import type { BoundOf, NoteInput } from './budget/bound-of.ts'
import { OpenAiTokenizer } from './budget/openai-tokenizer.ts'
import { outputLimitOf } from './budget/output-limit.ts'
import { planHold } from './budget/plan-hold.ts'
import { TokenCounter } from './budget/token-counter.ts'
import { FirstRefiner, type RefinerTarget } from './budget/token-refiner.ts'
import type { Target } from './gateway/steps.ts'
import { EngineTokenizer } from './upstream/engine-tokenizer.ts'
import type { UpstreamOptions } from './upstream/options.ts'
import { isHostedOpenAi } from './upstream/sender.ts'

export interface HoldBounds {
  readonly boundOf: BoundOf
  readonly noteInput: NoteInput
  /** Takes other upstreams over. */
  reload(upstreams: readonly UpstreamOptions[]): void
  close(): Promise<void>
}

export function openHoldBounds(upstreams: readonly UpstreamOptions[]): HoldBounds {
  const counter = new TokenCounter()
  let engines = new EngineTokenizer(upstreams)
  let refiner = new FirstRefiner([engines, new OpenAiTokenizer(counter)])
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
      const outputLimit = target.kind === 'openai' ? outputLimitOf(target.model) : undefined
      return planHold({ ...input, target, outputLimit }, refiner)
    },
    noteInput: (prompts, request, target, tokens) => prompts.note(request, refined(target), tokens),
    reload(next) {
      void engines.close()
      engines = new EngineTokenizer(next)
      refiner = new FirstRefiner([engines, new OpenAiTokenizer(counter)])
      known = new WeakMap()
      hosted = hostedOf(next)
    },
    async close() {
      await Promise.all([engines.close(), counter.close()])
    },
  }
}

function hostedOf(upstreams: readonly UpstreamOptions[]): ReadonlySet<string> {
  return new Set(upstreams.filter((each) => each.kind === 'openai' && isHostedOpenAi(each)).map((each) => each.name))
}
