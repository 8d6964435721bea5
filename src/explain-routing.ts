/** Part of the composition root: the router of a configuration, explained. Opens no port, no store and no connection. */
import { fileURLToPath } from 'node:url'
import type { Config, KeyConfig } from './config/config.ts'
import type { Call, Caller } from './gateway/steps.ts'
import { openGuard } from './open-guard.ts'
import { requires } from './protocol/openai-chat/requires.ts'
import type { ChatRequest } from './protocol/request.ts'
import { RecentAnswers } from './routing/answer-memory.ts'
import { explainRoute, type ExplainOptions } from './routing/explain/explain.ts'
import type { Explanation } from './routing/explain/explanation.ts'
import { createModelResolver } from './routing/resolve-model.ts'
import { loadTrainedScorer } from './routing/trained-scorer.ts'

export type { Contribution } from './routing/explain/contributions.ts'
export type { ExplainedScore, Explanation, Finding, Goal } from './routing/explain/explanation.ts'

const ROUTER_MODEL = fileURLToPath(new URL('../router-models/gain-heads', import.meta.url))

/**
 * @param key Whose request it is; undefined = somebody's who may use every model.
 * @returns As `explainRoute`. Rejects with a SwitchyardError for a model that means nothing to the key.
 */
export async function explainRouting(
  config: Config,
  request: ChatRequest,
  key: KeyConfig | undefined,
): Promise<Explanation> {
  const options: ExplainOptions = {
    targets: config.served,
    routes: config.routes,
    aliases: config.aliases,
    scorer: loadTrainedScorer(ROUTER_MODEL),
    answers: new RecentAnswers(),
    requires,
    now: () => 0,
    // Only parts equal scores; the same every time.
    random: () => 0.5,
  }
  const names = createModelResolver({ ...options, routes: Object.keys(config.routes) })
  const guard = openGuard(config, (model) => names.routeOf(model))
  const call: Call = {
    id: 'req_explained',
    caller: callerOf(key),
    task: { id: undefined, type: undefined, budgetUsd: undefined, maxToolCalls: undefined, deadlineMs: undefined },
    request,
    signal: new AbortController().signal,
    startedMs: 0,
  }
  return explainRoute(options, call, guard.screen(call))
}

function callerOf(key: KeyConfig | undefined): Caller {
  return {
    tenant: key?.tenant ?? 'default',
    key: key?.name ?? 'anonymous',
    user: undefined,
    spendLimits: {},
    tenantSpendLimits: {},
    canTopUp: false,
    models: key?.models === undefined ? undefined : new Set(key.models),
    unknownFields: 'drop',
    limiter: undefined,
  }
}
